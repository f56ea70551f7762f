"""Rounds to measure: artifacts as builder pods leave them, and the measuring pod as a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.builder_pods import Built
from tests.support.chart import ROOT
from tests.support.onnx_graphs import Blobs, blobs, run
from winnow_contract.assignments import JobIdentity, ObjectiveSpec
from winnow_contract.files import write_file
from winnow_contract.manifests import Committed, read_artifact, write_manifest
from winnow_contract.measuring.measured import MeasurementResult, decode_measured
from winnow_contract.measuring.measurements import MeasuredModel, Measurement, encode_measurement

ATTEMPT = "aaaaaaaa"
HOME = "models/team/small"
VALIDATION, TEST = blobs(240, seed=1), blobs(200, seed=2)
TOLERANCE = {"absolute": 1e-6, "relative": 1e-4}
SOURCE = {"kind": "source", "uri": "pvc://models/source", "digest": "5" * 64}
SECONDS = 240


@dataclass
class Round:
    """Models on a claim, and what is asked about them."""

    folder: Path
    models: list[MeasuredModel] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def claims(self) -> Path:
        """Where claims are mounted."""
        return self.folder / "claims"

    @property
    def artifacts(self) -> Path:
        """Folder of the job."""
        return self.claims / HOME

    def add(
        self, candidate: str, content: bytes, *, golden: bytes | None = None, **manifest: Any
    ) -> MeasuredModel:
        """Write the artifact of a model as a builder pod does; the first one is the baseline.

        Args:
            candidate: its name.
            content: of model.onnx.
            golden: the model that the golden batch is recorded with; None: itself.
            manifest: changes to its manifest.
        """
        number = len(self.models) + 1
        name = f"small-c{number:05d}"
        folder = self.artifacts / name / ATTEMPT
        write_file(folder / "model.onnx", content)
        rows = VALIDATION.rows[:8]
        outputs = run(golden or content, rows)
        write_file(folder / "golden.safetensors", save({"inputs": rows, "outputs": outputs}))
        if number == 1:
            write_file(folder / "evaluation.safetensors", save(evaluation(VALIDATION, TEST)))
        write_file(folder / "README.md", f"# small/{candidate}\n".encode())
        write_file(folder / "SHA256SUMS", b"")
        committed = write_manifest(folder, manifest_of(candidate, name, number, **manifest))
        uri = f"pvc://{HOME}/{name}/{ATTEMPT}"
        self.models.append(MeasuredModel(number, name, candidate, uri, committed.digest))
        return self.models[-1]

    @property
    def measurement(self) -> Measurement:
        """The file of the measuring pod."""
        job = JobIdentity(kind="CompressionJob", namespace="team", name="small", uid="uid")
        asked = Measurement(
            job=job,
            round=1,
            baseline=self.models[0],
            candidates=tuple(self.models[1:]),
            objective=ObjectiveSpec("accuracy", "Maximize"),
            batch_sizes=(1, 4),
            repetitions=2,
        )
        return replace(asked, **self.changes)

    def final(self, number: int, attempt: str = "bbbbbbbb") -> Committed:
        """A final artifact, every file checked."""
        return read_artifact(self.artifacts / f"small-c{number:05d}" / attempt)


def evaluation(validation: Blobs, test: Blobs) -> dict[str, Any]:
    """What lies in the baseline's evaluation.safetensors."""
    return {
        "validation_inputs": validation.rows,
        "validation_targets": validation.labels,
        "test_inputs": test.rows,
        "test_targets": test.labels,
    }


def manifest_of(candidate: str, name: str, number: int, **changes: Any) -> dict[str, Any]:
    """A manifest as a builder pod writes it, as far as measuring reads it."""
    return {
        "contractVersion": 1,
        "job": {"kind": "CompressionJob", "namespace": "team", "name": "small", "uid": "uid"},
        "trial": {"name": name, "number": number, "seed": 1, "attempt": ATTEMPT, "parameters": {}},
        "format": "winnow/onnx-v1",
        "candidate": candidate,
        "task": {"data": {"uri": "pvc://d/t.csv", "kind": "Classification"}},
        "lineage": [SOURCE],
        "steps": [],
        "claims": {"smallerThanParent": False, "masked": False},
        "tolerance": TOLERANCE,
        "values": [],
        "metrics": {"parameters": 1000 - number, "operations": 2000 - number},
        "createdAt": "2026-01-01T00:00:00+00:00",
        **changes,
    }


@dataclass(frozen=True)
class Measured:
    """A measuring pod that has ended."""

    code: int
    log: str
    message: str

    @property
    def result(self) -> MeasurementResult:
        """Its termination message, decoded."""
        return decode_measured(self.message)

    @property
    def outcomes(self) -> dict[int, str]:
        """Outcome or cause of each model by number."""
        return {c.number: c.cause or c.outcome for c in self.result.candidates}


def start(round_: Round, attempt: str = "bbbbbbbb", **variables: str) -> subprocess.Popen[str]:
    """Start the program on the files of a round."""
    file = round_.folder / "assignments.json"
    if round_.models:
        file.write_text(encode_measurement(round_.measurement))
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {
        **inherited,
        "PYTHONPATH": str(ROOT / "trainer"),
        "OPENBLAS_NUM_THREADS": "1",
        "WINNOW_ASSIGNMENTS": str(file),
        "WINNOW_ARTIFACTS": str(round_.artifacts),
        "WINNOW_ARTIFACTS_URI": f"pvc://{HOME}",
        "WINNOW_CLAIMS": str(round_.claims),
        "WINNOW_TERMINATION_LOG": str(round_.folder / "termination-log"),
        "WINNOW_ATTEMPT": attempt,
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "winnow_measure"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait(round_: Round, process: subprocess.Popen[str]) -> Measured:
    """Wait for its end, and read what it left."""
    try:
        log, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    message = round_.folder / "termination-log"
    return Measured(process.returncode, log, message.read_text() if message.exists() else "")


def measure(round_: Round, attempt: str = "bbbbbbbb", **variables: str) -> Measured:
    """Run the program to its end."""
    return wait(round_, start(round_, attempt, **variables))


def measure_built(built: Built, models: Round, *names: str) -> Measured:
    """Measure some candidates that a builder pod has left, the baseline first."""
    shutil.copytree(built.pod.artifacts, models.artifacts)
    trials = {trial.number: trial for trial in built.ended.result.trials}
    for name in names:
        number = built.number(name)
        trial = f"small-c{number:05d}"
        uri = f"pvc://{HOME}/{trial}/aaaaaaaa"
        models.models.append(MeasuredModel(number, trial, name, uri, trials[number].digest))
    ended = measure(models)
    assert ended.code == 0, ended.log
    assert set(ended.outcomes.values()) == {"Succeeded"}, ended.log
    for candidate in ended.result.candidates:
        said = trials[candidate.number]
        # The same rows, counted by the same code: torch and ONNX Runtime tell them apart alike.
        assert candidate.values["accuracy"][0] == pytest.approx(said.objective, abs=0.006)
        assert candidate.test["accuracy"][0] == pytest.approx(said.test, abs=0.006)
        assert candidate.values["parameters"][0] == said.metrics["parameters"]
        assert np.isfinite(candidate.values["memory_bytes"][0])
    return ended


def sizes(ended: Measured) -> list[float]:
    """Of each candidate, in bytes."""
    return [candidate.values["size_bytes"][0] for candidate in ended.result.candidates]
