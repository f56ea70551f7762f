"""What a model is, before its weights: plain data that is written to model.json and read back.

No torch here: whoever only wants to know what a model is can read it without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from winnow_contract.models.nets import Net, read_net
from winnow_contract.models.settings import SETTINGS, SettingValue
from winnow_trainer.data.dataset import ImageShape, Layout
from winnow_trainer.task import DataKind

ARCHITECTURE_SETTINGS = (
    "architecture",
    "depth",
    "width",
    "widths",
    "channels",
    "blocks",
    "stem",
    "resize",
    "kernel",
    "pooling",
    "heads",
    "feedforward",
    "summary",
    "activation",
    "dropout",
    "norm",
)
"""Settings that shape the model; the others shape its training."""

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """Everything that is needed to build a model, before its weights."""

    family: str
    settings: Mapping[str, SettingValue]
    """Those of ARCHITECTURE_SETTINGS that the family has."""
    row_shape: tuple[int, ...]
    outputs: int
    kind: DataKind
    image: ImageShape | None = None
    sizes: Mapping[str, Sizes] = field(default_factory=dict)
    """Of a model that was cut: the real sizes of each module that is not as the settings say
    (`winnow_trainer.architectures.sizes`). Empty for a model that was not."""

    def to_json(self) -> dict[str, Any]:
        """As it stands in model.json; `sizes` only where a model was cut."""
        document: dict[str, Any] = {
            "family": self.family,
            "settings": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in self.settings.items()
            },
            "input": {"shape": list(self.row_shape), "image": _image_to_json(self.image)},
            "outputs": self.outputs,
            "kind": str(self.kind),
        }
        if self.sizes:
            document["sizes"] = {name: list(sizes) for name, sizes in self.sizes.items()}
        return document

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Architecture:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: if it is something else.
        """
        settings = {
            name: SETTINGS[name].parse(_text(value)) for name, value in document["settings"].items()
        }
        return Architecture(
            family=str(document["family"]),
            settings=settings,
            row_shape=_whole(document["input"]["shape"]),
            outputs=int(document["outputs"]),
            kind=DataKind(document["kind"]),
            image=_image_from_json(document["input"]["image"]),
            sizes={str(name): _whole(sizes) for name, sizes in document.get("sizes", {}).items()},
        )


def net_of(settings: Mapping[str, SettingValue]) -> Net | None:
    """The searched net that takes the place of other settings; None if there is none."""
    text = settings.get("architecture")
    return read_net(str(text)) if text else None


def _whole(numbers: Any) -> Sizes:
    return tuple(int(number) for number in numbers)


def _text(value: Any) -> Any:
    return "-".join(str(size) for size in value) if isinstance(value, list) else value


def _image_to_json(image: ImageShape | None) -> dict[str, Any] | None:
    if image is None:
        return None
    return {
        "height": image.height,
        "width": image.width,
        "channels": image.channels,
        "layout": str(image.layout),
    }


def _image_from_json(image: Mapping[str, Any] | None) -> ImageShape | None:
    if image is None:
        return None
    return ImageShape(
        int(image["height"]), int(image["width"]), int(image["channels"]), Layout(image["layout"])
    )
