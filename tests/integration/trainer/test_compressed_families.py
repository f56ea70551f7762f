"""Networks of every family, pruned and distilled for real: they shrink, and they recover."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from tests.support.compression import source, step, workshop
from tests.support.proofs import proofs
from winnow_contract.models.settings import FAMILIES
from winnow_trainer.architectures import Model, sizes_of
from winnow_trainer.compress.distilling.distil import distil
from winnow_trainer.compress.pruning.importance import prunable_weights
from winnow_trainer.compress.pruning.prune import prune

HALF = {"width": "0.5", "depth": "1"}


def options(kind: str, **given: Any) -> dict[str, Any]:
    return step(kind, **{"epochs": 3, "learningRate": "0.005", **given})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scope", ["Global", *proofs("Layer")])
def test_neurons_are_cut_and_the_model_recovers(family: str, scope: str) -> None:
    shop = workshop(family)
    start = source(family, shop)

    made = prune(start, options("prune", amount="0.5", scope=scope), shop)

    before, after = sizes_of(start.model), sizes_of(made.model)
    assert all(sum(after[name]) <= sum(before[name]) for name in before)
    assert made.model.parameter_count < 0.6 * start.model.parameter_count
    assert made.report["amount"] == pytest.approx(0.5, abs=0.02)
    assert made.report["after_accuracy"] > max(0.5, made.report["before_accuracy"] - 0.1)
    assert made.report["after_accuracy"] == shop.quality(made.model)[0]
    assert made.claims == {"smallerThanParent": True, "masked": False}
    assert json.loads(json.dumps(made.report)) == made.report


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_become_zero_and_nothing_shrinks(family: str) -> None:
    shop = workshop(family)
    start = source(family, shop)

    made = prune(start, options("prune", unit="Weight", amount="0.7"), shop)

    zeros = sum(int((weight == 0).sum()) for weight in prunable_weights(made.model).values())
    total = sum(weight.numel() for weight in prunable_weights(made.model).values())
    assert zeros / total == pytest.approx(0.7, abs=1e-3)
    assert sizes_of(made.model) == sizes_of(start.model)
    assert made.architecture == start.architecture
    assert made.report["after_accuracy"] > made.report["before_accuracy"] - 0.1
    assert any("Size and speed do not change" in words for words in made.report["sentences"])
    assert made.claims == {"smallerThanParent": False, "masked": True}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_that_inherits_starts_above_a_random_one_and_ends_smaller(family: str) -> None:
    shop = workshop(family)
    teacher = source(family, shop)

    made = distil(teacher, teacher, options("distill", student=HALF), shop)

    report = made.report
    assert report["initial_accuracy"] > report["initial_random_accuracy"] + 0.05
    assert made.model.parameter_count == report["parameters"]["student"]
    assert made.model.parameter_count < 0.6 * teacher.model.parameter_count
    assert report["after_accuracy"] == shop.quality(made.model)[0]
    assert {"twin_accuracy", "teacher_accuracy"} <= set(report)
    assert report["randomLayers"] == []
    assert made.claims == {"smallerThanParent": True, "masked": False}
    assert json.loads(json.dumps(report)) == report
    copy = Model(made.architecture)
    copy.load_state_dict(made.model.state_dict())
    assert torch.equal(copy.eval()(shop.validation.features), made.model(shop.validation.features))
