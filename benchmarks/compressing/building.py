"""Trains the network of a subject and builds its candidates, by the program that trial pods run.

Artifacts lie as on claims, in a folder of the user's cache, under names that say by what settings
they were made. The trainer repeats the result of what it finds there, so nothing is trained twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.compressing.subjects import METRIC, Subject
from benchmarks.machine import TRAINER_SOURCES, revision, trainer_packages
from devcluster.profiles import cache_root
from winnow_contract.assignments import (
    COMPRESSIONJOB,
    Assignments,
    JobIdentity,
    ObjectiveSpec,
    Source,
    TrialAssignment,
    encode_assignments,
)
from winnow_contract.measuring.measurements import MeasuredModel
from winnow_contract.results import PodResult, TrialResult, decode_result
from winnow_contract.steps.chains import BASELINE, resolve_chain
from winnow_contract.uris import parse_claim
from winnow_trainer.data.builtin import load_builtin
from winnow_trainer.task import DataKind

SEED = 20_261_126
"""Of the training and of every candidate."""
KEY_LENGTH = 12
SIDE = 64
"""Height and width to which the digits of 8x8 are brought."""
TRAINER = (sys.executable, "-m", "winnow_trainer")
MODELS = "models"
"""Name of the claim that holds artifacts."""
BUILT_BY = "built-by"
"""Name of a claim beside it: which commit has built what."""
OBJECTIVE = ObjectiveSpec(METRIC, "Maximize")


class BuildError(Exception):
    """The trainer could not make what it was asked for; says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """What there is to measure of a subject."""

    claims: Path
    """Folder that holds the claims by name."""
    baseline: MeasuredModel
    candidates: tuple[MeasuredModel, ...]
    failures: Mapping[str, str]
    """Why a candidate could not be built, by name."""
    revisions: tuple[str, ...]
    """The project's commits that the artifacts were built with."""


def claims_folder() -> Path:
    """Where artifacts and data are kept between runs."""
    return cache_root().parent / "benchmarks" / "claims"


def build(subject: Subject) -> Built:
    """Train and build what is not there yet.

    Raises:
        BuildError: if the source or the baseline cannot be made.
    """
    claims = claims_folder()
    _write_digits(claims / "data" / f"digits-{SIDE}x{SIDE}.npz")
    source = _source(subject, claims)
    trials = tuple(_trials(subject, source.digest))
    job = JobIdentity(COMPRESSIONJOB, "benchmarks", subject.name, "benchmark")
    assignments = Assignments(job, (OBJECTIVE,), trials, len(trials), source=source)
    results = _run_pod(claims, subject.name, assignments)
    models, failures = {}, {}
    for trial, result in zip(trials, results, strict=True):
        if result.outcome == "Succeeded":
            models[trial.candidate] = _model(subject.name, trial, result)
        else:
            failures[trial.candidate] = f"{result.cause}: {result.message}"
    if BASELINE not in models:
        raise BuildError(f"{subject.name}: the baseline failed, {failures[BASELINE]}")
    revisions = _revisions(claims, (source.uri, *(model.uri for model in models.values())))
    return Built(claims, models.pop(BASELINE), tuple(models.values()), failures, revisions)


def _source(subject: Subject, claims: Path) -> Source:
    """The trained network."""
    folder = f"{subject.name}-source"
    trial = TrialAssignment(f"{subject.name}-{_key(subject.task)}", 1, SEED, {})
    job = JobIdentity("SearchJob", "benchmarks", subject.name, "benchmark")
    (result,) = _run_pod(
        claims, folder, Assignments(job, (OBJECTIVE,), (trial,), task=subject.task)
    )
    if result.outcome != "Succeeded":
        raise BuildError(f"{subject.name} was not trained, {result.cause}: {result.message}")
    model = _model(folder, trial, result)
    return Source(model.uri, model.digest)


