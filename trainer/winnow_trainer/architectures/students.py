"""Smaller networks of the same family, and which layer of theirs comes from which of the teacher's.

A student keeps evenly spaced layers, the first always (DistilBERT, arXiv 1910.01108), and a share
of the width of each (weight selection, arXiv 2311.18823).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from winnow_contract.assignments import Value
from winnow_contract.models.setting import RESNET
from winnow_contract.models.settings import (
    SETTINGS,
    SettingError,
    SettingValue,
    check_together,
    settings_of,
)
from winnow_trainer.architectures.description import Architecture, net_of
from winnow_trainer.architectures.layers import listed, whole
from winnow_trainer.architectures.model import Model, outline
from winnow_trainer.architectures.parts import Part, parts_of
from winnow_trainer.architectures.resnet import channels_of_stages
from winnow_trainer.architectures.sizes import sizes_of
from winnow_trainer.architectures.smaller_nets import smaller_net
from winnow_trainer.architectures.transformer import head_size

MULTIPLE = 8
"""Widths are rounded to multiples of this, which is what vector instructions work on."""
Changes = Mapping[str, SettingValue]


def student_of(architecture: Architecture, width: float, depth: float) -> Architecture:
    """A network of the same family with a share of the width and of the layers.

    Widths are rounded to multiples of eight, the number of layers to a whole one, both at least
    one. Of a teacher that was cut, what is scaled are the sizes that it really has.

    Args:
        architecture: the teacher's.
        width: share of the units, channels or numbers of a token, above 0 up to 1.
        depth: share of the hidden layers, blocks of each stage or encoders, above 0 up to 1; of a
            searched CNN, of its stages.

    Raises:
        SettingError: if a share is out of range.
    """
    for name, share in (("width", width), ("depth", depth)):
        if not 0 < share <= 1:
            raise SettingError(
                f"student.{name} is {share:g}, allowed are shares above 0 and up to 1"
            )
    if width == depth == 1 and not architecture.sizes:
        return architecture
    net = net_of(architecture.settings)
    if net is not None:
        student = smaller_net(
            architecture,
            net,
            scale=lambda size: _scaled(size, width),
            keep=lambda count: evenly(count, _fewer(count, depth)),
        )
        settings = {**architecture.settings, "architecture": student.text}
        return replace(architecture, settings=settings, sizes={})
    changes = _CHANGES[architecture.family](architecture, width, depth)
    return replace(architecture, settings={**architecture.settings, **changes}, sizes={})


def student_with(architecture: Architecture, given: Mapping[str, Value]) -> Architecture:
    """A network of the same family with some settings of its own.

    Args:
        architecture: the teacher's.
        given: settings that shape the model, by name; the others stay the teacher's.

    Raises:
        SettingError: if a setting is not one of the family, does not shape the model, or has a
            value that is not allowed; or if two do not go together.
    """
    family = architecture.family
    known = {s.name: s for s in settings_of(family) if s.name in architecture.settings}
    for name in given:
        if name not in known:
            raise SettingError(
                f"setting {name!r} does not shape a {family}, allowed for a student: "
                f"{', '.join(known)}"
            )
    net = net_of(architecture.settings)
    hidden = sorted(net.replaces & given.keys()) if net and "architecture" not in given else []
    if hidden:
        raise SettingError(
            f"setting {hidden[0]} has no say in the searched net {net.text if net else ''!r}, which "
            "names its layers itself: give architecture"
        )
    changes = {name: known[name].parse(value) for name, value in given.items()}
    lists = dict(_lists_anew(architecture, changes))
    settings = {**architecture.settings, **changes, **lists}
    check_together(settings)
    return replace(architecture, settings=settings, sizes={})


def layer_map(teacher: Architecture, student: Architecture) -> list[tuple[str, str]]:
    """Which module of the teacher each module of the student starts from: (student's, teacher's).

    The names are those of `Model.named_modules()`, of modules with parameters alone, in the order
    of the student. The two of a pair are of one kind; their sizes may differ. What has no
    counterpart is left out.

    Raises:
        SettingError: if the two are not of one family and number of stages.
    """
    ours, theirs = outline(student), outline(teacher)
    rows, other_rows = parts_of(ours), parts_of(theirs)
    if teacher.family != student.family or len(rows) != len(other_rows):
        raise SettingError(
            f"a {student.family} of {len(rows)} parts cannot start from a {teacher.family} of "
            f"{len(other_rows)}: both must be of one family, and a ResNet of as many stages"
        )
    parts = [
        (part, other_row[place])
        for row, other_row in zip(rows, other_rows, strict=True)
        for part, place in zip(row, evenly(len(other_row), len(row)), strict=False)
    ]
    return [pair for part, other in parts for pair in _pairs((ours, part), (theirs, other))]


def evenly(count: int, kept: int) -> list[int]:
    """The places of a row's layers that are kept: evenly spaced, the first always among them."""
    return [place * count // kept for place in range(kept)] if count else []


def _pairs(mine: tuple[Model, Part], other: tuple[Model, Part]) -> Iterator[tuple[str, str]]:
    (model, part), (other_model, other_part) = mine, other
    for role, name in part.items():
        other_name = other_part.get(role)
        if other_name is None:
            continue
        if type(model.get_submodule(name)) is type(other_model.get_submodule(other_name)):
            yield name, other_name


def _lists_anew(
    architecture: Architecture, changes: Changes
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Lists of the teacher that would hide the width or depth which a student is given."""
    old, is_resnet = architecture.settings, architecture.family == RESNET
    has_width, has_depth = "width" in changes, "depth" in changes
    for name, growth in (("widths", 1), ("channels", 2)):
        sizes = () if name in changes else listed(old, name)
        if sizes and (has_width or (has_depth and not is_resnet)):
            count = whole(changes, "depth") if has_depth and not is_resnet else len(sizes)
            first = whole(changes, "width") if has_width else sizes[0]
            yield name, tuple(first * growth**place for place in range(count))
    if has_depth and "blocks" not in changes and (blocks := listed(old, "blocks")):
        depth = whole(changes, "depth")
        yield "blocks", (depth,) * len(blocks) if depth else ()


def _scaled(size: int, share: float) -> int:
    wanted = size * share
    if share == 1 or wanted < MULTIPLE:
        return max(1, round(wanted))
    return min(size, MULTIPLE * round(wanted / MULTIPLE))


def _fewer(count: int, share: float) -> int:
    return max(min(count, 1), round(count * share))


def _kept_sizes(architecture: Architecture, width: float, depth: float) -> tuple[int, ...]:
    model = outline(architecture)
    sizes, (hidden, _) = sizes_of(model), parts_of(model)
    outputs = [sizes[part["0"]][0] for part in hidden]
    places = evenly(len(outputs), _fewer(len(outputs), depth))
    return tuple(_scaled(outputs[place], width) for place in places)


def _smaller_mlp(architecture: Architecture, width: float, depth: float) -> Changes:
    kept = _kept_sizes(architecture, width, depth)
    return {"widths": kept, "depth": len(kept)}


def _smaller_cnn(architecture: Architecture, width: float, depth: float) -> Changes:
    kept = _kept_sizes(architecture, width, depth)
    return {"channels": kept, "depth": len(kept)}


def _smaller_resnet(architecture: Architecture, width: float, depth: float) -> Changes:
    model = outline(architecture)
    sizes, (_, *stages, _) = sizes_of(model), parts_of(model)
    channels = list(channels_of_stages(architecture.settings))
    for place, stage in enumerate(stages):
        if "0.conv2" in stage[0]:
            channels[place] = sizes[stage[0]["0.conv2"]][0]
    blocks = tuple(_fewer(len(stage), depth) for stage in stages if "0.conv2" in stage[0])
    return {"channels": tuple(_scaled(size, width) for size in channels), "blocks": blocks}


def _smaller_transformer(architecture: Architecture, width: float, depth: float) -> Changes:
    model, settings = outline(architecture), architecture.settings
    sizes, (_, layers, _) = sizes_of(model), parts_of(model)
    before = sizes["body.positions"][2]
    after = _scaled(before, width)
    # Heads stay as large as they were, so that they can be taken over whole.
    head = head_size(whole(settings, "width"), whole(settings, "heads"))
    changes = {
        "width": after,
        "heads": -(-after // min(head, after)),
        "depth": _fewer(len(layers), depth),
    }
    if not architecture.sizes or not layers:
        return changes
    hidden = max(sizes[layer["0.expand"]][0] for layer in layers)
    ratio = min(hidden / before, SETTINGS["feedforward"].maximum)
    return {**changes, "feedforward": ratio}


_CHANGES: Mapping[str, Callable[[Architecture, float, float], Changes]] = {
    "MLP": _smaller_mlp,
    "CNN": _smaller_cnn,
    "ResNet": _smaller_resnet,
    "Transformer": _smaller_transformer,
}
