"""From rows to figures, their ranges, and the file that keeps them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.cluster_runs.figures import figures, ratios
from benchmarks.cluster_runs.report import report
from benchmarks.cluster_runs.runs import Row
from benchmarks.cluster_runs.throughput import RANGES, is_measured, workloads
from benchmarks.cluster_runs.workloads import Workload, bare_job, differences
from benchmarks.ranges import check
from benchmarks.results import OtherResultsError, open_results, read_results

MACHINE = {"cores": 2, "packages": {"kopf": "1"}}
SETTINGS = {"trials": 100, "parallelism": [10]}


def row(number: int, kind: str, rate: float, **fields: float | None) -> Row:
    plain = Row(
        round=number,
        kind=kind,
        parallelism=10,
        trials=100,
        trials_per_pod=1,
        at="2026-01-01T00:00:00+00:00",
        load_before=0.5,
        succeeded=100,
        seconds=60.0,
        per_minute=rate,
        first_pod_seconds=0.1,
        gap_p50=0.5,
        gap_p95=0.9,
        gap_max=1.0,
        cluster_writes=12.0,
        cluster_events=4.0,
        operator_writes=3.0,
        operator_events=0.1,
        operator_cpu=5.0,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def rounds(count: int) -> list[Row]:
    """Rounds in which the machine's speed drifts, while the search takes 90 % of the bare rate."""
    return [
        made
        for n in range(1, count + 1)
        for made in (row(n, "bare", 100.0 / n), row(n, "random", 90.0 / n), row(n, "tpe", 80.0 / n))
    ]


def test_ratios_are_of_the_same_round_so_that_a_drift_cancels() -> None:
    assert ratios(rounds(5), "random", 10) == pytest.approx([0.9] * 5)
    assert figures(rounds(5))["tpe_ratio_10"] == pytest.approx(0.8)


def test_a_ratio_of_pods_is_by_their_ends_and_only_where_these_were_kept() -> None:
    rows = [
        replace(r, pods_per_minute=0.5 * r.per_minute if r.kind == "bare" else r.per_minute)
        for r in rounds(5)
    ]

    assert figures(rows)["random_pods_ratio_10"] == pytest.approx(1.8)
    assert figures(rows)["random_ratio_10"] == pytest.approx(0.9)
    assert "random_pods_ratio_10" not in figures(rounds(5))


def test_a_ratio_is_no_figure_before_there_are_enough_pairs() -> None:
    assert "random_ratio_10" not in figures(rounds(4))


def test_of_writes_the_worst_round_counts_and_of_gaps_the_median() -> None:
    rows = [
        row(1, "tpe", 80, operator_writes=3.0, gap_p95=0.4),
        row(2, "tpe", 80, operator_writes=4.5, gap_p95=0.6),
        row(3, "tpe", 80, operator_writes=3.1, gap_p95=5.0),
    ]

    assert figures(rows)["tpe_operator_writes_10"] == 4.5
    assert figures(rows)["tpe_gap_p95_10"] == 0.6


@pytest.mark.parametrize(
    ("value", "bounds", "holds"),
    [
        (0.95, {"min": 0.95}, True),
        (0.94, {"min": 0.95}, False),
        (4.0, {"max": 4}, True),
        (4.1, {"max": 4}, False),
        (None, {"max": 4}, False),
    ],
)
def test_a_figure_outside_its_range_or_not_measured_does_not_hold(
    value: float | None, bounds: dict[str, float], *, holds: bool
) -> None:
    made = {} if value is None else {"it": value}
    (verdict,) = check(made, {"it": bounds})

    assert verdict.holds is holds
    assert verdict.text().startswith("ok" if holds else "FAIL")


def test_every_expected_range_names_a_figure_that_a_full_measurement_makes() -> None:
    rows = [
        replace(row(n, w.kind, 100), parallelism=parallelism)
        for n in range(1, 6)
        for parallelism in (10, 30)
        for w in workloads(n, parallelism, 100)
    ]

    assert set(yaml.safe_load(RANGES.read_text())) <= set(figures(rows))


def test_the_bare_job_lies_between_the_searches_and_neither_is_always_first() -> None:
    odd, even = ([w.kind for w in workloads(n, 30, 100)] for n in (1, 2))

    assert odd == ["random", "bare", "tpe"]
    assert even == ["tpe", "bare", "random"]


def test_rows_are_read_again_and_only_missing_rounds_are_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.json"
    open_results(path, Row, MACHINE, SETTINGS).add(rounds(2))

    again = open_results(path, Row, MACHINE, SETTINGS)
    assert again.rows == rounds(2)
    assert [is_measured(again.rows, n, 10) for n in (1, 2, 3)] == [True, True, False]


def test_rows_of_another_machine_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    open_results(path, Row, MACHINE, SETTINGS).add(rounds(1))

    with pytest.raises(OtherResultsError, match=r"another machine \(cores\): name another file"):
        open_results(path, Row, {**MACHINE, "cores": 64}, SETTINGS)


def test_the_report_shows_machine_medians_ratios_and_what_failed(tmp_path: Path) -> None:
    results = open_results(tmp_path / "rows.json", Row, MACHINE, SETTINGS)
    results.add(rounds(5))
    text = report(
        read_results(results.path, Row),
        check(figures(results.rows), {"random_ratio_10": {"min": 0.95}}),
    )

    assert "cores 2; packages: kopf 1\n" in text
    assert "random_ratio_10      0.900 [0.900, 0.900] at 94%" in text
    assert "FAIL random_ratio_10" in text


def test_a_difference_between_the_pods_of_two_jobs_is_named() -> None:
    template = bare_job(Workload("bare", 10, 20), "example.test/trial:1")["spec"]["template"]
    other = bare_job(Workload("bare", 10, 20), "example.test/other:1")["spec"]["template"]
    other["spec"]["volumes"].pop()

    assert differences(template, template) == []
    assert differences(template, other) == ["containers.image", "volumes"]


def test_the_operator_does_not_see_the_bare_job() -> None:
    body = bare_job(Workload("bare", 10, 20), "example.test/trial:1")

    assert "ownerReferences" not in body["metadata"]
    for metadata in (body["metadata"], body["spec"]["template"]["metadata"]):
        assert not any(key.startswith("winnow.dev/") for key in metadata["labels"])
