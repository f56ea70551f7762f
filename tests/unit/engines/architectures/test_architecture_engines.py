"""Evolution and Generative: suggestions follow from the records; they learn; nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.replayed_search import Course, Point, ReplayedSearch, courses
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.architectures import (
    CnnGrammar,
    CnnSpace,
    ListedGrammar,
    MlpGrammar,
    MlpSpace,
)
from winnow_operator.domain.spaces.space import Nets
from winnow_operator.engines import SearchEngine
from winnow_operator.engines.architectures import generative
from winnow_operator.engines.architectures.controller import Recipe
from winnow_operator.engines.architectures.evolution import EvolutionEngine
from winnow_operator.engines.architectures.generative import GenerativeEngine
from winnow_operator.engines.architectures.token_sequences import Writer

MLPS = Nets(MlpGrammar(MlpSpace((1, 2, 3, 4), (8, 16, 32), ("relu", "tanh"), skips=True)))
CNNS = Nets(
    CnnGrammar(CnnSpace(3, (("conv", 3), ("max", 3)), (1, 2), (8, 16), branches=True, skips=True))
)
LISTED = Nets(ListedGrammar(["64-32-16", "32-64", "16-64-32"]))

ENGINES: dict[str, Callable[..., SearchEngine]] = {
    "Evolution": EvolutionEngine,
    "Generative": GenerativeEngine,
    "without predictor": lambda *args, **more: GenerativeEngine(*args, predictor=False, **more),
}


@pytest.fixture(autouse=True, scope="module")
def _few_proposals() -> Iterator[None]:
    """Fewer nets to choose from, which is all that takes time here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generative, "PROPOSALS", 12)
        yield


def _cost(point: Point) -> float:
    """Low for wide nets with tanh."""
    text = str(point["architecture"])
    return 10.0 - text.count("32") - text.count("tanh")


def _search(make: Callable[..., SearchEngine], nets: Nets, **more: Any) -> ReplayedSearch:
    return ReplayedSearch(lambda: make(nets, 7, **more), _cost)


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=2)
@given(before=st.sampled_from((9, 18)), course=courses(3, 5))
def test_a_rebuilt_engine_suggests_what_the_living_one_does(
    name: str, before: int, course: Course
) -> None:
    search = _search(ENGINES[name], CNNS)
    search.run(before, parallel=3)
    search.go_on(course)


def test_a_rebuilt_network_has_learnt_the_same() -> None:
    search = _search(GenerativeEngine, MLPS)
    search.run(34, parallel=4)
    living, rebuilt = search.engine, search.rebuilt()
    assert isinstance(living, GenerativeEngine)
    assert isinstance(rebuilt, GenerativeEngine)

    assert rebuilt.batches() == living.batches()


@pytest.mark.parametrize("name", ENGINES)
def test_no_net_comes_twice_and_all_come_once(name: str) -> None:
    small = Nets(MlpGrammar(MlpSpace((1, 2), (8, 16, 32), ("relu", "tanh"))))
    search = _search(ENGINES[name], small)
    search.run(60, parallel=2)

    texts = [record.assignment["architecture"] for record in search.records.values()]
    assert len(texts) == len(set(texts)) == small.size == 42
    assert search.suggest() == [None]


@pytest.mark.parametrize("name", ENGINES)
def test_nets_come_again_where_a_trial_has_other_parameters(name: str) -> None:
    search = _search(ENGINES[name], LISTED, repeats=True)
    search.run(30, parallel=2)

    texts = [record.assignment["architecture"] for record in search.records.values()]
    assert len(texts) == 30
    assert set(texts[:3]) == set(texts)


@pytest.mark.parametrize("name", ENGINES)
def test_what_is_suggested_late_is_better_than_what_was_at_first(name: str) -> None:
    search = _search(ENGINES[name], MLPS)
    search.run(52, parallel=4)

    costs = [_cost(search.records[number].assignment) for number in range(1, 53)]
    assert np.mean(costs[40:]) < np.mean(costs[:16]) - 1


def test_what_the_network_writes_gets_better_and_its_entropy_falls() -> None:
    search = _search(GenerativeEngine, MLPS)
    search.run(52, parallel=4)
    assert isinstance(search.engine, GenerativeEngine)
    batches = search.engine.batches()

    assert [batch.known for batch in batches] == list(range(16, 49, 8))
    assert batches[-1].entropy < batches[0].entropy - 1
    first, *_, last = [batch.mean_score for batch in batches if batch.mean_score is not None]
    assert last < first
    assert all(np.isfinite(batch.loss) for batch in batches)


def test_trials_that_fail_teach_it_to_write_others() -> None:
    search = _search(GenerativeEngine, MLPS, predictor=False)
    for _ in range(60):
        point = search.suggest()[0]
        assert point is not None
        has_narrow = "8" in str(point["architecture"])
        search.end(len(search.records), Outcome.FAILED if has_narrow else Outcome.SUCCEEDED)

    outcomes = [search.records[number].outcome for number in range(1, 61)]
    assert outcomes[44:].count(Outcome.FAILED) < outcomes[:16].count(Outcome.FAILED)


def test_without_any_loss_the_network_goes_on_writing_evenly() -> None:
    search = _search(GenerativeEngine, MLPS, recipe=Recipe(0.0, 0.0, 0.0))
    search.run(20)
    assert isinstance(search.engine, GenerativeEngine)
    network = search.engine._line_for(21).model.network

    assert not network.parameters["output"].any()


def test_a_child_differs_from_its_parent_where_the_grammar_allows_it() -> None:
    writer, source = Writer(CNNS.grammar), np.random.default_rng(0)
    for _ in range(50):
        parent = writer.canonical(writer.draw(source))
        child = writer.changed(parent, source)

        place = next(i for i, (a, b) in enumerate(zip(parent, child, strict=False)) if a != b)
        assert child[:place] == parent[:place]
        assert not any(CNNS.grammar.allowed(child))
