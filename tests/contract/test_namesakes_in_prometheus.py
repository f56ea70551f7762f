"""What the operator asks of Prometheus about a job or a server is never answered by a namesake before it.

Both left series of the same name behind. Of a job the uid tells them apart, of a server the time.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.promql import hold_answers, needs_promtool
from winnow_operator.domain.searches.trial_metrics import TrialQuestion
from winnow_operator.domain.searches.trial_metrics import queries as trial_queries
from winnow_operator.domain.servers.loads import Question
from winnow_operator.domain.servers.loads import queries as server_queries

pytestmark = needs_promtool


def test_a_canary_is_not_blamed_for_the_errors_of_an_earlier_server_of_the_same_name(
    tmp_path: Path,
) -> None:
    def requests(pod: str, code: str) -> str:
        return f'winnow_server_requests_total{{namespace="team",pod="digits-{pod}",code="{code}"}}'

    series = {
        requests("r1-1f2a-old", "200"): "0+900x10 stale",
        requests("r2-1f2b-old", "500"): "0+500x10 stale",
        requests("r1-3f2a-new", "200"): "_x15 0+50x10",
        requests("r2-3f2b-new", "200"): "_x20 0+20x5",
    }
    question = Question("team", "digits", serving=1, canary=2, since="2026-01-01T00:20:00Z")
    asked = server_queries(question, 5 * 60)

    hold_answers(
        tmp_path,
        series,
        {
            asked["canary"]: [{"labels": '{code="200"}', "value": 100}],
            asked["serving"]: [{"labels": '{code="200"}', "value": 250}],
        },
        at="25m",
    )


def test_live_values_and_rungs_are_those_of_this_job(tmp_path: Path) -> None:
    def trial(metric: str, *more: str) -> str:
        labels = ",".join(('trial="digits-t00001"', 'attempt="a"', *more))
        return f"{metric}{{{labels}}}"

    series: dict[str, str] = {}
    # The old one is still there, as a lying pod would be, and so is one of another namespace that
    # has taken over the job's uid.
    for space, uid, value in (("team", "old", 9), ("foe", "new", 7), ("team", "new", 5)):
        own = f'namespace="{space}"', f'job_uid="{uid}"'
        series |= {
            trial("winnow_trial_info", *own): "1x30",
            trial("winnow_trial_metric", *own, 'metric="accuracy"'): f"{value}x30",
            trial("winnow_trial_step", *own): f"{value}x30",
            trial("winnow_trial_rung_value", *own, 'rung="3"'): f"{value}x30",
        }
    asked = trial_queries(
        TrialQuestion("team", "new", "accuracy", is_higher_better=True, wants_rungs=True)
    )
    named = '{trial="digits-t00001"}'

    hold_answers(
        tmp_path,
        series,
        {
            asked["count"]: [{"labels": "{}", "value": 1}],
            asked["best"]: [{"labels": named, "value": 5}],
            asked["step"]: [{"labels": named, "value": 5}],
            asked["rungs"]: [
                {"labels": '{trial="digits-t00001",attempt="a",rung="3"}', "value": 5}
            ],
        },
        at="25m",
    )
