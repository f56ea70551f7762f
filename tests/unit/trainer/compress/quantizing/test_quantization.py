"""What a quantize step is asked, before anything is exported."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.support.compression import source, step, workshop
from winnow_trainer.architectures import compute_layers
from winnow_trainer.compress.quantizing.quantization import Asked
from winnow_trainer.compress.quantizing.quantize import quantize
from winnow_trainer.compress.quantizing.sensitivity import Limit
from winnow_trainer.compress.workshop import Workshop
from winnow_trainer.errors import TrialError
from winnow_trainer.training import Part

SHOP = workshop("MLP", widths="8")
WORK = source("MLP", SHOP)


def asked(rows: int, shop: Workshop = SHOP) -> Asked:
    options = step("quantize", calibrationRows=rows)
    layers = compute_layers(WORK.model)
    return Asked(WORK.model, layers, options, shop, Limit("accuracy", 1.0, None))


def test_ranges_are_found_on_rows_of_the_training_split_alone() -> None:
    rows = asked(50).calibration_rows()

    own = {tuple(row.tolist()) for row in SHOP.training.features}
    assert len(rows) == 50
    assert all(tuple(row.tolist()) in own for row in rows)
    assert len({tuple(row.tolist()) for row in rows}) == 50


def test_they_are_the_same_each_time_and_others_with_another_seed() -> None:
    one, again = asked(50).calibration_rows(), asked(50).calibration_rows()
    other = asked(50, replace(SHOP, seed=4)).calibration_rows()

    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_more_rows_than_there_are_are_all_of_them() -> None:
    assert len(asked(1_000_000).calibration_rows()) == len(SHOP.training.features)


def test_calibration_without_data_is_refused_with_what_to_do() -> None:
    empty = Part(SHOP.training.features[:0], SHOP.training.targets[:0])

    with pytest.raises(TrialError, match="rows of the training split, which has none") as refusal:
        asked(50, replace(SHOP, training=empty)).calibration_rows()

    assert refusal.value.cause == "NoCalibrationData"


def test_layers_that_the_model_does_not_have_are_refused() -> None:
    with pytest.raises(
        TrialError, match=r"quantize\.layers is Convolution, the model has only Linear"
    ) as refusal:
        quantize(WORK, step("quantize", layers=["Convolution"]), SHOP)

    assert refusal.value.cause == "NotSupported"


def test_layers_are_left_out_in_the_order_of_the_model() -> None:
    assert asked(1).without(("body.1",)) == ("body.4",)
