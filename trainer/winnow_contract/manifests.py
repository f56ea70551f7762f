"""The manifest of an artifact: `manifest.json`, written last, which lists every other file.

Its sha256 is the artifact's digest: it holds the digests of all files, so it covers them all. An
artifact without a whole manifest does not count.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from winnow_contract.assignments import JobIdentity, TrialAssignment
from winnow_contract.errors import ManifestError
from winnow_contract.files import file_digest, write_file
from winnow_contract.version import CONTRACT_VERSION, accepted_text, is_accepted

__all__ = [
    "FOLDS",
    "MANIFEST_NAME",
    "MEASUREMENTS",
    "RUNGS",
    "Committed",
    "ListedFile",
    "Manifest",
    "ManifestError",
    "Values",
    "find_committed",
    "list_files",
    "manifest_head",
    "read_artifact",
    "read_manifest",
    "value_entries",
    "write_manifest",
]

MANIFEST_NAME = "manifest.json"
MEASUREMENTS = "measurements"
"""Key under which the manifest of a measured candidate has what was measured."""
FOLD_VALUES = "foldValues"
"""Key under which the manifest of a part of a trial has the objective on each of its folds."""
FOLDS = "folds"
"""Key under which the manifest of a cross-validated trial has the values of each fold; such a trial
leaves no model."""
REPEATS = "repeats"
"""Key under which the manifest of a trial that was trained several times has the seed and the values of
each training; the model is that of the one with the seed `keptSeed`, the values are means."""
RUNGS = "rungs"
"""Key under which a manifest has the objective at each rung of early stopping."""
MAX_BYTES = 4 << 20
"""A manifest beyond this is none."""

Values = Mapping[str, tuple[float, float | None]]
"""Value and standard error of each metric."""


@dataclass(frozen=True, slots=True)
class Committed:
    """An artifact that is whole."""

    folder: Path
    digest: str
    """sha256 of its manifest in hex."""
    size_bytes: int
    """Size of all its files, the manifest among them."""
    document: Mapping[str, Any]
    """What the manifest says; input to be checked."""

    def values(self, split: str) -> dict[str, tuple[float, float | None]]:
        """The metrics that were measured on a split, `validation` or `test`.

        Raises:
            ManifestError: if the manifest's values are not such.
        """
        entries = self.document.get("values", [])
        if not isinstance(entries, list) or not all(isinstance(item, dict) for item in entries):
            raise ManifestError("'values' of the manifest is not a list of objects")
        return {
            str(item.get("metric")): (_number(item.get("value")), _error(item.get("standardError")))
            for item in entries
            if item.get("split") == split
        }

    def extras(self) -> dict[str, tuple[float, float | None]]:
        """Figures that belong to no split, such as the number of parameters.

        Raises:
            ManifestError: if the manifest's metrics are not such.
        """
        metrics = self.document.get("metrics", {})
        if not isinstance(metrics, dict):
            raise ManifestError("'metrics' of the manifest is not an object")
        return {name: (_number(value), None) for name, value in metrics.items()}

    def rungs(self) -> dict[int, float]:
        """The objective at each rung of early stopping that was reached.

        Raises:
            ManifestError: if the manifest's rungs are not such.
        """
        rungs = self.document.get(RUNGS, {})
        if not isinstance(rungs, dict) or not all(str(rung).isdecimal() for rung in rungs):
            raise ManifestError("'rungs' of the manifest is not an object of numbers by rung")
        return {int(rung): _number(value) for rung, value in rungs.items()}

    @property
    def attempt(self) -> str:
        """Attempt id of the pod that made it."""
        return self.folder.name


def _error(value: object) -> float | None:
    return None if value is None else _number(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ManifestError("a value of the manifest is not a finite number")
    return float(value)


def manifest_head(job: JobIdentity, assignment: TrialAssignment, attempt: str) -> dict[str, Any]:
    """What every manifest starts with: version, job and trial; of a candidate also its chain."""
    return {
        "contractVersion": CONTRACT_VERSION,
        "job": {"kind": job.kind, "namespace": job.namespace, "name": job.name, "uid": job.uid},
        "trial": {
            "name": assignment.name,
            "number": assignment.number,
            "seed": assignment.seed,
            "attempt": attempt,
            "parameters": dict(assignment.parameters),
            **_chain(assignment),
            **({"finalOf": assignment.final_of} if assignment.final_of else {}),
            **({"part": assignment.part} if assignment.part else {}),
        },
    }


def _chain(assignment: TrialAssignment) -> dict[str, Any]:
    """Candidate and steps as they were assigned; nothing in a search."""
    if not assignment.candidate:
        return {}
    return {"candidate": assignment.candidate, "steps": [dict(step) for step in assignment.steps]}


def value_entries(split: str, values: Values) -> list[dict[str, Any]]:
    """What stands under `values` in a manifest; what is not finite is left out."""
    return [
        {"metric": metric, "split": split, "value": value, "standardError": error}
        for metric, (value, error) in values.items()
        if math.isfinite(value) and (error is None or math.isfinite(error))
    ]


def list_files(folder: Path) -> list[dict[str, Any]]:
    """What stands under `files` in a manifest: path, sha256 and size of every file of a folder.

    Raises:
        OSError: if a file cannot be read.
    """
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "sha256": file_digest(path),
            "sizeBytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME and not path.name.endswith(".unfinished")
    ]


def write_manifest(folder: Path, document: Mapping[str, Any]) -> Committed:
    """Commit an artifact: from here on it counts.

    Args:
        folder: `<artifacts>/<trial>/<attempt>`.
        document: the manifest without `files`, which is added here.

    Raises:
        OSError: if the storage does not take it.
    """
    files = list_files(folder)
    whole = {**document, "files": files}
    content = json.dumps(whole, indent=1, allow_nan=False, ensure_ascii=False).encode()
    write_file(folder / MANIFEST_NAME, content)
    size_bytes = len(content) + sum(file["sizeBytes"] for file in files)
    return Committed(folder, hashlib.sha256(content).hexdigest(), size_bytes, whole)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that a manifest names."""

    path: str
    """Relative to the artifact, and never out of it."""
    sha256: str
    size_bytes: int

    def check_size(self, folder: Path) -> None:
        """Hold the file in this folder against its size, without reading it.

        Raises:
            ManifestError: if it is missing or has another size.
            OSError: if the storage cannot be read.
        """
        try:
            size = (folder / self.path).stat().st_size
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ManifestError(f"{self.path} in {folder.name} is missing") from error
        if size != self.size_bytes:
            raise self._differs(folder)

    def check(self, folder: Path) -> None:
        """Hold the file in this folder against all that is recorded.

        Raises:
            ManifestError: if it is missing or different.
            OSError: if the storage cannot be read.
        """
        self.check_size(folder)
        try:
            is_same = file_digest(folder / self.path) == self.sha256
        except IsADirectoryError:
            is_same = False
        if not is_same:
            raise self._differs(folder)

    def _differs(self, folder: Path) -> ManifestError:
        return ManifestError(
            f"{self.path} in {folder.name} is not the file that the manifest names"
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read; whether the files are there is another question."""

    content: bytes
    digest: str
    """sha256 in hex: the artifact's digest."""
    document: Mapping[str, Any]
    """Input to be checked."""
    files: tuple[ListedFile, ...]


def read_manifest(folder: Path, digest: str | None = None) -> Manifest:
    """Read the manifest of an artifact.

    Args:
        folder: where it lies.
        digest: sha256 in hex that it must have; None: any.

    Raises:
        ManifestError: naming what is missing or different.
        OSError: if the storage cannot be read.
    """
    content = _content(folder)
    actual = hashlib.sha256(content).hexdigest()
    if digest is not None and digest != actual:
        raise ManifestError(
            # What was expected is known to whoever reads this: that which is there is not.
            f"the manifest in {folder.name} has sha256 {actual}, expected is {digest[:12]}..."
        )
    document = _document(content)
    return Manifest(content, actual, document, tuple(_files(document)))


def read_artifact(folder: Path, digest: str | None = None) -> Committed:
    """Read an artifact and check every file against its manifest.

    Args:
        folder: where it lies.
        digest: sha256 in hex that its manifest must have; None: any.

    Raises:
        ManifestError: naming what is missing or different.
        OSError: if the storage cannot be read.
    """
    manifest = read_manifest(folder, digest)
    for file in manifest.files:
        file.check(folder)
    size_bytes = len(manifest.content) + sum(file.size_bytes for file in manifest.files)
    return Committed(folder, manifest.digest, size_bytes, manifest.document)


def _content(folder: Path) -> bytes:
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ManifestError(f"the manifest in {folder.name} is over {MAX_BYTES} bytes")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(f"{folder.name} has no {MANIFEST_NAME}: it is not whole") from error


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"the manifest is not JSON: {error}") from error
    if not isinstance(document, dict) or not is_accepted(document.get("contractVersion")):
        raise ManifestError(
            f"the manifest is not one of contract version {accepted_text()}, which this code reads"
        )
    return document


