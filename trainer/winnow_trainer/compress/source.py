"""The artifact that all candidates of a job are made from, opened with every check there is.

No torch here: what cannot be used is refused within a second. Whatever is wrong with a source is
wrong for all candidates, so it ends the job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from winnow_contract.assignments import Assignments, Source
from winnow_contract.manifests import MANIFEST_NAME, Committed, ManifestError, read_artifact
from winnow_contract.models.settings import SETTINGS
from winnow_contract.uris import ClaimUri, parse_claim
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.errors import DataError, SourceError, TaskError, storage_error
from winnow_trainer.splits import Splits
from winnow_trainer.task import Task, read_task

WEIGHTS, DESCRIPTION, GRAPH = "model.safetensors", "model.json", "model.onnx"
PICKLED_SUFFIXES = frozenset({".pt", ".pth", ".pkl", ".pickle", ".bin", ".joblib", ".ckpt"})
PICKLE_STARTS = (b"\x80", b"PK\x03\x04")
"""First bytes of a pickle of protocol 2 or later, and of the zip file that torch.save makes."""
NOTHING_UNPICKLED = (
    "nothing is unpickled, because a pickle runs code: give the folder of an artifact with "
    f"{DESCRIPTION} and {WEIGHTS}, as a SearchJob writes it"
)


@dataclass(frozen=True, slots=True)
class SourceArtifact:
    """A source that is whole and has a task."""

    reference: Source
    artifact: Committed
    description: Mapping[str, Any]
    """Content of model.json."""
    task: Task

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return f"source {self.reference.uri}"

    def promised(self, *keys: str) -> Any:
        """An entry of the manifest's task, by its path; None if there is none."""
        entry: Any = self.artifact.document.get("task")
        for key in keys:
            entry = entry.get(key) if isinstance(entry, dict) else None
        return entry


def open_source(assignments: Assignments, claims: Path) -> SourceArtifact:
    """Open the source of a job and find out what task it was made for.

    Args:
        assignments: with a source.
        claims: folder where claims are mounted by name.

    Raises:
        SourceError: if it is not there, not the one that was meant, damaged, or not a model of
            this trainer.
        TaskError: if neither it nor the assignments have a task that can be used.
        DeniedError, StorageError: if its storage cannot be read.
    """
    if assignments.source is None:
        raise SourceError("the assignment file names no source: a candidate is made from one")
    reference = assignments.source
    try:
        folder = _folder(reference, claims)
        artifact = _artifact(reference, folder)
        description = _description(reference, artifact)
    except OSError as error:
        raise storage_error(error, f"source {reference.uri} cannot be read") from error
    return SourceArtifact(
        reference, artifact, description, _task(assignments, artifact, description)
    )


def _folder(reference: Source, claims: Path) -> Path:
    location = parse_claim(reference.uri)
    if not (claims / location.claim).is_dir():
        mounted = ", ".join(sorted(path.name for path in claims.glob("*"))) or "none"
        raise SourceError(
            f"claim {location.claim!r} of source {reference.uri} is not mounted, mounted: {mounted}"
        )
    folder = location.local(claims)
    if folder.is_file():
        words = NOTHING_UNPICKLED if _is_pickled(folder) else "give the folder of an artifact"
        raise SourceError(f"source {reference.uri} is a file: {words}")
    if not folder.is_dir():
        raise SourceError(
            f"source {reference.uri} is not there: look for its folder on claim {location.claim}"
        )
    return folder


def _artifact(reference: Source, folder: Path) -> Committed:
    if not (folder / MANIFEST_NAME).exists():
        pickled = sorted(path.name for path in folder.iterdir() if _is_pickled(path))
        if pickled:
            raise SourceError(f"source {reference.uri} holds {pickled[0]}: {NOTHING_UNPICKLED}")
    try:
        return read_artifact(folder, reference.digest)
    except ManifestError as error:
        raise SourceError(f"source {reference.uri}: {error}") from error


def _is_pickled(path: Path) -> bool:
    return path.suffix.lower() in PICKLED_SUFFIXES


def _description(reference: Source, artifact: Committed) -> Mapping[str, Any]:
    """Content of model.json, once it is known that there are weights for it."""
    files = {file["path"] for file in artifact.document["files"]}
    if WEIGHTS not in files and GRAPH in files:
        raise SourceError(
            f"source {reference.uri} is a graph without trainable weights, as quantization leaves "
            "it: start from the model that it was made of, which its manifest names under lineage"
        )
    for name in (DESCRIPTION, WEIGHTS):
        if name not in files:
            raise SourceError(
                f"source {reference.uri} has no {name}: only artifacts of the shared trainer can "
                "be compressed"
            )
    with (artifact.folder / WEIGHTS).open("rb") as file:
        if file.read(4).startswith(PICKLE_STARTS):
            raise SourceError(
                f"{WEIGHTS} of source {reference.uri} is a pickled file by another name: "
                f"{NOTHING_UNPICKLED}"
            )
    try:
        description = json.loads((artifact.folder / DESCRIPTION).read_bytes())
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{DESCRIPTION} of source {reference.uri} is not JSON: {error}"
        ) from error
    if not isinstance(description, dict):
        raise SourceError(f"{DESCRIPTION} of source {reference.uri} is not an object")
    return description


