"""When a trial is stopped: properties of the rules."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from winnow_contract.documents import Entries
from winnow_contract.errors import AssignmentsError
from winnow_contract.rungscores import Rungs, RungScores, mean_up_to, median_with
from winnow_contract.stopping import (
    ASHA,
    MEDIAN,
    StoppingRule,
    Verdict,
    judge,
    read_rule,
    rule_document,
)

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


def judged(
    rule: StoppingRule,
    rung: int,
    trial: int,
    known: Mapping[int, Rungs],
    ended: Collection[int] = (),
) -> Verdict:
    """The verdict on one of several trials, some of which have ended."""
    recorded = RungScores()
    for number in ended:
        recorded.add(known[number])
    others = [rungs for n, rungs in known.items() if n != trial and n not in ended]
    return judge(rule, rung, known[trial], others, recorded)


@given(st.data(), RULES)
def test_the_best_at_a_rung_always_goes_on(data: st.DataObject, rule: StoppingRule) -> None:
    known = data.draw(ladders(rule))
    first = rule.minimum
    finite = [n for n, rungs in known.items() if math.isfinite(rungs[first])]
    best = min(finite, key=lambda n: known[n][first], default=1)

    assert not judged(rule, first, best, known).stops or not finite


@given(st.data(), RULES)
def test_nothing_is_stopped_where_too_few_have_been(
    data: st.DataObject, rule: StoppingRule
) -> None:
    known = data.draw(ladders(rule))
    for rung in rule.rungs(rule.minimum * rule.eta**3):
        there = [n for n, rungs in known.items() if rung in rungs]
        stopped = [n for n in there if judged(rule, rung, n, known).stops]

        assert not stopped or len(there) >= rule.min_trials


@given(st.data(), RULES)
def test_asha_lets_as_many_go_on_as_it_says(data: st.DataObject, rule: StoppingRule) -> None:
    known = data.draw(ladders(rule))
    scores = [math.inf if math.isnan(r[rule.minimum]) else r[rule.minimum] for r in known.values()]
    if rule.algorithm == MEDIAN or len(set(scores)) < len(scores) or len(known) < rule.min_trials:
        return

    on = [n for n in known if not judged(rule, rule.minimum, n, known).stops]

    assert len(on) == max(1, len(known) // rule.eta)


@given(st.data(), RULES)
def test_the_order_of_the_others_does_not_matter(data: st.DataObject, rule: StoppingRule) -> None:
    known = data.draw(ladders(rule))
    turned = dict(reversed(known.items()))

    assert all(
        judged(rule, rung, n, known) == judged(rule, rung, n, turned)
        for n, rungs in known.items()
        for rung in rungs
    )


@given(st.data(), RULES)
def test_who_of_the_others_has_ended_does_not_matter(
    data: st.DataObject, rule: StoppingRule
) -> None:
    known = data.draw(ladders(rule))
    trial = data.draw(st.sampled_from(sorted(known)))
    ended = data.draw(st.sets(st.sampled_from(sorted(known))).map(lambda e: e - {trial}))

    for rung in known[trial]:
        assert judged(rule, rung, trial, known, ended) == judged(rule, rung, trial, known)


@given(st.lists(st.floats(-9, 9)), st.lists(st.floats(-9, 9), min_size=1, max_size=9))
def test_the_median_of_many_and_a_few_is_that_of_all(many: list[float], few: list[float]) -> None:
    assert median_with(sorted(many), few) == median([*many, *few])
    assert median_with(sorted(few), ()) == median(few)


@pytest.mark.parametrize("algorithm", [ASHA, MEDIAN])
def test_a_verdict_among_many_trials_looks_at_few_of_them(algorithm: str) -> None:
    """What a verdict reads of 20,000 recorded trials is counted, not timed."""
    reads = 0

    class Counted(list[float]):
        @override
        def __getitem__(self, place: Any) -> Any:
            nonlocal reads
            found = list.__getitem__(self, place)
            reads += len(found) if isinstance(place, slice) else 1
            return found

        @override
        def __iter__(self) -> Iterator[float]:
            raise AssertionError("goes through all of them")

    recorded = RungScores()
    for n in range(20_000):
        recorded.add({1: n / 20_000})
    counted: dict[int, list[float]] = {1: Counted(recorded.means(1))}
    recorded._scores, recorded._means = counted, counted
    running = [{1: n / 10} for n in range(10)]

    verdict = judge(StoppingRule(algorithm), 1, {1: 0.7}, running, recorded)

    assert verdict.stops
    assert reads < 100


@pytest.mark.parametrize("scores", [(math.inf, -math.inf), (1.7e308, 1.7e308), (math.nan, 1.0)])
def test_what_has_no_mean_is_left_out_of_the_median(scores: tuple[float, float]) -> None:
    assert math.isnan(mean_up_to(2, {1: scores[0], 2: scores[1]}))


@given(st.data(), st.integers(2, 20))
def test_the_median_is_a_median_of_means_and_not_a_mean(data: st.DataObject, count: int) -> None:
    rule = StoppingRule(MEDIAN, minimum=1, eta=2, min_trials=2)
    finite = st.floats(-10, 10)
    known = {n: {1: data.draw(finite), 2: data.draw(finite)} for n in range(count)}

    verdict = judged(rule, 2, 0, known)

    middle = median(fmean(known[n].values()) for n in range(1, count))
    assert verdict.stops == (min(known[0].values()) > middle)


def test_what_is_no_number_is_worst_and_never_part_of_a_median() -> None:
    known = {1: {1: 0.5}, 2: {1: math.nan}, 3: {1: 0.4}, 4: {1: 0.6}}

    asha = StoppingRule(ASHA, eta=2)
    assert [judged(asha, 1, n, known).stops for n in known] == [False, True, False, True]
    by_median = StoppingRule(MEDIAN)
    assert [judged(by_median, 1, n, known).stops for n in known] == [False, True, False, True]


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

    stopped = judged(StoppingRule(ASHA, minimum=3), 3, 5, known)
    assert stopped.reason == "ASHA at 3 epochs: place 5 of 6, of which the best 2 go on"
    few = judged(StoppingRule(MEDIAN, minimum=3, min_trials=9), 3, 5, known)
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
