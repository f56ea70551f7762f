"""Final artifacts: what was built, with what was measured of it, as one that can be served.

`<artifacts>/<trial>/<attempt>/` of the measuring pod: the built files (hard links where the storage
has them), measurements.json, a model card with the figures, SHA256SUMS, and manifest.json last,
which names the built artifact as its parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from winnow_contract.files import file_digest, is_storage_away, write_file
from winnow_contract.manifests import (
    MANIFEST_NAME,
    MEASUREMENTS,
    Committed,
    Values,
    value_entries,
    write_manifest,
)
from winnow_contract.measuring.amounts import amount_text
from winnow_measure.errors import RoundError
from winnow_measure.models import EVALUATION, BuiltModel

__all__ = ["FIGURES", "write_final"]

FIGURES = "measurements.json"
CARD = "README.md"
CHECKSUMS = "SHA256SUMS"
WRITTEN_ANEW = frozenset({MANIFEST_NAME, CARD, CHECKSUMS, FIGURES})


def write_final(
    folder: Path,
    built: BuiltModel,
    measured: Mapping[str, Any],
    values: Values,
    quality: Mapping[str, Values],
) -> Committed:
    """Write the final artifact of a model and commit it.

    Args:
        folder: `<artifacts>/<trial>/<attempt>`; what lies there without a manifest is removed.
        built: the artifact as it was built.
        measured: content of measurements.json.
        values: everything that was measured, by key.
        quality: metrics of the model by split, validation and test.

    Raises:
        RoundError: if an artifact lies there already.
        OSError: if the storage does not take it.
    """
    if (folder / MANIFEST_NAME).exists():
        raise RoundError(
            "BadAssignments",
            f"attempt {folder.name} has an artifact of {folder.parent.name} already: give each pod "
            "a WINNOW_ATTEMPT of its own",
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _kept_files(built):
        _place(built.artifact.folder / name, folder / name)
    write_file(folder / FIGURES, json.dumps(measured, indent=1, allow_nan=False).encode())
    write_file(folder / CARD, _card(built, values).encode())
    write_file(folder / CHECKSUMS, "".join(_checksums(folder)).encode())
    return write_manifest(folder, _manifest(folder.name, built, measured, quality))


def _kept_files(built: BuiltModel) -> Iterator[str]:
    for entry in built.objects("files"):
        # The evaluation's rows were for measuring: whoever serves the model has no use for them.
        if entry["path"] not in WRITTEN_ANEW and entry["path"] != EVALUATION:
            yield str(entry["path"])


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():  # a link to it would be one more way out of the artifact
        _copy(source, target)
        return
    try:
        target.hardlink_to(source)
    except OSError as error:
        if is_storage_away(error):
            raise
        _copy(source, target)  # another file system, or one without links


def _copy(source: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        target.unlink()
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())


def _checksums(folder: Path) -> Iterator[str]:
    """Lines for `sha256sum --check`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{file_digest(path)}  {path.relative_to(folder).as_posix()}\n"


def _card(built: BuiltModel, values: Values) -> str:
    """The model card of the trainer, and what was measured."""
    try:
        text = (built.artifact.folder / CARD).read_text(encoding="utf-8", errors="replace").rstrip()
    except FileNotFoundError:
        text = f"# {built.model.candidate}"
    rows = [
        f"| {key} | {amount_text(key, value)} | {'' if error is None else amount_text(key, error)} |"
        for key, (value, error) in values.items()
    ]
    head = ["", "## Measured as it is served", "", "| metric | value | standard error |"]
    return "\n".join([text, *head, "| --- | --- | --- |", *rows, ""])


def _manifest(
    attempt: str, built: BuiltModel, measured: Mapping[str, Any], quality: Mapping[str, Values]
) -> dict[str, Any]:
    document = {key: value for key, value in built.artifact.document.items() if key != "files"}
    parent = {"uri": built.model.uri, "digest": built.artifact.digest, "kind": "candidate"}
    return {
        **document,
        "trial": {**built.mapping("trial"), "attempt": attempt},
        "lineage": [*built.objects("lineage"), parent],
        "values": [
            entry for split, values in quality.items() for entry in value_entries(split, values)
        ],
        "builtValues": document.get("values", []),
        MEASUREMENTS: measured,
        "createdAt": measured["measuredAt"],
    }