def _files(document: Mapping[str, Any]) -> Iterator[ListedFile]:
    entries = document.get("files")
    if not isinstance(entries, list):
        raise ManifestError("the manifest has no list 'files'")
    for entry in entries:
        fields = entry if isinstance(entry, dict) else {}
        path, digest, size = (fields.get(key) for key in ("path", "sha256", "sizeBytes"))
        if not isinstance(path, str) or not isinstance(digest, str) or type(size) is not int:
            raise ManifestError("an entry of 'files' lacks path, sha256 or sizeBytes")
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path:
            raise ManifestError(f"{path!r} of the manifest leaves the artifact")
        yield ListedFile(path, digest, size)


def find_committed(artifacts: Path, assignment: TrialAssignment) -> Committed | None:
    """The artifact that an earlier attempt of the same assignment has committed, if any.

    Same means number, seed, parameters and, of a candidate, its chain. What a measuring pod has
    made of it is another artifact and does not count. Of several, the first by attempt id, so that every
    later attempt repeats the same one.

    Raises:
        OSError: if the storage cannot be read.
    """
    folder = artifacts / assignment.name
    if not folder.is_dir():
        return None
    for attempt in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            found = read_artifact(attempt)
            found.values("validation"), found.values("test"), found.extras(), found.rungs()
        except ManifestError:  # an attempt that was cut off; its files count for nothing
            continue
        if MEASUREMENTS not in found.document and _is_of(found.document.get("trial"), assignment):
            return found
    return None


def _is_of(trial: object, assignment: TrialAssignment) -> bool:
    if not isinstance(trial, dict):
        return False
    chain = {key: trial[key] for key in ("candidate", "steps") if key in trial}
    return (
        trial.get("number") == assignment.number
        and trial.get("finalOf", 0) == assignment.final_of
        and trial.get("part", 0) == assignment.part
        and trial.get("seed") == assignment.seed
        and trial.get("parameters") == dict(assignment.parameters)
        and chain == _chain(assignment)
    )
