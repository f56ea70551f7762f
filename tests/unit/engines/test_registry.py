"""Which engine a spec asks for, how many trials it can make, and where randomness comes from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import spec_of
from winnow_operator.api.algorithms import ARCHITECTURES_ONLY, AlgorithmName
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import job_seed, make_engine, planned_trials, trial_seed
from winnow_operator.engines.architectures.evolution import EvolutionEngine
from winnow_operator.engines.architectures.generative import GenerativeEngine
from winnow_operator.engines.cmaes import CmaesEngine
from winnow_operator.engines.grid import GridEngine
from winnow_operator.engines.nsgaii import NsgaiiEngine
from winnow_operator.engines.qmc import QmcEngine
from winnow_operator.engines.sampling import RandomEngine
from winnow_operator.engines.seeds import derived
from winnow_operator.engines.tpe import TpeEngine

FINITE = {"parameters": [{"name": "x", "int": {"min": 1, "max": 100}}]}
NETS = {"architecture": {"nets": ["64-32-16", "32-64", "16-64-32"]}}
ENDLESS = {"parameters": [{"name": "x", "double": {"min": "0", "max": "1", "points": 5}}]}


@pytest.mark.parametrize(
    ("name", "kind", "adaptive"),
    [
        ("Grid", GridEngine, False),
        ("Random", RandomEngine, False),
        ("QMC", QmcEngine, False),
        ("TPE", TpeEngine, True),
        ("CMAES", CmaesEngine, True),
        ("NSGAII", NsgaiiEngine, True),
        ("Evolution", EvolutionEngine, True),
        ("Generative", GenerativeEngine, True),
    ],
)
def test_a_spec_names_its_engine(name: str, kind: type, *, adaptive: bool) -> None:
    space = NETS if AlgorithmName(name) in ARCHITECTURES_ONLY else FINITE
    spec = spec_of({"algorithm": {"name": name}, "space": space})

    engine = make_engine(spec, parse_space(spec.space))

    assert isinstance(engine, kind)
    assert engine.adaptive is adaptive


@pytest.mark.parametrize(
    ("algorithm", "space", "limit", "planned"),
    [
        ("Random", FINITE, 10, 10),
        ("Random", FINITE, 1000, 100),
        ("TPE", FINITE, 1000, 100),
        ("TPE", ENDLESS, 1000, 1000),
        ("Grid", FINITE, None, 100),
        ("Grid", FINITE, 27, 27),
        ("Grid", ENDLESS, None, 5),
        ("Grid", ENDLESS, 1000, 5),
        ("Random", ENDLESS, None, 0),
    ],
)
def test_the_budget_and_the_space_limit_the_trials(
    algorithm: str, space: dict[str, Any], limit: int | None, planned: int
) -> None:
    spec = spec_of(
        {"algorithm": {"name": algorithm}, "space": space, "budget": {"maxTrials": limit}}
    )

    assert planned_trials(spec, parse_space(spec.space)) == planned


def test_a_job_without_a_seed_is_the_same_search_each_time() -> None:
    spec = spec_of({"algorithm": {"name": "Random"}})
    space = parse_space(spec.space)

    first, second = (make_engine(spec, space).suggest(1) for _ in range(2))

    assert job_seed(spec) == 0
    assert first == second


def test_random_numbers_are_the_same_on_every_machine() -> None:
    assert derived(7, "tpe", 3, 0) == 4023735297440621076
    assert trial_seed(7, 42) == 211370609


@given(st.integers(0, 2**31 - 1), st.integers(1, 99_999))
def test_a_trial_gets_a_seed_that_every_framework_takes(seed: int, number: int) -> None:
    assert 0 <= trial_seed(seed, number) < 2**31
