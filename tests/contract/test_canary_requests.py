"""The requests of both revisions of a canary are counted from the beginning of its step, by a real PromQL engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.promql import hold_answers, needs_promtool
from winnow_operator.domain.servers.loads import Question, queries

pytestmark = needs_promtool

QUESTION = Question("team", "digits", serving=1, canary=2, since="2026-01-01T00:20:00Z")


def requests(pod: str, code: str = "200") -> str:
    return f'winnow_server_requests_total{{namespace="team",pod="digits-{pod}",code="{code}"}}'


SERIES = {
    requests("r1-5d7c-before"): "0+600x30",
    requests("r1-5d7c-restarted"): "0+100x21 0+100x8",
    requests("r1-5d7c-gone"): "0+100x22 stale",
    requests("r1-5d7c-scaled"): "_x22 10+100x8",
    requests("r2-6e8d-before"): "0+100x30",
    requests("r2-6e8d-before", "500"): "5+1x30",
    requests("r2-6e8d-new"): "_x21 30+50x10",
}
SERVING = 5 * 600 + 300 + 200 + 300


@pytest.mark.parametrize(("is_first", "new"), [(True, 230), (False, 200)], ids=["first", "later"])
def test_what_came_before_the_step_counts_for_neither_revision(
    tmp_path: Path, *, is_first: bool, new: int
) -> None:
    asked = queries(replace(QUESTION, is_first=is_first), 5 * 60)

    hold_answers(
        tmp_path,
        SERIES,
        {
            asked["serving"]: [{"labels": '{code="200"}', "value": SERVING}],
            asked["canary"]: [
                {"labels": '{code="200"}', "value": 500 + new},
                {"labels": '{code="500"}', "value": 5},
            ],
        },
        at="25m",
    )


def test_the_latency_is_that_of_the_step(tmp_path: Path) -> None:
    def bucket(pod: str, le: str) -> str:
        metric = "winnow_server_request_duration_seconds_bucket"
        return f'{metric}{{namespace="team",pod="digits-{pod}",le="{le}"}}'

    series = {}
    for pod in ("r1-5d7c-a", "r2-6e8d-a"):  # quick until the step, ten times as slow in it
        series[bucket(pod, "0.01")] = "0+1000x20 20000+0x10"
        series[bucket(pod, "0.1")] = "0+1000x30"
        series[bucket(pod, "+Inf")] = "0+1000x30"
    asked = queries(replace(QUESTION, is_first=False), 5 * 60)

    slow = [{"labels": "{}", "value": 0.0955}]
    hold_answers(
        tmp_path, series, {asked["serving_p95"]: slow, asked["canary_p95"]: slow}, at="25m"
    )