def _task(assignments: Assignments, artifact: Committed, description: Mapping[str, Any]) -> Task:
    """The task that the source was made for; the job's own says where its data is now, if given."""
    own, given = artifact.document.get("task"), assignments.task
    if not isinstance(own, dict) and given is None:
        raise TaskError(
            f"source {assignments.source.uri if assignments.source else ''} says no task in its "
            "manifest, and the job has none: give spec.task, with the data that it was trained on"
        )
    document = {**(own if isinstance(own, dict) else {}), **_where(given, own)}
    model = document.get("model")
    if not isinstance(model, dict) or model.get("family") != description.get("family"):
        family = model.get("family") if isinstance(model, dict) else model
        raise TaskError(
            f"task.model.family is {family!r}, the source is of family "
            f"{description.get('family')!r}: leave spec.task out, or name that family"
        )
    settings = model.get("settings")
    texts = _as_text(settings) if isinstance(settings, dict) else {}
    shaped = _as_text(description.get("settings"))
    resolved = {**document, "model": {**model, "settings": {**texts, **shaped}}}
    return read_task(replace(assignments, task=resolved))


def _where(given: Mapping[str, Any] | None, own: object) -> dict[str, Any]:
    """What the job's own task has a say in: all of it, or where the source has one, its data."""
    if given is None:
        return {}
    return {"data": given.get("data")} if isinstance(own, dict) else dict(given)


def _as_text(settings: object) -> dict[str, Any]:
    """Settings as a task has them: lists of sizes are texts there."""
    return {
        name: _joined(name, value) if isinstance(value, list) else value
        for name, value in (settings.items() if isinstance(settings, dict) else ())
    }


def _joined(name: str, sizes: list[Any]) -> str:
    separator = SETTINGS[name].separator if name in SETTINGS else "-"
    return separator.join(str(size) for size in sizes)


def check_data_claim(source: SourceArtifact, assignments: Assignments, claims: Path) -> None:
    """Say what to do where only the source knows on which claim its data lies.

    Args:
        source: as it was opened.
        assignments: of the pod.
        claims: folder where claims are mounted by name.

    Raises:
        DataError: if that claim is not mounted and the job does not name it.
    """
    data, family = source.task.data, source.description.get("family")
    if assignments.task is not None or not isinstance(data.location, ClaimUri):
        return
    if not (claims / data.location.claim).is_dir():
        target = f", target: {data.target}" if data.target else ""
        raise DataError(
            f"the data of the source lies on claim {data.location.claim!r}, which the pods do not "
            f"get unless the job names it: make a new one with spec.task: {{model: {{family: "
            f"{family}}}, data: {{uri: {data.uri}{target}}}}}"
        )


def check_data(source: SourceArtifact, dataset: Dataset) -> None:
    """Refuse another data set than the one that the source was trained on.

    Raises:
        DataError: naming both digests, or what the model does not fit.
    """
    digest = source.promised("data", "sha256")
    if digest is not None and digest != dataset.digest:
        raise DataError(
            f"{source.task.data.uri} has sha256 {dataset.digest[:12]}..., the {source.name} was "
            f"trained on {str(digest)[:12]}...: the data was changed since, and what was validation "
            "data then may be training data now; put the old data back, or search anew"
        )
    input_of_model = source.description.get("input")
    shape = input_of_model.get("shape") if isinstance(input_of_model, dict) else None
    if shape != list(dataset.row_shape):
        raise DataError(
            f"{source.task.data.uri} has rows of shape {list(dataset.row_shape)}, the "
            f"{source.name} takes {shape}: give the data that it was trained on"
        )
    classes = source.description.get("classes")
    if classes != list(dataset.classes):
        raise DataError(
            f"{source.task.data.uri} has {len(dataset.classes)} classes, which are not the "
            f"{len(classes or ())} of the {source.name}: give the data that it was trained on"
        )


def check_splits(source: SourceArtifact, splits: Splits) -> None:
    """Refuse other splits than those that the source was trained with.

    Raises:
        TaskError: naming both digests.
    """
    digest = source.promised("evaluation", "indicesSha256")
    if digest is not None and digest != splits.digest:
        raise TaskError(
            f"the split of {source.task.data.uri} has indices of sha256 {splits.digest[:12]}..., "
            f"the {source.name} was trained with {str(digest)[:12]}...: it would be judged by rows "
            "that it has learnt; search anew with this release"
        )
