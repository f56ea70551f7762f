"""The one figure by which engines compare candidates agrees with goals and preferences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.choosing.goals import Goal, parse_goal
from winnow_contract.choosing.selection import Candidate, of_baseline
from winnow_operator.domain.compressions.chain_scores import chain_score

BASE = {"accuracy": (0.98, 0.01), "latency_p95_seconds@1": (0.008, None), "size_bytes": (9e4, None)}
GOALS: tuple[Goal, ...] = (parse_goal({"metric": "accuracy", "maxDrop": "0.01"}, (1,)),)
PREFER = ("latency_p95_seconds@1", "size_bytes")
ACCURACIES, TIMES = st.floats(0.0, 1.0), st.floats(1e-6, 1.0)


def candidate(accuracy: float, latency: float, size: float = 9e4) -> Candidate:
    values = {
        "accuracy": (accuracy, 0.01),
        "latency_p95_seconds@1": (latency, None),
        "size_bytes": (size, None),
    }
    return Candidate(2, "c", values, BASE)


def score(accuracy: float, latency: float, size: float = 9e4) -> float:
    return chain_score(candidate(accuracy, latency, size), GOALS, PREFER)


@given(st.floats(0.97, 1.0), TIMES, st.floats(0.0, 0.969), TIMES)
def test_what_meets_the_goals_is_better_than_what_misses_one(
    good: float, slow: float, bad: float, fast: float
) -> None:
    assert score(good, slow) < score(bad, fast)


@given(TIMES, TIMES)
def test_of_two_that_meet_the_goals_the_preferred_metric_decides(one: float, other: float) -> None:
    assert (score(0.98, one) < score(0.98, other)) == (one < other) or abs(one - other) < 1e-9


def test_a_smaller_miss_is_better_and_a_later_preference_breaks_a_tie() -> None:
    assert score(0.96, 0.008) < score(0.90, 0.008)
    assert score(0.98, 0.004, 5e4) < score(0.98, 0.004, 9e4)


def test_the_baseline_against_itself_stands_in_the_middle() -> None:
    assert chain_score(of_baseline(1, "baseline", BASE), GOALS, PREFER) == -1.0
