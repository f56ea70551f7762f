"""A step that has done nothing is found out by what torch can see."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.support.compression import source, step, workshop
from winnow_trainer.architectures import Model
from winnow_trainer.compress.changes import check_change, check_integers
from winnow_trainer.compress.distilling.distil import distil
from winnow_trainer.compress.pruning.prune import prune
from winnow_trainer.errors import TrialError

SHOP = workshop("MLP", widths="16-8")
START = source("MLP", SHOP)


def changed(after: Model, kind: str, **options: Any) -> None:
    check_change(START.model, after, kind, step(kind, **options))


def masked(share: float) -> Model:
    model = copy.deepcopy(START.model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(torch.rand(parameter.shape) >= share)
    return model


def test_a_mask_that_is_sold_as_a_cut_is_refused() -> None:
    with pytest.raises(TrialError, match="prune changed nothing: the model has ") as refusal:
        changed(masked(0.5), "prune", unit="Neuron")

    assert refusal.value.cause == "NothingChanged"


def test_a_mask_without_a_hole_is_refused() -> None:
    with pytest.raises(TrialError, match=r"0\.0% of the weights are zero, as before"):
        changed(masked(0), "prune", unit="Weight")

    changed(masked(0.5), "prune", unit="Weight")


def test_a_student_that_is_its_teacher_is_refused() -> None:
    with pytest.raises(TrialError, match="the student has 1091 parameters, its teacher 1091"):
        changed(START.model, "distill", student={"width": "0.5"})


def test_a_model_that_has_learnt_nothing_is_refused_although_statistics_moved() -> None:
    with pytest.raises(TrialError, match="every parameter of the model is as before"):
        changed(copy.deepcopy(START.model), "distill")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("prune", {"unit": "Neuron", "epochs": 1}),
        ("prune", {"unit": "Weight", "epochs": 1}),
        ("distill", {"epochs": 1}),
        ("distill", {"epochs": 1, "student": {"width": "0.5"}}),
    ],
)
def test_what_the_steps_really_do_is_a_change(kind: str, options: dict[str, Any]) -> None:
    resolved = step(kind, **options)

    made = prune(START, resolved, SHOP) if kind == "prune" else distil(START, START, resolved, SHOP)

    check_change(START.model, made.model, kind, resolved)


def graph(*weights: np.ndarray[Any, Any]) -> bytes:
    """A graph of nothing but tensors."""
    tensors = [onnx.numpy_helper.from_array(w, f"w{place}") for place, w in enumerate(weights)]
    made = onnx.helper.make_graph([], "g", [], [], tensors)
    return bytes(onnx.helper.make_model(made).SerializeToString())


def test_a_quantizer_that_keeps_32_bits_is_refused() -> None:
    scale = np.ones(3, np.int8)  # a vector of integers is no weight

    with pytest.raises(TrialError, match="none of the 2 weight tensors of the graph has 8 bits"):
        check_integers(graph(np.ones((3, 3), np.float32), np.ones((2, 3), np.float32), scale))

    check_integers(graph(np.ones((3, 3), np.float32), np.ones((2, 3), np.int8)))
