"""The source as a model on the device: what every chain starts from, and what teaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from winnow_contract.assignments import TrialAssignment
from winnow_contract.models.settings import SettingError, SettingValue
from winnow_trainer.architectures import Architecture, Model
from winnow_trainer.compress.source import DESCRIPTION, WEIGHTS, SourceArtifact
from winnow_trainer.compress.workshop import Work
from winnow_trainer.errors import SourceError, TaskError, TrialError, storage_error
from winnow_trainer.task import Task


@dataclass(frozen=True, slots=True)
class Origin:
    """What all candidates of a pod are made from."""

    source: SourceArtifact
    work: Work
    """The model as it came; no step changes it."""
    settings: Mapping[str, SettingValue]
    """All settings that it was trained with."""


def rebuild(source: SourceArtifact, device: torch.device) -> Origin:
    """Build the source's model and load its weights.

    Raises:
        SourceError: if description or weights are damaged, or do not belong together.
        TaskError: if a setting of its training is not allowed.
        DeniedError, StorageError: if its storage cannot be read.
    """
    architecture = _architecture(source)
    try:
        content = (source.artifact.folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise storage_error(error, f"the {source.name} cannot be read") from error
    try:
        model = Model(architecture)
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise SourceError(
            f"{WEIGHTS} of the {source.name} does not hold the weights of the model in "
            f"{DESCRIPTION}: {_first_words(error)}"
        ) from error
    model = model.to(device).eval()
    return Origin(source, Work(model, architecture), _settings(source.task))


def _architecture(source: SourceArtifact) -> Architecture:
    description: Mapping[str, Any] = source.description
    try:
        return Architecture.from_json(description)
    except (KeyError, TypeError, ValueError, SettingError) as error:
        raise SourceError(
            f"{DESCRIPTION} of the {source.name} does not describe a model that this release "
            f"knows: {type(error).__name__} {_first_words(error)}"
        ) from error


def _settings(task: Task) -> Mapping[str, SettingValue]:
    try:
        return task.settings_for(TrialAssignment("", 0, 0, {}))
    except TrialError as error:
        raise TaskError(f"task.model.settings: {error}") from error


def _first_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[1] if len(lines) > 1 else lines[0] if lines else type(error).__name__)[:200]
