"""What is said about a model whose layers became integers."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from tests.support.compression import step, workshop
from winnow_trainer.architectures import LayerKind, Model
from winnow_trainer.compress.quantizing.integer_report import integer_report
from winnow_trainer.compress.quantizing.quantization import Asked, Found
from winnow_trainer.compress.quantizing.sensitivity import Limit

LAYERS = {
    "stem": LayerKind.CONVOLUTION,
    "body": LayerKind.CONVOLUTION,
    "head": LayerKind.LINEAR,
}


def outputs(rows: Tensor) -> Tensor:
    return rows


def report(
    *,
    excluded: tuple[str, ...] = (),
    is_allowed: bool = True,
    is_smaller: bool = True,
    start: float = 0.98,
) -> dict[str, Any]:
    model = torch.nn.Identity()
    assert not isinstance(model, Model)
    limit = Limit("accuracy", 0.98, 0.01, start)
    asked = Asked(model, LAYERS, step("quantize"), workshop("MLP"), limit)  # type: ignore[arg-type] # no report looks at it
    damages = {"stem": 0.1, "body": 0.3, "head": 0.0} if excluded else {}
    found = Found(outputs, b"", excluded, is_allowed, 0.9, damages, {"attempts": 2}, ("More.",))
    return integer_report(asked, found, ((0.98, 0.01), (0.975, 0.011)), is_smaller=is_smaller)


def test_it_says_what_became_integer_and_what_it_cost() -> None:
    made = report()

    what = (
        "2 of 2 Convolution and 1 of 1 Linear layers compute in integers: weights of 7 bits with a "
        "scale for each output channel, activations of 8 bits. The eighth bit of a weight would "
        "overflow on processors without VNNI instructions."
    )
    assert made["sentences"] == [
        what,
        "accuracy was 0.98 in 32 bits and is 0.975 in integers.",
        "More.",
    ]
    figures = {key: made[key] for key in ("before_accuracy", "after_accuracy", "standardError")}
    assert figures == {"before_accuracy": 0.98, "after_accuracy": 0.975, "standardError": 0.011}
    assert made["layers"][0] == {"layer": "stem", "kind": "Convolution", "integer": True}
    assert json.loads(json.dumps(made)) == made


def test_layers_that_were_left_out_are_named_with_the_reason() -> None:
    made = report(excluded=("body",))

    assert made["excluded"] == ["body"]
    assert made["layers"][1] == {
        "layer": "body",
        "kind": "Convolution",
        "integer": False,
        "damage": 0.3,
    }
    assert made["sentences"][0].startswith("1 of 2 Convolution and 1 of 1 Linear layers")
    assert made["sentences"][-1] == (
        "body stay in 32 bits, because they move the outputs most: with all layers in integers "
        "accuracy was 0.9, 0.08 worse than the source's, and 0.01 is allowed."
    )


def test_a_limit_that_the_steps_before_have_missed_is_said() -> None:
    assert report(is_allowed=False, start=0.96)["sentences"][-1] == (
        "In 32 bits the model had lost 0.02 already, and 0.01 is allowed: no choice of layers could "
        "mend that, so none was made."
    )


def test_a_limit_that_cannot_be_kept_and_a_file_that_did_not_shrink_are_said() -> None:
    *_, limit, size = report(excluded=("body",), is_allowed=False, is_smaller=False)["sentences"]

    assert limit == (
        "No choice of layers loses as little as 0.01: what lost least is kept, and the goals decide."
    )
    assert size.startswith("The file is no smaller for it")
