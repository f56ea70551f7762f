"""A choice follows from recorded measurements alone, and says what it followed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.measured_models import (
    BASELINE,
    BATCH_SIZES,
    CANDIDATES,
    GOALS,
    PREFER,
    VALUES,
    measured,
)
from winnow_contract.choosing.goals import Goal, parse_goals
from winnow_contract.choosing.pareto import Candidate, dominates, front, is_tie
from winnow_contract.choosing.selection import Choice, choose, of_baseline
from winnow_contract.manifests import Values
from winnow_contract.measuring.metrics import Bound

BY_NAME = {c.name: c for c in CANDIDATES}


def goals(*documents: Mapping[str, object]) -> tuple[Goal, ...]:
    return parse_goals(documents, BATCH_SIZES)


def chosen(
    *candidates: Candidate, prefer: Sequence[str] = PREFER, by: tuple[Goal, ...] = GOALS
) -> Choice:
    return choose(BASELINE, candidates, goals=by, prefer=prefer)


def candidate(number: int, name: str, values: Values, beside: Values | None = None) -> Candidate:
    return Candidate(number, name, values, BASELINE.values if beside is None else beside)


def changed(name: str, number: int = 20, **values: tuple[float, float | None]) -> Candidate:
    """A copy of a known candidate with some figures changed (`_at_` stands for `@`)."""
    new = {key.replace("_at_", "@"): value for key, value in values.items()}
    return candidate(number, f"other-{number}", {**VALUES[name], **new})


def test_the_fastest_that_meets_the_goals_is_selected_with_the_figures_that_decided() -> None:
    choice = chosen(*CANDIDATES)

    assert (choice.number, choice.name, choice.goals_met) == (4, "half-int8", True)
    assert choice.reason == (
        "half-int8 is selected: of 3 candidates that meet all goals it has the best "
        "latency_p95_seconds at batch size 1 (180 µs, 0.0723 of the baseline's)."
    )
    assert choice.front == (2, 4)
    assert choice.closest is None


def test_every_goal_of_every_candidate_has_a_verdict_in_words() -> None:
    verdicts = chosen(*CANDIDATES).verdicts

    assert set(verdicts) == {1, *(c.number for c in CANDIDATES)}
    drop, speedup = verdicts[BY_NAME["quarter-student"].number]
    assert not drop.met
    assert drop.sentence == (
        "accuracy is worse by 0.0174, allowed is a drop of 0.015, missed by 0.0024, which is "
        "inside the noise (2 standard errors are 0.0207)"
    )
    assert speedup.met
    assert speedup.sentence.startswith("latency_p95_seconds at batch size 1 is 19.2x as fast")


def test_nothing_meets_the_goals_so_the_baseline_is_kept_and_the_closest_is_named() -> None:
    asked = goals(
        {"metric": "accuracy", "maxDrop": "0.001"},
        {"metric": "latency_p95_seconds", "minSpeedup": "6"},
    )

    choice = chosen(*CANDIDATES, by=asked)

    assert (choice.number, choice.name, choice.goals_met) == (1, "baseline", False)
    assert choice.closest is not None
    assert choice.closest.name == "int8"
    assert choice.closest.failing.goal == asked[1]
    assert choice.closest.failing.miss == pytest.approx(1 - 249 / 47 / 6)
    assert choice.reason == (
        "None of the 6 candidates meets all goals, so the baseline is kept. int8 came closest: "
        "latency_p95_seconds at batch size 1 is 5.3x as fast, asked is 6x, missed by 0.7x."
    )


def test_a_single_miss_is_closer_than_two_that_are_hardly_smaller() -> None:
    asked = goals(
        {"metric": "latency_p95_seconds", "maxRatio": "0.1"},
        {"metric": "size_bytes", "maxRatio": "0.1"},
    )
    base = {"latency_p95_seconds@1": (1.0, None), "size_bytes": (1.0, None)}
    one, two = (
        Candidate(n, name, {"latency_p95_seconds@1": (x, None), "size_bytes": (y, None)}, base)
        for n, name, x, y in ((3, "one", 0.121, 0.05), (2, "two", 0.12, 0.12))
    )

    choice = choose(of_baseline(1, "baseline", base), (one, two), goals=asked, prefer=())

    assert choice.closest is not None
    assert choice.closest.name == "one"


def test_the_baseline_is_a_candidate_that_can_be_the_only_one_to_meet_the_goals() -> None:
    choice = chosen(BY_NAME["half"], by=goals({"metric": "accuracy", "maxDrop": "0.001"}))

    assert (choice.name, choice.goals_met) == ("baseline", True)
    assert choice.reason == (
        "the baseline is selected: it is the only one that meets all goals. half came closest: "
        "accuracy is worse by 0.0069, allowed is a drop of 0.001, missed by 0.0059, which is "
        "inside the noise (2 standard errors are 0.0170)."
    )
    assert choice.closest is not None
    assert choice.closest.name == "half"


def test_without_goals_every_candidate_will_do() -> None:
    choice = chosen(*CANDIDATES, by=())

    assert choice.name == "student-int8"
    assert choice.goals_met
    assert choice.reason.startswith("student-int8 is selected: of 7 candidates it is at least as")


def test_a_difference_inside_the_noise_is_a_tie_and_the_tie_break_is_said() -> None:
    rival = changed("half-int8", latency_p95_seconds_at_1=(0.178e-3, 3e-6), size_bytes=(9e6, None))

    choice = chosen(BY_NAME["half-int8"], rival)

    assert choice.name == "half-int8"
    assert choice.reason == (
        "half-int8 is selected: of 2 candidates that meet all goals it is among the best in "
        "latency_p95_seconds at batch size 1. In latency_p95_seconds at batch size 1 it and "
        "other-20 lie within the noise of the best (2 combined standard errors), so the better "
        "size_bytes (2.8Mi, 0.0652 of the baseline's) decided."
    )


def test_a_difference_beyond_the_noise_is_none() -> None:
    rival = changed("half-int8", latency_p95_seconds_at_1=(0.150e-3, 3e-6), size_bytes=(9e6, None))

    assert chosen(BY_NAME["half-int8"], rival).name == rival.name


def test_equal_preferences_leave_the_choice_to_the_metrics_of_the_goals() -> None:
    worse = candidate(20, "less-accurate", {**VALUES["int8"], "accuracy": (0.98, 0.001)})
    better = candidate(21, "accurate", {**VALUES["int8"], "accuracy": (0.99, 0.001)})

    assert chosen(worse, better).name == "accurate"


def test_what_is_equal_in_everything_is_decided_by_the_number() -> None:
    twins = (candidate(21, "late", VALUES["int8"]), candidate(20, "early", VALUES["int8"]))

    choice = chosen(*twins)

    assert choice.name == "early"
    assert choice.reason.endswith("so the one with the lowest number was taken.")


def test_the_smaller_of_two_that_differ_in_nothing_that_was_asked_for_is_taken() -> None:
    # A little slower, but inside the noise: that is no reason to take the larger file.
    small = changed("int8", size_bytes=(1e6, None), latency_p95_seconds_at_1=(0.471e-3, 5e-6))

    choice = choose(
        BASELINE, (BY_NAME["int8"], small), goals=GOALS, prefer=("latency_p95_seconds@1",)
    )

    assert choice.name == small.name


def test_candidates_of_two_rounds_are_compared_by_their_ratio_to_the_baseline_of_each() -> None:
    slow_machine = {
        key: (value * 2 if "seconds" in key else value, error)
        for key, (value, error) in BASELINE.values.items()
    }
    # Slower in seconds, since the whole machine was; faster beside its own baseline.
    late = candidate(30, "late", measured(0.9861, 0.30e-3, 2_920_000), slow_machine)

    choice = chosen(BY_NAME["half-int8"], late)

    assert choice.name == "late"
    assert choice.verdicts[30][1].observed == pytest.approx(2 * 2.49 / 0.30)


def test_a_metric_that_was_not_measured_misses_its_goal() -> None:
    values = {k: v for k, v in VALUES["int8"].items() if not k.startswith("latency")}

    choice = chosen(candidate(20, "half-measured", values))

    assert choice.name == "baseline"
    assert choice.closest is None
    assert "was not measured" in choice.verdicts[20][1].sentence


def test_without_any_candidate_the_baseline_is_kept() -> None:
    choice = chosen()

    assert (choice.name, choice.goals_met) == ("baseline", False)
    assert choice.reason.startswith("No candidate could be measured")


def test_bounds_are_exact_in_decimal() -> None:
    base = of_baseline(1, "baseline", {"accuracy": (0.99, None)})
    same = Candidate(2, "just", {"accuracy": (0.98, None)}, base.values)
    asked = goals({"metric": "accuracy", "maxDrop": "0.01"})

    choice = choose(base, [same], goals=asked, prefer=())

    assert choice.verdicts[2][0].met
    assert 0.99 - 0.98 > 0.01  # what plain floating point would have said


@pytest.mark.parametrize(
    ("document", "met", "words"),
    [
        ({"metric": "size_bytes", "maxRatio": "0.3"}, True, "0.253 of the baseline's"),
        ({"metric": "size_bytes", "maxRatio": "0.25"}, False, "missed by 0.00319"),
        ({"metric": "size_bytes", "max": "12000000"}, True, "allowed is at most 12000000 bytes"),
        ({"metric": "accuracy", "min": "0.995"}, False, "asked is at least 0.995"),
        ({"metric": "accuracy", "max": "1"}, True, "accuracy is 0.9930"),
        (
            {"metric": "throughput_rows_per_second", "batchSize": 64, "minSpeedup": "5"},
            True,
            "5.3x as fast",
        ),
        (
            {"metric": "latency_p95_seconds", "batchSize": 64, "maxRatio": "0.1"},
            False,
            "latency_p95_seconds at batch size 64 is 0.189 of the baseline's",
        ),
        (
            {"metric": "latency_p95_seconds", "maxDrop": "0.001"},
            True,
            "latency_p95_seconds at batch size 1 is better by 2.02 ms",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_each_kind_of_bound_is_judged_in_its_own_words(
    document: dict[str, object],
    met: bool,  # noqa: FBT001 - a column of the table
    words: str,
) -> None:
    verdict = chosen(BY_NAME["int8"], by=goals(document)).verdicts[2][0]

    assert verdict.met is met
    assert words in verdict.sentence


def test_a_choice_cannot_be_given_test_values() -> None:
    assert {field.name for field in fields(Candidate)} == {
        "number",
        "name",
        "values",
        "baseline",
        "is_baseline",
    }


# Properties. Few distinct values, so that ties, dominance and equal figures happen often.

_KEYS = ("accuracy", "latency_p95_seconds@1", "size_bytes", "memory_bytes")
_LEVELS = {
    "accuracy": (0.90, 0.95, 0.98, 0.99, 1.0),
    "latency_p95_seconds@1": (1e-4, 2e-4, 2.1e-4, 5e-4, 1e-3),
    "size_bytes": (1e3, 1e4, 1e5, 1e6),
    "memory_bytes": (1e6, 1.1e6, 2e6),
}
_ERRORS = {
    "accuracy": (None, 0.0, 0.005, 0.02),
    "latency_p95_seconds@1": (None, 1e-6, 5e-5),
    "size_bytes": (None,),
    "memory_bytes": (None, 1e5),
}


def _values(*, complete: bool) -> st.SearchStrategy[Values]:
    each = {k: st.tuples(st.sampled_from(_LEVELS[k]), st.sampled_from(_ERRORS[k])) for k in _KEYS}
    if complete:
        return st.fixed_dictionaries(each)
    return st.fixed_dictionaries({}, optional=each)


_ROUNDS = st.lists(_values(complete=True), min_size=1, max_size=3)


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[Candidate, tuple[Candidate, ...]]:
    rounds = draw(_ROUNDS)
    numbers = draw(st.lists(st.integers(2, 40), unique=True, max_size=7))
    others = tuple(
        Candidate(n, f"c{n}", draw(_values(complete=False)), draw(st.sampled_from(rounds)))
        for n in numbers
    )
    return of_baseline(1, "baseline", rounds[0]), others


_LIMITS = {
    Bound.MAX_DROP: (0.0, 0.005, 0.02, 0.1),
    Bound.MIN_SPEEDUP: (1.0, 1.5, 4.0),
    Bound.MAX_RATIO: (0.1, 0.5, 1.0),
}
_GOALS = st.lists(
    st.one_of(
        st.builds(
            Goal,
            st.just("accuracy"),
            st.just(Bound.MAX_DROP),
            st.sampled_from(_LIMITS[Bound.MAX_DROP]),
        ),
        st.builds(
            Goal,
            st.just("latency_p95_seconds"),
            st.just(Bound.MIN_SPEEDUP),
            st.sampled_from(_LIMITS[Bound.MIN_SPEEDUP]),
            st.just(1),
        ),
        st.builds(
            Goal,
            st.sampled_from(("size_bytes", "memory_bytes")),
            st.just(Bound.MAX_RATIO),
            st.sampled_from(_LIMITS[Bound.MAX_RATIO]),
        ),
    ),
    max_size=3,
).map(tuple)
_PREFER = st.lists(st.sampled_from(_KEYS), unique=True, max_size=4).map(tuple)

_World = tuple[Candidate, tuple[Candidate, ...]]


@given(_worlds(), _GOALS, _PREFER, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...], random: object
) -> None:
    baseline, others = world
    shuffled = list(others)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert choose(baseline, others, goals=asked, prefer=prefer) == choose(
        baseline, shuffled, goals=asked, prefer=prefer
    )


@given(_worlds(), _GOALS, _PREFER)
def test_what_is_selected_meets_all_goals_or_is_the_baseline(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world

    choice = choose(baseline, others, goals=asked, prefer=prefer)

    met = {n for n, verdicts in choice.verdicts.items() if all(v.met for v in verdicts)}
    assert choice.goals_met is bool(met)
    assert choice.number in met if met else choice.number == baseline.number
    if met:
        assert choice.number in choice.front
        assert set(choice.front) <= met


@given(_worlds(), _GOALS, _PREFER)
def test_no_other_that_meets_the_goals_is_better_beyond_the_noise_without_being_worse(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world
    keys = (*prefer, *(goal.key for goal in asked))

    choice = choose(baseline, others, goals=asked, prefer=prefer)

    everyone = {c.number: c for c in (baseline, *others)}
    for number, verdicts in choice.verdicts.items():
        if choice.goals_met and all(v.met for v in verdicts):
            assert not dominates(everyone[number], everyone[choice.number], keys)


@given(_worlds(), _GOALS, _PREFER)
def test_nothing_that_meets_the_goals_is_better_in_the_first_preference_beyond_the_noise(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world
    choice = choose(baseline, others, goals=asked, prefer=prefer)
    everyone = {c.number: c for c in (baseline, *others)}
    if not choice.goals_met or not prefer:
        return

    kept = [everyone[number] for number in choice.front]
    best = min(kept, key=lambda c: (_standing(c, prefer[0]), c.number))

    assert is_tie(everyone[choice.number], best, prefer[0])


def _standing(candidate: Candidate, key: str) -> float:
    """Lower is better, worked out a second time and more simply than the choice does."""
    value = candidate.values.get(key, (math.nan, None))[0]
    if math.isnan(value):
        return math.inf
    if key == "accuracy":
        return -value
    return value if key == "size_bytes" else value / candidate.baseline[key][0]


@given(_worlds(), _GOALS, _GOALS, _PREFER)
def test_tighter_goals_never_select_what_misses_them(
    world: _World, loose: tuple[Goal, ...], more: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world
    first = choose(baseline, others, goals=loose, prefer=prefer)

    second = choose(baseline, others, goals=(*loose, *more), prefer=prefer)

    if second.goals_met:
        assert first.goals_met
        assert all(v.met for v in second.verdicts[second.number])
        assert all(v.met for v in first.verdicts[second.number])


@given(_worlds(), _GOALS, _PREFER)
def test_choosing_again_gives_the_same_even_without_those_that_miss_a_goal(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world
    first = choose(baseline, others, goals=asked, prefer=prefer)

    again = choose(baseline, others, goals=asked, prefer=prefer)
    able = [c for c in others if all(v.met for v in first.verdicts[c.number])]
    narrowed = choose(baseline, able, goals=asked, prefer=prefer)

    assert again == first
    assert (narrowed.number, narrowed.goals_met) == (first.number, first.goals_met)


@given(_worlds(), _GOALS, _PREFER)
def test_the_closest_is_not_further_from_the_goals_than_any_other(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world
    choice = choose(baseline, others, goals=asked, prefer=prefer)
    if choice.closest is None:
        return

    def distance(number: int) -> float:
        return sum(v.miss for v in choice.verdicts[number])

    assert choice.number == baseline.number
    assert not choice.closest.failing.met
    assert choice.closest.failing in choice.verdicts[choice.closest.number]
    assert all(distance(choice.closest.number) <= distance(c.number) for c in others)


@given(_worlds(), _PREFER)
def test_somebody_is_always_on_the_front_and_nobody_dominates_himself(
    world: _World, keys: tuple[str, ...]
) -> None:
    baseline, others = world
    everyone = (baseline, *others)

    assert front(everyone, keys)
    assert not any(dominates(c, c, keys) for c in everyone)


@given(_worlds(), _GOALS, _PREFER)
def test_a_reason_is_one_to_three_sentences_that_fit_into_a_condition(
    world: _World, asked: tuple[Goal, ...], prefer: tuple[str, ...]
) -> None:
    baseline, others = world

    reason = choose(baseline, others, goals=asked, prefer=prefer).reason

    assert reason.endswith(".")
    assert reason.count(". ") <= 2
    assert len(reason) <= 1024


def test_a_candidate_from_another_round_still_beats_the_baseline() -> None:
    late = replace(BY_NAME["half-int8"], baseline=measured(0.9930, 2.6e-3, 44_761_000))

    assert chosen(late).name == "half-int8"
