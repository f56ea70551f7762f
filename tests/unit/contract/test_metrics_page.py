"""The Prometheus page of running trials."""

from __future__ import annotations

import socket
import time
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from winnow_contract.metrics_page import MetricsPage, serve

Sample = tuple[str, tuple[tuple[str, str], ...], float]


def samples(text: str) -> set[Sample]:
    return {
        (sample.name, tuple(sorted(sample.labels.items())), float(sample.value))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def test_prometheus_reads_the_page() -> None:
    page = MetricsPage()
    page.start("t1", {"job": 'a "b"\\'})
    page.report("t1", 3, {"accuracy": 0.5, "loss": float("inf")})

    assert samples(page.render()) == {
        ("winnow_trial_info", (("job", 'a "b"\\'), ("trial", "t1")), 1.0),
        ("winnow_trial_metric", (("metric", "accuracy"), ("trial", "t1")), 0.5),
        ("winnow_trial_metric", (("metric", "loss"), ("trial", "t1")), float("inf")),
        ("winnow_trial_step", (("trial", "t1"),), 3.0),
    }


def test_all_series_say_whose_they_are_and_a_rung_is_seen_after_it() -> None:
    page = MetricsPage({"job_uid": "u1", "attempt": "0a1b2c3d"})
    page.start("t1", {"searchjob": "digits"})
    page.report("t1", 3, {"accuracy": 0.5})
    page.reach("t1", 3, 0.5)
    page.report("t1", 4, {"accuracy": 0.6})

    found = samples(page.render())
    assert all(
        {("job_uid", "u1"), ("attempt", "0a1b2c3d")} <= set(labels) for _, labels, _ in found
    )
    values = {
        (name, dict(labels)["rung"]): value for name, labels, value in found if "_rung_" in name
    }
    assert values["winnow_trial_rung_value", "3"] == 0.5
    assert 0 <= time.time() - values["winnow_trial_rung_timestamp_seconds", "3"] < 60


def test_a_trial_that_has_ended_leaves_no_series() -> None:
    page = MetricsPage()
    page.start("t1", {})
    page.report("t1", 1, {"accuracy": 0.5})
    page.reach("t1", 1, 0.5)

    page.end("t1")

    assert samples(page.render()) == set()


def test_the_page_is_served_and_a_taken_port_is_done_without() -> None:
    page, port = MetricsPage(), free_port()
    page.report("t1", 1, {"accuracy": 0.5})
    server = serve(page, port)
    assert server is not None

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.read().decode() == page.render()
        assert serve(page, port) is None
    finally:
        server.shutdown()
        server.server_close()


def test_port_0_turns_the_page_off() -> None:
    assert serve(MetricsPage(), 0) is None
