"""Asks two revisions for the same recorded rows, and counts how many get the same answer.

    artifact of the canary --> recorded rows --+--> a pod of the revision that serves --+--> equal?
                                               +--> a pod of the canary ----------------+

The rows travel with the artifact. They are sent as any client sends them, so what is compared is what
clients get, and no pod ever shows its rows to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from winnow_contract.comparing import MAX_ROWS, SAMPLE, Compared, Comparison
from winnow_contract.manifests import Committed
from winnow_contract.serving import Serving
from winnow_runtime.artifacts import GOLDEN, Tensor, open_artifact, read_tensors
from winnow_server.asking import Refusal, Revision
from winnow_server.errors import NoAnswerError
from winnow_server.signature import ITEM_BYTES

__all__ = ["compare", "count_equal"]

CLASSIFICATION, REGRESSION = "Classification", "Regression"
ENVELOPE_BYTES = 1024
"""What a request may have besides its numbers."""
ROUNDING = 1e-6
"""Numbers that differ by less of their size are the same."""


def compare(serving: Serving, comparison: Comparison) -> Compared:
    """Ask both revisions of a comparison.

    Args:
        serving: settings of the canary; its artifact has been fetched.
        comparison: which pods to ask.

    Raises:
        ModelError: if the artifact is not what it should be.
        NoAnswerError: if a pod does not answer, or the one that serves has no answers.
        OSError: if the artifact cannot be read.
    """
    digest = serving.model_digest.removeprefix("sha256:") or None
    artifact = open_artifact(serving.model_folder, digest, serving.model_uri)
    stable = Revision("the revision that serves", comparison.stable)
    canary = Revision("the canary", comparison.canary)
    found, wanted = canary.signature(), stable.signature()
    if found != wanted:
        words = (
            f"it has {found}, the one that serves has {wanted}: requests for the one are refused by "
            "the other"
        )
        return Compared(0, 0, words)
    rows = recorded_rows(artifact)
    asked = ask_both(stable, canary, list(_pieces(rows, serving)))
    equal = count_equal(
        asked.stable,
        asked.canary,
        is_regression=is_regression(artifact, asked.stable),
        tolerance=comparison.tolerance,
    )
    return Compared(len(rows), equal, asked.problem)


def recorded_rows(artifact: Committed) -> Tensor:
    """The rows that models are compared by, (rows, ...) float32.

    An artifact without a sample has those of its golden batch.

    Raises:
        ModelError: if the file is damaged.
        OSError: if it cannot be read.
    """
    listed = {str(entry["path"]) for entry in artifact.document["files"]}
    name = SAMPLE if SAMPLE in listed else GOLDEN
    (rows,) = read_tensors(artifact.folder / name, "inputs")
    return np.ascontiguousarray(rows[:MAX_ROWS], dtype=np.float32)


def _pieces(rows: Tensor, serving: Serving) -> Iterator[Tensor]:
    """The rows in as few requests as the server takes them in."""
    row_bytes = max(1, rows[:1].size * ITEM_BYTES)
    fitting = (serving.max_request_bytes - ENVELOPE_BYTES) // row_bytes
    at_once = max(1, min(serving.max_batch, fitting))
    for start in range(0, len(rows), at_once):
        yield rows[start : start + at_once]


@dataclass(frozen=True, slots=True)
class Asked:
    """What both revisions have answered."""

    stable: Tensor
    """(rows, outputs)"""
    canary: Tensor
    """The same; not a number where there was no answer."""
    problem: str
    """Why answers of the canary are missing; empty if none is."""


def ask_both(stable: Revision, canary: Revision, pieces: list[Tensor]) -> Asked:
    """The answers of both to the same requests.

    Raises:
        NoAnswerError: if a pod does not answer, or the one that serves refuses a request.
    """
    wanted, found, missing, words = [], [], 0, ""
    for piece in pieces:
        wanted.append(_reference(stable, piece))
        try:
            answer = canary.outputs(piece)
        except Refusal as refusal:
            missing, words = missing + len(piece), str(refusal)
            answer = np.full(wanted[-1].shape, np.nan, np.float32)
        found.append(answer)
    problem = f"{missing} rows got no answer: {words}" if missing else ""
    return Asked(np.concatenate(wanted), np.concatenate(found), problem)


def _reference(stable: Revision, piece: Tensor) -> Tensor:
    try:
        return stable.outputs(piece)
    except Refusal as refusal:
        raise NoAnswerError(
            f"the revision that serves gives nothing to compare: {refusal}"
        ) from refusal


def is_regression(artifact: Committed, outputs: Tensor) -> bool:
    """Whether outputs are numbers to be compared as such: as the manifest says, else by their width."""
    task: Any = artifact.document.get("task")
    data: Any = task.get("data") if isinstance(task, dict) else None
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind in {CLASSIFICATION, REGRESSION}:
        return bool(kind == REGRESSION)
    return bool(outputs.shape[1] == 1)


def count_equal(stable: Tensor, canary: Tensor, *, is_regression: bool, tolerance: float) -> int:
    """Rows with the same answer: the same class, or numbers that lie near each other.

    Args:
        stable: (rows, outputs), finite.
        canary: (rows, outputs), not a number where there is none.
        is_regression: whether outputs are numbers; else the largest of them names the class.
        tolerance: how far numbers may lie apart, as a share of the standard deviation of `stable`.
    """
    is_there = np.isfinite(canary).all(axis=1)
    if not is_regression:
        same = stable.argmax(axis=1) == canary.argmax(axis=1)  # of NaN: any, and it is not there
        return int((is_there & same).sum())
    allowed = tolerance * stable.std(axis=0) + ROUNDING * np.abs(stable)
    near = (np.abs(canary - stable) <= allowed).all(axis=1)
    return int((is_there & near).sum())
