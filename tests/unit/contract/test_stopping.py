"""When a trial is stopped: properties of the rules."""

from __future__ import annotations

import math
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.documents import Entries
from winnow_contract.errors import AssignmentsError
from winnow_contract.stopping import ASHA, MEDIAN, StoppingRule, judge, read_rule, rule_document

SCORES = st.floats(-10, 10) | st.just(math.nan)
RULES = st.builds(
    StoppingRule,
    st.sampled_from([ASHA, MEDIAN]),
    minimum=st.integers(1, 9),
    eta=st.integers(2, 4),
    min_trials=st.integers(1, 6),
)


@st.composite
def ladders(draw: st.DrawFn, rule: StoppingRule) -> dict[int, dict[int, float]]:
    """Trials, each with scores at the first rungs, as many as it has reached."""
    rungs = rule.rungs(rule.minimum * rule.eta**3)
    made: dict[int, dict[int, float]] = {}
    for number in range(1, draw(st.integers(1, 12)) + 1):
        reached = rungs[: draw(st.integers(1, len(rungs)))]
        made[number] = {rung: draw(SCORES) for rung in reached}
    return made


@given(st.data(), RULES)
def test_the_best_at_a_rung_always_goes_on(data: st.DataObject, rule: StoppingRule) -> None:
    known = data.draw(ladders(rule))
    first = rule.minimum
    finite = [n for n, rungs in known.items() if math.isfinite(rungs[first])]
    best = min(finite, key=lambda n: known[n][first], default=1)

    assert not judge(rule, first, best, known).stops or not finite


@given(st.data(), RULES)
def test_nothing_is_stopped_where_too_few_have_been(
    data: st.DataObject, rule: StoppingRule
) -> None:
    known = data.draw(ladders(rule))
    for rung in rule.rungs(rule.minimum * rule.eta**3):
        there = [n for n, rungs in known.items() if rung in rungs]
        stopped = [n for n in there if judge(rule, rung, n, known).stops]

        assert not stopped or len(there) >= rule.min_trials


@given(st.data(), RULES)
def test_asha_lets_as_many_go_on_as_it_says(data: st.DataObject, rule: StoppingRule) -> None:
    known = data.draw(ladders(rule))
    scores = [math.inf if math.isnan(r[rule.minimum]) else r[rule.minimum] for r in known.values()]
    if rule.algorithm == MEDIAN or len(set(scores)) < len(scores) or len(known) < rule.min_trials:
        return

    on = [n for n in known if not judge(rule, rule.minimum, n, known).stops]

    assert len(on) == max(1, len(known) // rule.eta)


@given(st.data(), RULES)
def test_the_order_of_the_others_does_not_matter(data: st.DataObject, rule: StoppingRule) -> None:
    known = data.draw(ladders(rule))
    turned = dict(reversed(known.items()))

    assert all(
        judge(rule, rung, n, known) == judge(rule, rung, n, turned)
        for n, rungs in known.items()
        for rung in rungs
    )


@given(st.data(), st.integers(2, 20))
def test_the_median_is_a_median_of_means_and_not_a_mean(data: st.DataObject, count: int) -> None:
    rule = StoppingRule(MEDIAN, minimum=1, eta=2, min_trials=2)
    finite = st.floats(-10, 10)
    known = {n: {1: data.draw(finite), 2: data.draw(finite)} for n in range(count)}

    verdict = judge(rule, 2, 0, known)

    middle = median(fmean(known[n].values()) for n in range(1, count))
    assert verdict.stops == (min(known[0].values()) > middle)


def test_what_is_no_number_is_worst_and_never_part_of_a_median() -> None:
    known = {1: {1: 0.5}, 2: {1: math.nan}, 3: {1: 0.4}, 4: {1: 0.6}}

    asha = StoppingRule(ASHA, eta=2)
    assert [judge(asha, 1, n, known).stops for n in known] == [False, True, False, True]
    by_median = StoppingRule(MEDIAN)
    assert [judge(by_median, 1, n, known).stops for n in known] == [False, True, False, True]


@pytest.mark.parametrize(
    ("end", "rungs"), [(math.inf, 20), (1, 0), (2, 1), (9, 2), (10, 3), (27, 3), (28, 4)]
)
def test_a_trial_has_the_rungs_below_its_own_end(end: float, rungs: int) -> None:
    rule = StoppingRule(ASHA)

    assert rule.rungs(end) == tuple(3**k for k in range(rungs))


def test_a_jump_passes_several_rungs_once() -> None:
    rule = StoppingRule(ASHA, minimum=2, eta=2)

    assert [rule.passed(0, 1), rule.passed(1, 9), rule.passed(9, 16), rule.passed(16, 16)] == [
        (),
        (2, 4, 8),
        (16,),
        (),
    ]


def test_why_is_said_in_words() -> None:
    known = {n: {3: n / 10} for n in range(1, 7)}

    stopped = judge(StoppingRule(ASHA, minimum=3), 3, 5, known)
    assert stopped.reason == "ASHA at 3 epochs: place 5 of 6, of which the best 2 go on"
    few = judge(StoppingRule(MEDIAN, minimum=3, min_trials=9), 3, 5, known)
    assert few.reason == "Median at 3 epochs: 6 trials have reached it, and 9 must"


@given(RULES)
def test_a_rule_is_read_as_it_was_written(rule: StoppingRule) -> None:
    assert read_rule(Entries(rule_document(rule), "file")) == rule


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"algorithm": "Best"}, "'algorithm' is 'Best', allowed: ASHA, Median"),
        ({"resource": "Hours"}, "'resource' is 'Hours', allowed: Epochs, Steps"),
        ({"eta": 1}, "'eta' is 1, it must be at least 2"),
    ],
)
def test_what_is_no_rule_is_refused(change: dict[str, object], words: str) -> None:
    document = {**rule_document(StoppingRule(ASHA)), **change}

    with pytest.raises(AssignmentsError, match=words):
        read_rule(Entries(document, "file"))
