"""The model that a server serves: opened, verified, tried out, and what is to be known about it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from winnow_contract.manifests import Committed
from winnow_contract.serving import Serving
from winnow_runtime.agreement import Agreement, check_agreement
from winnow_runtime.artifacts import GOLDEN, MODEL, Tensor, open_artifact, read_tensors
from winnow_runtime.sessions import BoundRun, Session, outputs_of
from winnow_server.signature import Port, Signature

__all__ = ["ServedModel", "open_model"]

CARD = "README.md"
SAME_OUTPUTS = 1e-4
"""Outputs that differ by less of the largest are the same: float arithmetic in another order."""
WORTH_IT = 0.8
"""Of the time that the rows of a batch take one by one."""
TRIES = 5
TRIAL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that computes what it computed where it was built."""

    artifact: Committed
    session: Session
    signature: Signature
    agreement: Agreement
    example: Tensor
    """(1, ...) a recorded row."""
    card: str
    """Markdown; empty if the artifact has none."""
    are_rows_independent: bool
    """Whether a row's outputs are the same whatever goes in beside it."""
    row_seconds: float
    """What a run of one row takes."""
    batch_seconds: float
    """What a run of the largest batch takes."""
    batch_rows: int
    """Rows of that."""
    one_row: BoundRun | None
    """The model for a single row, as most requests have; None: it runs as for others."""

    @property
    def gains_by_batches(self) -> bool:
        """Whether rows take less time together; else waiting for each other only takes longer."""
        return self.batch_seconds < WORTH_IT * self.batch_rows * self.row_seconds

    def rows_within(self, seconds: float) -> int:
        """How many rows a run can have that takes no longer, up to the largest batch.

        What it takes is read off the line between one row and the largest batch.
        """
        slope = (self.batch_seconds - self.row_seconds) / max(self.batch_rows - 1, 1)
        if self.batch_seconds <= seconds:
            return self.batch_rows
        if self.row_seconds > seconds:
            return 0
        return 1 + int((seconds - self.row_seconds) / slope)

    @property
    def digest(self) -> str:
        """Of the artifact."""
        return f"sha256:{self.artifact.digest}"

    def run(self, rows: Tensor) -> Tensor:
        """Outputs (rows, ...) float32 of rows (rows, ...); not for two threads at one time.

        Raises:
            ModelError: if the runtime cannot run it.
        """
        if self.one_row is not None and rows.shape == self.one_row.inputs.shape:
            return self.one_row(rows)
        return self.session.run(rows).astype(np.float32, copy=False)

    def values(self) -> list[Mapping[str, Any]]:
        """What was measured of it where it was built, as the manifest has it."""
        listed = self.artifact.document.get("values")
        entries = listed if isinstance(listed, list) else []
        return [entry for entry in entries if isinstance(entry, dict)]


def open_model(serving: Serving) -> ServedModel:
    """Load the model of these settings and hold it against its golden batch.

    Raises:
        ModelError: naming what is wrong with it.
        OSError: if it cannot be read.
    """
    digest = serving.model_digest.removeprefix("sha256:") or None
    uri = serving.model_uri or str(serving.model_folder)
    artifact = open_artifact(serving.model_folder, digest, uri)
    session = Session(artifact.folder / MODEL, serving.threads)
    agreement = check_agreement(artifact, session)
    rows, outputs = read_tensors(artifact.folder / GOLDEN, "inputs", "outputs")
    example = np.ascontiguousarray(rows[:1], dtype=np.float32)
    return ServedModel(
        artifact=artifact,
        session=session,
        signature=Signature(
            model=serving.model_name,
            version=str(serving.model_revision),
            input=Port(session.input_name, session.row_shape),
            output=Port(session.output_name, outputs.shape[1:]),
            max_rows=serving.max_batch,
        ),
        agreement=agreement,
        example=example,
        card=_card(artifact.folder),
        are_rows_independent=_are_rows_independent(session, rows),
        row_seconds=_run_seconds(session, rows, 1),
        batch_seconds=_run_seconds(session, rows, serving.max_batch),
        batch_rows=serving.max_batch,
        one_row=session.bound(example),
    )


def _are_rows_independent(session: Session, rows: Tensor) -> bool:
    """Whether rows may be computed together with those of other requests.

    Where activations are quantized on the fly, the range of a whole batch decides about each row.
    """
    together, alone = (outputs_of(session, rows, at_once) for at_once in (len(rows), 1))
    return bool(np.abs(together - alone).max() <= SAME_OUTPUTS * np.abs(alone).max())


def _run_seconds(session: Session, rows: Tensor, count: int) -> float:
    """What a batch takes, the best of a few tries; it also warms the runtime's memory."""
    batch = rows.take(range(count), axis=0, mode="wrap").astype(np.float32)
    taken: list[float] = []
    while len(taken) < TRIES and sum(taken) < TRIAL_SECONDS:
        start = time.perf_counter()
        session.run(batch)
        taken.append(time.perf_counter() - start)
    return min(taken)


def _card(folder: Path) -> str:
    try:
        return (folder / CARD).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
