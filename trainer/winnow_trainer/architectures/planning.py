"""From a family, its settings and a data set to an architecture, or to a sentence why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from winnow_contract.models.settings import IMAGE_FAMILIES, SettingError, SettingValue
from winnow_trainer.architectures.description import ARCHITECTURE_SETTINGS, Architecture
from winnow_trainer.data.dataset import Dataset, ImageShape, Layout
from winnow_trainer.task import DataKind


def plan(family: str, settings: Mapping[str, SettingValue], dataset: Dataset) -> Architecture:
    """The architecture of a family with these settings for this data.

    Raises:
        SettingError: if the family does not fit the data.
    """
    is_classified = dataset.kind is DataKind.CLASSIFICATION
    return Architecture(
        family=family,
        settings={n: v for n, v in settings.items() if n in ARCHITECTURE_SETTINGS},
        row_shape=dataset.row_shape,
        outputs=len(dataset.classes) if is_classified else 1,
        kind=dataset.kind,
        image=_image(family, settings.get("shape", ()), dataset),
    )


def _image(family: str, shape: SettingValue, dataset: Dataset) -> ImageShape | None:
    if shape:
        return _given_image(cast("tuple[int, ...]", shape), dataset)
    if dataset.image is None and family in IMAGE_FAMILIES:
        raise SettingError(
            f"family {family} needs images, the data has rows of {dataset.row_size} numbers: use "
            "family MLP, or say in setting shape (as 28x28x1) what image a row holds"
        )
    return dataset.image


def _given_image(sizes: tuple[int, ...], dataset: Dataset) -> ImageShape:
    text = "x".join(str(size) for size in sizes)
    if len(sizes) != len(("height", "width", "channels")):
        raise SettingError(f"setting shape is {text!r}, allowed: HEIGHTxWIDTHxCHANNELS")
    height, width, channels = sizes
    given = ImageShape(height, width, channels, Layout.HWC)
    if dataset.image is not None and dataset.image.text != given.text:
        raise SettingError(
            f"setting shape is {given.text}, the data has images of {dataset.image.text}"
        )
    if given.size != dataset.row_size:
        raise SettingError(
            f"setting shape is {given.text} ({given.size} numbers), the data has rows of "
            f"{dataset.row_size} numbers"
        )
    return dataset.image or given
