"""What a report is made from. The measuring pod fills it; nothing here is read from anywhere.

Texts come from specs, manifests and pods: they are written into the page as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from winnow_contract.assignments import JobIdentity
from winnow_contract.choosing.goals import Goal
from winnow_contract.choosing.selection import Choice
from winnow_contract.manifests import Values

__all__ = ["Entry", "ReportInput", "Values"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate: what was done, what came out."""

    number: int
    """Number of its Trial; the baseline's is that of `ReportInput.baseline`."""
    name: str
    steps: tuple[Mapping[str, Any], ...] = ()
    """Resolved steps of its manifest, each `{"quantize": {...}}`; a key `report` beside it, as
    the manifest has it, holds numbers and sentences of what the step did."""
    outcome: str = "Succeeded"
    """Succeeded or Failed."""
    cause: str = ""
    message: str = ""
    """Why it failed, as a sentence."""
    values: Values = field(default_factory=dict)
    """Measured on the validation split and in the serving runtime, by key."""
    baseline: Values = field(default_factory=dict)
    """The same of the baseline in the same round; of the baseline itself, its own values."""
    test: Values = field(default_factory=dict)
    """On the test split; shown for the selected candidate and the baseline only."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What was claimed and checked, as the manifest has it."""
    lineage: tuple[Mapping[str, Any], ...] = ()
    """Whole lineage as the manifest has it, from the source on: `{kind, digest, uri?}`."""
    uri: str = ""
    """Where its artifact lies."""
    digest: str = ""
    """sha256 of its manifest in hex, with or without `sha256:` before it."""
    round: int = 1


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything that stands in a report."""

    job: JobIdentity
    created_at: str
    """When it was measured, RFC 3339. An argument: the same input gives the same bytes."""
    source_uri: str
    source_digest: str
    quality: str
    """The first quality metric, such as `accuracy`."""
    entries: tuple[Entry, ...]
    """The baseline and all candidates, the failed ones too, in any order."""
    choice: Choice
    goals: tuple[Goal, ...] = ()
    prefer: tuple[str, ...] = ()
    """Keys, the most important first."""
    batch_sizes: tuple[int, ...] = (1,)
    threads: int = 1
    repetitions: int = 1
    baseline: int = 1
    """Number of the baseline's Trial."""
    task: Mapping[str, Any] = field(default_factory=dict)
    """The resolved task: model, data, evaluation."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """What measured it, such as `{"CPU": "...", "ONNX Runtime": "1.32.0"}`; shown in this order."""
    validation_rows: int | None = None
    """Rows that the quality was counted on."""
