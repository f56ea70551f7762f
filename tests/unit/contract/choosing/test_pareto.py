"""What is better, what is a tie, and what one round says about another."""

from __future__ import annotations

import math

import pytest

from winnow_contract.choosing.pareto import Candidate, dominates, front, is_tie, noise, standing
from winnow_contract.choosing.selection import of_baseline
from winnow_contract.manifests import Values

LATENCY, SIZE, ACCURACY = "latency_p95_seconds@1", "size_bytes", "accuracy"


def timed(seconds: float, error: float | None = None) -> Values:
    return {LATENCY: (seconds, error)}


def candidate(number: int, values: Values, beside: Values) -> Candidate:
    return Candidate(number, f"c{number}", values, beside)


def test_in_one_round_the_baselines_own_error_cancels() -> None:
    beside = timed(2.0, 0.5)
    one, other = (candidate(n, timed(s), beside) for n, s in ((2, 1.0), (3, 1.001)))

    assert noise(one, other, LATENCY) == 0
    assert not is_tie(one, other, LATENCY)


def test_between_rounds_the_errors_of_both_baselines_count() -> None:
    one = candidate(2, timed(1.0), timed(2.0, 0.02))
    other = candidate(3, timed(1.0), timed(2.1, 0.0))

    # Half of the baseline's relative error of 1 %, twice.
    assert noise(one, other, LATENCY) == pytest.approx(2 * 0.5 * 0.01)


def test_a_candidates_own_error_counts_as_a_share_of_the_baseline() -> None:
    beside = timed(2.0)
    one, other = candidate(2, timed(1.0, 0.03), beside), candidate(3, timed(1.2, 0.04), beside)

    assert noise(one, other, LATENCY) == pytest.approx(2 * math.hypot(0.015, 0.02))
    assert not is_tie(one, other, LATENCY)
    assert is_tie(one, candidate(4, timed(1.06, 0.04), beside), LATENCY)


def test_the_baseline_is_compared_as_it_was_in_the_round_of_the_other() -> None:
    baseline = of_baseline(1, "baseline", timed(2.0, 1.0))  # a noisy first round
    late = candidate(9, timed(3.8, 0.01), timed(4.0, 0.01))  # a quiet one on a slower machine

    assert standing(baseline, LATENCY) == 1.0
    assert standing(late, LATENCY) == pytest.approx(0.95)
    assert noise(late, baseline, LATENCY) == pytest.approx(2 * math.hypot(0.0025, 0.0025))
    assert noise(baseline, late, LATENCY) == noise(late, baseline, LATENCY)
    assert not is_tie(baseline, late, LATENCY)


def test_what_no_machine_decides_is_compared_as_it_is() -> None:
    one = candidate(2, {SIZE: (10.0, None)}, {SIZE: (100.0, None)})
    other = candidate(3, {SIZE: (11.0, None)}, {SIZE: (200.0, None)})

    assert standing(one, SIZE) == 10.0
    assert standing(other, SIZE) == 11.0
    assert noise(one, other, SIZE) == 0


def test_more_is_better_where_the_metric_says_so() -> None:
    values = {ACCURACY: (0.9, None), "throughput_rows_per_second@8": (50.0, None)}
    one = candidate(2, values, {"throughput_rows_per_second@8": (100.0, None)})

    assert standing(one, ACCURACY) == -0.9
    assert standing(one, "throughput_rows_per_second@8") == -0.5


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_was_not_measured_is_worse_than_anything(value: float) -> None:
    beside = timed(2.0)
    unmeasured, measured = candidate(2, {}, beside), candidate(3, timed(9.0), beside)

    assert standing(unmeasured, LATENCY) == math.inf
    assert standing(candidate(4, timed(value), beside), LATENCY) == math.inf
    assert not is_tie(unmeasured, measured, LATENCY)
    assert is_tie(unmeasured, candidate(5, {}, beside), LATENCY)
    assert standing(candidate(6, timed(1.0), {}), LATENCY) == math.inf


def test_an_advantage_inside_the_noise_dominates_nobody() -> None:
    beside = timed(2.0)
    fast, slow = candidate(2, timed(1.00, 0.1), beside), candidate(3, timed(1.05, 0.1), beside)

    assert not dominates(fast, slow, (LATENCY,))
    assert front((slow, fast), (LATENCY,)) == (fast, slow)


def test_an_advantage_beyond_the_noise_dominates_unless_something_else_is_worse() -> None:
    beside = {**timed(2.0), ACCURACY: (0.99, None)}
    fast = candidate(2, {**timed(1.0, 0.01), ACCURACY: (0.97, 0.02)}, beside)
    slow = candidate(3, {**timed(1.5, 0.01), ACCURACY: (0.98, 0.02)}, beside)

    assert dominates(fast, slow, (LATENCY,))
    assert not dominates(fast, slow, (LATENCY, ACCURACY))  # worse there, if only by chance
    assert front((fast, slow), (LATENCY, ACCURACY)) == (fast, slow)
