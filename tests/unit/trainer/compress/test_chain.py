"""A chain of steps: order, seeds, claims, and what makes it fail."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.compression import source, workshop
from winnow_contract.metrics_page import MetricsPage
from winnow_contract.program import Stopping
from winnow_contract.steps.chains import resolve_chain
from winnow_trainer.compress.chain import (
    Chained,
    check_steps,
    merged_claims,
    plain,
    run_chain,
    seed_of_step,
)
from winnow_trainer.errors import TrialError
from winnow_trainer.progress import TrialWatch

SHOP = workshop("MLP", widths="16-8")
START = source("MLP", SHOP)


def run(*steps: dict[str, Any], stop: threading.Event | None = None) -> Chained:
    watch = TrialWatch("t", SHOP.metric, MetricsPage(), stop or threading.Event())
    return run_chain(START, resolve_chain(steps), SHOP, watch)


def cut(**options: Any) -> dict[str, Any]:
    return {"prune": {"epochs": 1, **options}}


def test_without_steps_the_source_comes_out_as_it_went_in() -> None:
    chained = run()

    assert chained.work is START
    assert chained.steps == ()
    assert chained.claims == {"smallerThanParent": False, "masked": False}


def test_each_step_takes_over_what_the_one_before_it_made() -> None:
    before = {name: tensor.clone() for name, tensor in START.model.state_dict().items()}

    chained = run(cut(amount="0.25"), {"distill": {"epochs": 1}}, cut(unit="Weight", amount="0.5"))

    first, second, third = (step["report"] for step in chained.steps)
    assert first["parameters"]["after"] == second["parameters"]["student"]
    assert second["parameters"]["student"] == third["parameters"]["before"]
    assert second["parameters"]["teacher"] == START.model.parameter_count
    assert chained.claims == {"smallerThanParent": True, "masked": True}
    assert [list(step) for step in chained.steps] == [
        ["prune", "report"],
        ["distill", "report"],
        ["prune", "report"],
    ]
    assert json.loads(json.dumps(chained.steps)) == list(chained.steps)
    for name, tensor in START.model.state_dict().items():
        assert torch.equal(tensor, before[name]), "the source was changed"


def test_the_same_chain_gives_the_same_weights_and_another_place_another_seed() -> None:
    weights = [run(cut(importance="Random")).work.model.state_dict() for _ in range(2)]

    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert seed_of_step(3, 0) != seed_of_step(3, 1)


@given(st.integers(0, 2**63 - 1), st.integers(0, 7))
def test_a_step_has_a_seed_that_torch_takes(seed: int, index: int) -> None:
    assert 0 <= seed_of_step(seed, index) < 2**63


def test_a_stop_comes_between_steps_too() -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(Stopping):
        run(cut(), stop=stop)


def test_a_step_that_diverges_fails_with_the_epoch() -> None:
    decaying = replace(SHOP, settings={**SHOP.settings, "weight_decay": 10.0})
    steps = resolve_chain([cut(learningRate="10", epochs=30)])
    watch = TrialWatch("t", SHOP.metric, MetricsPage(), threading.Event())

    with pytest.raises(TrialError, match="the training loss is ") as refusal:
        run_chain(START, steps, decaying, watch)

    assert refusal.value.cause == "NaN"


@pytest.mark.parametrize(
    ("steps", "family", "words"),
    [
        ([{"quantize": {}}, {"prune": {}}], "MLP", "prune cannot follow quantize"),
        (
            [{"quantize": {"layers": ["Convolution"]}}],
            "Transformer",
            "quantize.layers is Convolution, family Transformer has no such layers, only Linear",
        ),
        ([{"prune": {"amount": "0.5"}}] * 9, "MLP", "steps has 9 entries, allowed are 1 to 8"),
    ],
)
def test_a_chain_that_makes_no_sense_for_the_family_fails_with_the_reason(
    steps: Sequence[dict[str, Any]], family: str, words: str
) -> None:
    with pytest.raises(TrialError) as refusal:
        check_steps(resolve_chain(steps), family)

    assert words in str(refusal.value)
    assert refusal.value.cause == "NotSupported"


def test_what_was_cut_once_stays_smaller_and_integers_are_claimed_by_the_last_step() -> None:
    cut_claims = {"smallerThanParent": True, "masked": False}
    learnt = {"smallerThanParent": False, "masked": False}
    integers = {"integerLayers": ["Linear"], "excluded": 1, "smallerThanParent": True}

    assert merged_claims([cut_claims, learnt]) == cut_claims
    assert merged_claims([learnt, integers]) == {**integers, "masked": False}


def test_a_report_is_json_whatever_was_measured() -> None:
    report = {"a": math.nan, "b": (1, math.inf), "c": {"d": 0.5, "e": None, "f": "words"}}

    assert plain(report) == {"a": None, "b": [1, None], "c": {"d": 0.5, "e": None, "f": "words"}}
