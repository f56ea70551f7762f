"""docs/metrics.md lists every metric that is served, as it is served, and none that is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Metric, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from tests.support.chart import ROOT
from tests.support.objectfigures import JOB, SERVER
from tests.support.promql import needs_promtool, promtool
from winnow_contract.metrics_page import MetricsPage
from winnow_contract.rungbook import EARLY_STOPPING
from winnow_operator.domain.causes import STOP_CAUSES
from winnow_operator.metrics import own
from winnow_operator.metrics.objects import ObjectSeries
from winnow_server.metrics import Metrics

PAGE = (ROOT / "docs/metrics.md").read_text()
OF_THE_CLIENT = ("process_", "python_")
"""What the client library tells of any process; the page names it as a whole."""
NOT_LABELS = {"le"}


@dataclass(frozen=True, slots=True)
class Row:
    """A metric as the page has it, or as it is served."""

    kind: str
    labels: tuple[str, ...]
    meaning: str


def documented(heading: str) -> dict[str, Row]:
    """The table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = {}
    for line in section.splitlines():
        if line.startswith("| `winnow_"):
            name, kind, labels, meaning = (c.strip() for c in line.strip("|").split(" | "))
            assert name not in found, name
            names = sorted(re.findall(r"`(\w+)`", labels))
            found[name.strip("` ")] = Row(kind, tuple(names), meaning)
    assert found, heading
    return found


def page_of_operator() -> str:
    """All that the operator serves, with a job and a server in it."""
    series = ObjectSeries(limit=9)
    series.note(replace(JOB, ended=datetime.now(UTC).timestamp()))
    series.note(SERVER)
    REGISTRY.register(series)
    try:
        return generate_latest(REGISTRY).decode()
    finally:
        REGISTRY.unregister(series)


def page_of_trial() -> str:
    page = MetricsPage({"job_uid": "u1", "attempt": "0a1b2c3d"})
    page.start("digits-t00001", {"searchjob": "digits"})
    page.report("digits-t00001", 3, {"accuracy": 0.9})
    page.reach("digits-t00001", 3, 0.9)
    return page.render()


def page_of_server() -> str:
    metrics = Metrics(digest="sha256:1", revision=1, queue_length=lambda: 0)
    metrics.answered(200, 0.01)
    metrics.ran(4)
    return metrics.page().decode()


def served(text: str) -> dict[str, Row]:
    """The metrics of a page; labels as far as there are samples."""
    found = {}
    for family in text_string_to_metric_families(text):
        if not family.name.startswith(OF_THE_CLIENT):
            found[_name(family)] = Row(family.type, _labels(family), family.documentation)
    return found


def _name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _labels(family: Metric) -> tuple[str, ...]:
    names = {label for sample in family.samples for label in sample.labels}
    return tuple(sorted(names - NOT_LABELS))


def wrappers() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Labels of the operator's metrics, which have no samples before something happens."""
    for metric in vars(own).values():
        if isinstance(metric, MetricWrapperBase):
            suffix = "_total" if metric._type == "counter" else ""
            yield f"{metric._name}{suffix}", tuple(sorted(metric._labelnames))


def test_the_operators_metrics_stand_on_the_page_as_they_are_served() -> None:
    found = served(page_of_operator())
    for name, labels in wrappers():
        found[name] = Row(found[name].kind, labels, found[name].meaning)

    assert len(found) > 40
    assert documented("The operator") == found


@pytest.mark.parametrize(
    ("heading", "page"), [("Trials", page_of_trial), ("Model servers", page_of_server)]
)
def test_the_metrics_of_pods_stand_on_the_page_as_they_are_served(
    heading: str, page: Callable[[], str]
) -> None:
    assert documented(heading) == served(page())


@needs_promtool
@pytest.mark.parametrize("page", [page_of_operator, page_of_trial, page_of_server])
def test_names_and_labels_pass_the_linter_of_prometheus(page: Callable[[], str]) -> None:
    assert promtool("check", "metrics", stdin=page()) == (0, "")


def test_no_metric_of_the_operator_has_a_label_that_a_scrape_sets_itself() -> None:
    set_by_scrapes = {"namespace", "pod", "job", "instance", "container", "service", "endpoint"}

    for name, row in documented("The operator").items():
        assert not set_by_scrapes & set(row.labels), name


def test_the_page_is_served_with_every_series_of_a_job_within_the_number_that_it_states() -> None:
    series = ObjectSeries(limit=9)
    series.note(JOB)
    registry = CollectorRegistry()
    registry.register(series)
    text = generate_latest(registry).decode()
    (stated,) = re.findall(r"at most (\d+) series", PAGE)

    ratios_and_end = 8 - len(JOB.ratios) + 1
    lines = [line for line in text.splitlines() if line.startswith("winnow_job_")]
    assert len(lines) + ratios_and_end == int(stated)


def test_metrics_know_why_trials_are_stopped() -> None:
    sources = [p.read_text() for p in (ROOT / "trainer").rglob("*.py")]
    raised = {word for text in sources for word in re.findall(r"TrialStopped\(\s*(\S+?),", text)}

    assert raised == {"EARLY_STOPPING", '"Diverged"'}
    assert {EARLY_STOPPING, "Diverged"} == STOP_CAUSES
    for cause in STOP_CAUSES:
        assert f"`{cause}`" in PAGE
