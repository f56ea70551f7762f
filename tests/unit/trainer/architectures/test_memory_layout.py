"""How images lie in memory inside of a ResNet."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.support.architectures import dataset, planned
from winnow_trainer.architectures import Model
from winnow_trainer.data.dataset import ImageShape, Layout


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("resize", [0, 12])
def test_a_strided_shortcut_reads_channels_first_so_that_its_backward_pass_is_safe(
    channels: int, resize: int
) -> None:
    # With channels last and few channels oneDNN writes beyond a buffer, which may end the process.
    image = ImageShape(6, 6, channels, Layout.HWC)
    architecture = planned(
        "ResNet", dataset(image.size, image=image), channels="4-6", blocks="1-1", resize=resize
    )
    model = Model(architecture)
    shortcut = model.get_submodule("body.stages.1.0.shortcut.0")
    assert isinstance(shortcut, nn.Conv2d)
    seen: list[tuple[int, ...]] = []
    shortcut.register_forward_pre_hook(lambda _, given: seen.append(given[0].stride()))

    model(torch.randn(5, image.size)).sum().backward()

    ((_, over_channels, over_lines, over_columns),) = seen
    assert over_channels > over_lines > over_columns == 1
