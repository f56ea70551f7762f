"""The engine that writes chains: recipes first, no chain twice, the same again after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from winnow_operator.api.compressionjob import AutoAlgorithm
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.compressions.chain_space import (
    chain_key,
    chain_of,
    chain_space,
    recipes,
)
from winnow_operator.engines import ChainEngine, Record
from winnow_operator.engines.chains import key_of

ALL = frozenset({"quantize", "prune", "distill"})
FIRST = 2


def engine(algorithm: AutoAlgorithm = AutoAlgorithm.TPE, **changes: Any) -> ChainEngine:
    given: dict[str, Any] = {"kinds": ALL, "family": "CNN", "seed": 5, **changes}
    return ChainEngine(algorithm=algorithm, **given)


def run(searching: ChainEngine, count: int) -> list[Record]:
    """Suggest one after the other, each with a figure that smaller cuts make worse."""
    made = []
    for number in range(FIRST, FIRST + count):
        point = searching.suggest(number)
        assert point is not None
        record = Record(number, point, Outcome.SUCCEEDED, -float(str(point.get("cut", 0))))
        searching.observe(record)
        made.append(record)
    return made


@pytest.mark.parametrize("algorithm", AutoAlgorithm)
def test_no_chain_is_written_twice(algorithm: AutoAlgorithm) -> None:
    keys = [key_of(record.assignment) for record in run(engine(algorithm), 20)]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("algorithm", AutoAlgorithm)
def test_recipes_come_first(algorithm: AutoAlgorithm) -> None:
    known = recipes("CNN", chain_space(ALL))

    assert [r.assignment for r in run(engine(algorithm), len(known))] == known


def test_a_chain_that_the_user_has_named_is_not_written() -> None:
    named = chain_key(chain_of(recipes("CNN", chain_space(ALL))[0]))

    assert named not in {key_of(r.assignment) for r in run(engine(named={named}), 12)}


@pytest.mark.parametrize("algorithm", AutoAlgorithm)
def test_an_engine_that_is_made_anew_from_the_records_suggests_the_same(
    algorithm: AutoAlgorithm,
) -> None:
    lived = engine(algorithm)
    records = run(lived, 11)
    again = engine(algorithm)
    for record in records:
        again.observe(record)

    number = FIRST + len(records)
    assert again.suggest(number) == lived.suggest(number)


def test_a_suggestion_that_is_asked_for_again_is_the_same() -> None:
    searching = engine()
    run(searching, 10)

    assert searching.suggest(12) == searching.suggest(12)


@pytest.mark.parametrize("algorithm", AutoAlgorithm)
def test_when_all_chains_are_written_there_is_none_left(algorithm: AutoAlgorithm) -> None:
    searching = engine(algorithm, kinds=frozenset({"quantize"}), family="MLP")

    assert len(run(searching, 3)) == 3
    assert searching.suggest(FIRST + 3) is None


def test_only_allowed_kinds_of_steps_are_written() -> None:
    chains = [chain_of(r.assignment) for r in run(engine(kinds=frozenset({"prune"})), 6)]

    assert {kind for chain in chains for step in chain for kind in step} == {"prune"}
