"""The space of chains: every point a chain that can run or none, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.steps.chains import check_candidate_name, check_chain, resolve_chain
from winnow_operator.domain.compressions.chain_space import (
    can_run,
    canonical,
    chain_key,
    chain_name,
    chain_of,
    chain_space,
    point_of,
    recipes,
)

ALL = frozenset({"quantize", "prune", "distill"})
KINDS = st.sets(st.sampled_from(sorted(ALL)), min_size=1)
FAMILIES = ("MLP", "CNN", "ResNet", "Transformer", "")
POINTS = st.integers(0, (chain_space(ALL).size or 0) - 1).map(chain_space(ALL).at)


@given(POINTS)
def test_a_recorded_chain_reads_back_to_its_one_canonical_point(point: dict[str, str]) -> None:
    steps = chain_of(point)
    recorded = resolve_chain(steps, max_drop=0.01) if steps else ()

    assert point_of(recorded, chain_space(ALL)) == canonical(point)
    assert chain_of(canonical(point)) == steps


@given(POINTS, st.sampled_from(FAMILIES))
def test_the_order_of_a_chain_makes_sense(point: dict[str, str], family: str) -> None:
    steps = chain_of(point)

    assert not steps or check_chain(steps, family) == []


@given(POINTS)
def test_the_name_of_a_chain_is_allowed_and_its_own(point: dict[str, str]) -> None:
    name = chain_name(point, 7, ()) or "baseline"
    other = chain_name(point, 8, {name})

    assert name == "baseline" or check_candidate_name(name) == []
    assert other != name
    assert len(other) <= 40


@given(KINDS, st.sampled_from(FAMILIES))
def test_recipes_are_points_of_the_space_that_can_run(kinds: set[str], family: str) -> None:
    space = chain_space(kinds)

    for point in recipes(family, space):
        assert can_run(chain_of(point), family)
        assert point_of(chain_of(point), space) == point
        assert {kind for step in chain_of(point) for kind in step} <= kinds


def test_recipes_begin_with_what_is_known_to_be_good_for_the_family() -> None:
    first = [chain_name(p, 1, ()) for p in recipes("ResNet", chain_space(ALL))[:3]]

    assert first == ["int8", "cut50-qat", "cut75-distill-int8"]
    assert chain_name(recipes("Transformer", chain_space(ALL))[0], 1, ()) == "dyn8"


def test_what_a_step_may_lose_makes_no_other_chain() -> None:
    steps: list[dict[str, dict[str, str]]] = [{"quantize": {}}]

    assert chain_key(resolve_chain(steps, max_drop=0.02)) == chain_key(steps)


@pytest.mark.parametrize("steps", [[], [{"distill": {}}], [{"distill": {}}, {"quantize": {}}]])
def test_a_chain_that_does_not_make_the_model_smaller_before_it_learns_is_not_written(
    steps: list[dict[str, object]],
) -> None:
    assert not can_run(steps, "MLP")


def test_a_chain_that_the_space_does_not_have_is_no_point() -> None:
    assert point_of([{"prune": {"amount": "0.41"}}], chain_space(ALL)) is None
    assert point_of([{"prune": {"unit": "Weight"}}], chain_space(ALL)) is None
    assert point_of([{"prune": {}}], chain_space({"quantize"})) is None
