"""TPE: a suggestion depends on the spec, its number and the known history, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.spaces import choice, double, finite_spaces, integer, space_of
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines import Record
from winnow_operator.engines.tpe import TpeEngine

MIXED = space_of(
    double("rate", min="0.0001", max="0.1", scale="Log"),
    double("dropout", min="0", max="0.55", step="0.1"),
    integer("width", min=8, max=512, scale="Log"),
    integer("depth", min=1, max=6, step=2),
    choice("activation", "relu", "gelu", "tanh"),
    choice("optimizer", "adam"),
)
SMALL = space_of(integer("a", min=1, max=5), choice("b", "x", "y", "z"))
LISTS = space_of(
    double("x", values=["0.1", "0.5", "1e-5"]), integer("y", min=1, max=40, scale="Log")
)
SPACES = {"mixed": MIXED, "small": SMALL, "lists": LISTS}


def _rebuilt(space: Space, records: Mapping[int, Record]) -> TpeEngine:
    engine = TpeEngine(space, 7)
    for number in sorted(records):
        engine.observe(records[number])
    return engine


def _score(point: Mapping[str, Value]) -> float:
    return sum(_number(value) for value in point.values())


def _number(value: Value) -> float:
    return float(len(value)) if isinstance(value, str) else float(value)


def _ended(record: Record, kind: str) -> Record:
    outcomes = {"good": Outcome.SUCCEEDED, "cut": Outcome.STOPPED}
    outcome = outcomes.get(kind, Outcome.FAILED if kind == "bad" else Outcome.STOPPED)
    score = _score(record.assignment) if kind in outcomes else None
    rung = 1 + record.number % 3 if kind == "cut" else 0
    return Record(record.number, record.assignment, outcome, score, stopped_at=rung)


# A search as a list of steps: how many to suggest next, and which of the active ones end how.
_steps = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.lists(
            st.tuples(
                st.integers(0, 7), st.sampled_from(("good", "good", "good", "bad", "cut", "stop"))
            ),
            max_size=5,
        ),
    ),
    min_size=3,
    max_size=5,
)


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=examples(0.3))
@given(before=st.sampled_from((0, 11)), steps=_steps)
def test_a_rebuilt_engine_suggests_what_the_living_one_does(
    name: str, before: int, steps: list[tuple[int, list[tuple[int, str]]]]
) -> None:
    space = SPACES[name]
    living, records = _searched(space, before)
    for count, ends in steps:
        rebuilt = _rebuilt(space, records)
        for number in range(len(records) + 1, len(records) + 1 + count):
            point = living.suggest(number)
            assert point == rebuilt.suggest(number)
            if point is None:
                return
            records[number] = Record(number, point, Outcome.ACTIVE)
        for pick, kind in ends:
            active = [r for r in records.values() if r.outcome is Outcome.ACTIVE]
            if active:
                ended = _ended(active[pick % len(active)], kind)
                records[ended.number] = ended
                living.observe(ended)


def _searched(
    space: Space, trials: int, *, parallel: int = 1
) -> tuple[TpeEngine, dict[int, Record]]:
    """An engine that lived through a search, and what became of its trials."""
    engine, records, active = TpeEngine(space, 7), dict[int, Record](), list[int]()
    for number in range(1, trials + 1):
        point = engine.suggest(number)
        if point is None:
            break
        records[number] = Record(number, point, Outcome.ACTIVE)
        active.append(number)
        if len(active) >= parallel:
            first = active.pop(0)
            records[first] = _ended(records[first], "good")
            engine.observe(records[first])
    return engine, records


def test_each_suggestion_follows_from_the_history_that_its_trial_names() -> None:
    engine, records, histories = TpeEngine(MIXED, 7), dict[int, Record](), dict[int, set[int]]()
    for number in range(1, 46):
        point = engine.suggest(number)
        assert point is not None
        records[number] = Record(number, point, Outcome.ACTIVE)
        histories[number] = {n for n, r in records.items() if r.outcome is not Outcome.ACTIVE}
        if number > 4:  # they end out of order
            ended = _ended(records[number - 1 - number % 3], "bad" if number % 7 == 0 else "good")
            if records[ended.number].outcome is Outcome.ACTIVE:
                records[ended.number] = ended
                engine.observe(ended)

    for number in range(20, 46, 5):
        fresh = TpeEngine(MIXED, 7)
        for n in range(1, number):
            r = records[n]
            known = n in histories[number]
            fresh.observe(r if known else Record(n, r.assignment, Outcome.ACTIVE))
        assert fresh.suggest(number) == records[number].assignment


def test_the_same_search_twice_gives_the_same_points() -> None:
    assert _searched(MIXED, 18, parallel=3)[1] == _searched(MIXED, 18, parallel=3)[1]


def test_what_is_known_changes_what_is_suggested() -> None:
    _, records = _searched(MIXED, 20)
    worse = {n: Record(n, r.assignment, r.outcome, -(r.score or 0)) for n, r in records.items()}

    assert _rebuilt(MIXED, records).suggest(21) != _rebuilt(MIXED, worse).suggest(21)


def test_active_trials_with_a_higher_number_do_not_change_a_suggestion() -> None:
    _, records = _searched(MIXED, 20)
    before = _rebuilt(MIXED, records).suggest(21)
    later = {**records, 25: Record(25, records[1].assignment, Outcome.ACTIVE)}

    assert _rebuilt(MIXED, later).suggest(21) == before


def test_a_suggestion_that_was_not_recorded_is_forgotten_when_asked_for_again() -> None:
    _, records = _searched(SMALL, 8)
    engine = _rebuilt(SMALL, records)
    first = engine.suggest(9)

    assert engine.suggest(9) == first
    assert engine.suggest(10) == _next_of(SMALL, records, 9)


def _next_of(
    space: Space, records: Mapping[int, Record], number: int
) -> Mapping[str, Value] | None:
    engine = _rebuilt(space, records)
    engine.suggest(number)
    return engine.suggest(number + 1)


@settings(max_examples=examples(0.4))
@given(space=finite_spaces.filter(lambda s: (s.size or 0) <= 30))
def test_a_finite_space_is_exhausted_exactly_at_its_size(space: Space) -> None:
    engine, size = TpeEngine(space, 3), space.size or 0
    texts = set()
    for number in range(1, size + 1):
        point = engine.suggest(number)
        assert point is not None
        texts.add(space.canonical(point))
        engine.observe(Record(number, point, Outcome.SUCCEEDED, float(number % 7)))

    assert len(texts) == size
    assert engine.suggest(size + 1) is None


def test_it_finds_better_points_than_it_started_with() -> None:
    space = space_of(double("x", min="-5", max="5"), double("y", min="-5", max="5"))
    engine, scores = TpeEngine(space, 1), list[float]()
    for number in range(1, 61):
        point = engine.suggest(number)
        assert point is not None
        scores.append(float(point["x"]) ** 2 + float(point["y"]) ** 2)
        engine.observe(Record(number, point, Outcome.SUCCEEDED, scores[-1]))

    assert sum(scores[40:]) / 20 < sum(scores[:10]) / 10 / 2


def test_an_outcome_is_taken_once() -> None:
    _, records = _searched(MIXED, 15)
    engine = _rebuilt(MIXED, records)
    for record in records.values():
        engine.observe(Record(record.number, record.assignment, Outcome.FAILED))

    assert engine.suggest(16) == _rebuilt(MIXED, records).suggest(16)


@pytest.mark.parametrize("low", ["0.000000000001", "1e-90"])
def test_very_small_numbers_stay_inside_their_range(low: str) -> None:
    space = space_of(double("x", min=low, max="1e-8", scale="Log"))

    for record in _searched(space, 16)[1].values():
        assert float(low) <= float(record.assignment["x"]) <= 1e-8


def test_a_trial_that_was_stopped_early_is_worse_than_those_that_ran_on_whatever_its_value() -> (
    None
):
    line = space_of(double("x", min="0", max="1"))
    engine = TpeEngine(line, 7)
    for number in range(1, 31):
        x = number / 31
        cut = {"outcome": Outcome.STOPPED, "score": -9.0, "stopped_at": 1}
        ran = {"outcome": Outcome.SUCCEEDED, "score": x}
        ended: dict[str, Any] = cut if x < 0.5 else ran
        engine.observe(Record(number, {"x": x}, **ended))

    points = [engine.suggest(number) for number in range(31, 41)]

    assert sum(float(point["x"]) >= 0.45 for point in points if point is not None) >= 8