def _trials(subject: Subject, source_digest: str) -> list[TrialAssignment]:
    chains = {BASELINE: (), **subject.candidates}
    return [
        _candidate(subject.name, number, name, resolve_chain(steps), source_digest)
        for number, (name, steps) in enumerate(chains.items(), 1)
    ]


def _candidate(
    subject: str, number: int, name: str, steps: tuple[Mapping[str, Any], ...], source: str
) -> TrialAssignment:
    key = _key([source, number, name, steps])
    return TrialAssignment(f"{subject}-{key}", number, SEED, {}, name, steps)


def _key(made_by: Any) -> str:
    """A short name for everything that decides how an artifact comes out."""
    document = [made_by, SEED, trainer_packages()]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def _model(folder: str, trial: TrialAssignment, result: TrialResult) -> MeasuredModel:
    uri = f"pvc://{MODELS}/{folder}/{trial.name}/{result.attempt}"
    return MeasuredModel(trial.number, trial.name, trial.candidate, uri, result.digest)


def _run_pod(claims: Path, folder: str, assignments: Assignments) -> list[TrialResult]:
    """Run the trainer's program as its pod would; the results of all trials in their order.

    Raises:
        BuildError: if it gave none.
    """
    artifacts, attempt = claims / MODELS / folder, secrets.token_hex(4)
    with tempfile.TemporaryDirectory(prefix="winnow-benchmark-") as scratch:
        log = Path(scratch) / "termination-log"
        given = Path(scratch) / "assignments.json"
        given.write_text(encode_assignments(assignments))
        variables = {
            "WINNOW_ASSIGNMENTS": str(given),
            "WINNOW_ARTIFACTS": str(artifacts),
            "WINNOW_ATTEMPT": attempt,
            "WINNOW_CLAIMS": str(claims),
            "WINNOW_TERMINATION_LOG": str(log),
            "WINNOW_METRICS_PORT": "0",
            "WINNOW_THREADS": "1",
        }
        _sign(_signature(claims, folder, attempt))
        before = _processor_seconds()
        done = subprocess.run(
            TRAINER, env={**os.environ, **variables}, stdout=sys.stderr, check=False
        )
        took = _processor_seconds() - before
        print(f"{folder}: {took:.0f} s of processor time", file=sys.stderr, flush=True)
        result = decode_result(log.read_text()) if log.exists() else PodResult(attempt)
    if done.returncode:
        raise BuildError(
            f"the trainer ended with {done.returncode}: {result.cause} {result.message}"
        )
    by_number = {
        trial.number: replace(trial, attempt=trial.attempt or attempt) for trial in result.trials
    }
    return [by_number[trial.number] for trial in assignments.trials]


def _processor_seconds() -> float:
    """What programs that were started here and have ended have used."""
    times = os.times()
    return times.children_user + times.children_system


def _signature(claims: Path, folder: str, attempt: str) -> Path:
    """Where it says which commit of the project has built what an attempt left behind."""
    return claims / BUILT_BY / folder / attempt


def _sign(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(revision(TRAINER_SOURCES))


def _revisions(claims: Path, uris: Iterable[str]) -> tuple[str, ...]:
    """The commits that have built some artifacts."""
    found = set()
    for uri in uris:
        folder, _, attempt = parse_claim(uri).path.split("/")
        signature = _signature(claims, folder, attempt)
        found.add(signature.read_text() if signature.exists() else "not recorded")
    return tuple(sorted(found))


def _write_digits(path: Path) -> None:
    """The digits as images of another size, (rows, height, width), if they are not there yet."""
    if path.exists():
        return
    digits = load_builtin("digits", DataKind.AUTO)
    images = torch.from_numpy(digits.features).view(-1, 1, 8, 8)
    larger = torch.nn.functional.interpolate(
        images, size=(SIDE, SIDE), mode="bilinear", align_corners=False
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, X=larger[:, 0].numpy(), y=digits.targets)
    part.rename(path)
