"""Residual networks: ResNet-18's size, stages, and the image that they see."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.support.architectures import dataset, planned
from winnow_trainer.architectures import Model, count_parameters
from winnow_trainer.architectures.resnet import BasicBlock, Resize, ResNet
from winnow_trainer.data.dataset import ImageShape, Layout

DIGITS = dataset(64, image=ImageShape(8, 8, 1, Layout.HWC), classes=10)
RESNET_18 = {"width": 64, "stem": "large", "resize": 64}


def body_of(**given: Any) -> ResNet:
    body = Model(planned("ResNet", DIGITS, **given)).body
    assert isinstance(body, ResNet)
    return body


def test_the_full_resnet_18_has_its_parameters() -> None:
    # 11,689,512 with 3 colours and 1000 classes, as published; 10 classes and 1 colour are fewer.
    published = 11_689_512 - 990 * (512 + 1) - 2 * 64 * 7 * 7

    assert count_parameters(planned("ResNet", DIGITS, **RESNET_18)) == published


@pytest.mark.parametrize(
    ("given", "maps"),
    [
        ({"width": 2}, (16, 1, 1)),  # 8x8, halved three times
        ({"width": 2, "resize": 32}, (16, 4, 4)),
        ({"width": 2, "resize": 32, "stem": "large"}, (16, 1, 1)),
        ({"channels": "3-5", "resize": 9}, (5, 5, 5)),
        ({"width": 2, "blocks": "1-2-1"}, (8, 2, 2)),
        ({"width": 2, "depth": 0}, (16, 1, 1)),
    ],
)
def test_stages_halve_the_image_from_the_second_on(
    given: dict[str, Any], maps: tuple[int, int, int]
) -> None:
    body = body_of(**given).eval()

    assert body.stages(body.stem(body.resize(torch.randn(2, 1, 8, 8)))).shape == (2, *maps)


def test_blocks_are_counted_as_the_settings_say() -> None:
    body = body_of(width=2, blocks="1-3-2")

    counts = [sum(isinstance(m, BasicBlock) for m in stage.modules()) for stage in body.stages]

    assert counts == [1, 3, 2]


def test_what_a_block_makes_is_added_to_what_came_in() -> None:
    block = BasicBlock({"norm": "none", "activation": "relu"}, 3, 3, 1).eval()
    torch.nn.init.zeros_(block.conv2.weight)
    assert block.conv2.bias is not None
    torch.nn.init.zeros_(block.conv2.bias)
    maps = torch.rand(2, 3, 4, 4)

    assert torch.equal(block(maps), maps)


def test_resizing_is_a_module_of_the_model_and_keeps_each_pixel_in_its_place() -> None:
    torch.manual_seed(0)
    images = torch.rand(3, 1, 8, 8)

    large = Resize(64)(images)

    assert large.shape == (3, 1, 64, 64)
    # Half a small pixel beside the centre of each old one, and so nearly of its value.
    assert large[:, :, 3::8, 3::8].sub(images).abs().max() < 2 / 16
    torch.testing.assert_close(large.mean(), images.mean(), atol=0.02, rtol=0)
