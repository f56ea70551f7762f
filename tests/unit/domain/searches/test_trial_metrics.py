"""What Prometheus says of running trials, and whether that counts as available."""

from __future__ import annotations

import math

import pytest

from winnow_operator.api.conditions import Condition, ConditionType, Reason
from winnow_operator.domain.searches.metrics_condition import (
    GRACE_SECONDS,
    Listening,
    metrics_verdict,
)
from winnow_operator.domain.searches.trial_metrics import (
    Best,
    Heard,
    TrialQuestion,
    heard_of,
    queries,
)

QUESTION = TrialQuestion("team", "u-1", "accuracy", is_higher_better=True, wants_rungs=True)
SCRAPED, NOTHING = Heard(is_scraped=True), Heard()
REFUSED = Heard(problem="Prometheus does not answer: refused")


def test_only_series_of_this_very_job_are_asked_for() -> None:
    asked = queries(QUESTION)

    assert all(
        query.count("{") == query.count('{namespace="team",job_uid="u-1"')
        for query in asked.values()
    )
    assert "rungs" not in queries(
        TrialQuestion("team", "u-1", "rmse", is_higher_better=False, wants_rungs=False)
    )


def test_the_best_its_step_and_the_rungs_are_read() -> None:
    labels = {"trial": "digits-t00002", "attempt": "0a1b2c3d"}
    heard = heard_of(
        {
            "count": (({}, 2.0),),
            "best": (({"trial": "digits-t00002"}, 0.9),),
            "step": (({"trial": "digits-t00001"}, 3.0), ({"trial": "digits-t00002"}, 7.0)),
            "rungs": (({**labels, "rung": "3"}, 0.8), ({**labels, "rung": "x"}, 0.1), ({}, 1.0)),
        }
    )

    assert heard == Heard(
        is_scraped=True,
        best=Best("digits-t00002", 0.9, 7),
        rungs={("digits-t00002", "0a1b2c3d"): {3: 0.8}},
    )


def test_a_best_that_is_no_number_is_none() -> None:
    answers = {"count": (({}, 1.0),), "best": (({"trial": "t"}, math.nan),), "step": ()}

    assert heard_of(answers) == Heard(is_scraped=True)
    assert heard_of({"count": (), "best": (), "step": ()}) == Heard()


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_an_infinite_value_at_a_rung_is_no_number(value: float) -> None:
    labels = {"trial": "t", "attempt": "a", "rung": "1"}

    heard = heard_of({"count": (), "best": (), "step": (), "rungs": ((labels, value),)})

    assert math.isnan(heard.rungs["t", "a"][1])


def condition(status: str, reason: Reason, message: str = "as it was") -> Condition:
    return Condition.model_validate(
        {
            "type": ConditionType.METRICS_AVAILABLE,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    )


WAS_SCRAPED = condition("True", Reason.SCRAPED)


@pytest.mark.parametrize(
    ("listening", "before", "expected"),
    [
        (Listening(), None, (False, Reason.NO_PROMETHEUS)),
        (Listening(), WAS_SCRAPED, (False, Reason.NO_PROMETHEUS)),
        (Listening(is_configured=True), None, (None, Reason.PENDING)),
        (Listening(True, NOTHING, 5), None, (None, Reason.PENDING)),
        (Listening(True, NOTHING, GRACE_SECONDS), None, (False, Reason.NOT_SCRAPED)),
        (Listening(True, NOTHING, GRACE_SECONDS), WAS_SCRAPED, (False, Reason.NOT_SCRAPED)),
        (Listening(True, NOTHING, 5), WAS_SCRAPED, (True, Reason.SCRAPED)),
        (Listening(True, SCRAPED, 5), None, (True, Reason.SCRAPED)),
        (Listening(True, REFUSED, 5), WAS_SCRAPED, (False, Reason.PROMETHEUS_UNREACHABLE)),
        (Listening(is_configured=True), WAS_SCRAPED, (True, Reason.SCRAPED)),
    ],
)
def test_the_condition_tells_the_truth(
    listening: Listening, before: Condition | None, expected: tuple[bool | None, Reason]
) -> None:
    found = metrics_verdict(listening, before)

    assert found[:2] == expected
    assert found[2]


def test_words_that_change_with_each_try_are_not_written_again() -> None:
    before = condition(
        "False", Reason.PROMETHEUS_UNREACHABLE, "Prometheus does not answer: timeout"
    )

    _, _, words = metrics_verdict(Listening(True, REFUSED, 5), before)

    assert words == before.message
    _, _, words = metrics_verdict(Listening(True, REFUSED, 5), WAS_SCRAPED)
    assert words.startswith("Prometheus does not answer: refused; check prometheus.url")
