"""The result of a pod: its termination message, compact JSON of at most 4096 bytes.

What a result says is input to be checked: a pod can write anything there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from winnow_contract.errors import ResultError
from winnow_contract.message_fields import (
    LETTERS,
    MAX_BYTES,
    MAX_CAUSE,
    MAX_TEXT,
    SIGNIFICANT_DIGITS,
    check_outcomes,
    check_version,
    compact_json,
    digest_text,
    is_reportable,
    plain_text,
    read_attempt,
    read_cause,
    read_digest,
    read_entries,
    read_error,
    read_number,
    read_outcome,
    read_size,
    read_text,
    refuse_constant,
    short_number,
)
from winnow_contract.stopping import MAX_RUNGS
from winnow_contract.version import CONTRACT_VERSION

__all__ = [
    "MAX_BYTES",
    "MAX_TRIALS",
    "PodResult",
    "ResultError",
    "TrialResult",
    "decode_result",
    "encode_result",
    "is_reportable",
]

MAX_TRIALS = 32
MAX_METRICS = 31
MAX_RUNG_DIGITS = 15
MAX_PARTS = 20
"""Folds of a trial, and so the pods that they may be spread over."""
SHORT_DIGITS = (5, 4)
"""Digits of a value where 32 results would not fit otherwise; with 4, any 32 do."""
ERROR_DIGITS = 3
"""A standard error is itself uncertain; more digits would only take room."""
SHORT_ERROR_DIGITS = 2


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of one trial."""

    number: int
    outcome: str
    """Succeeded, Failed or Stopped."""
    objective: float | None = None
    standard_error: float | None = None
    test: float | None = None
    test_standard_error: float | None = None
    digest: str = ""
    """sha256 of the artifact's manifest.json in hex; empty without an artifact."""
    size_bytes: int = 0
    attempt: str = ""
    """Attempt id of the artifact, where it is not the pod's own."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    rungs: Mapping[int, float] = field(default_factory=dict)
    """The objective at each rung of early stopping that was reached."""
    part: int = 0
    """Which part of a trial it is, from 1, where the folds are spread over pods; 0: all of it."""
    parts: int = 0
    """How many parts the trial has."""
    folds: tuple[float, ...] = ()
    """The objective on each fold, in their order: of a part, and of trials that are compared by folds."""
    kept: int = 0
    """How many of the first metrics are objectives too, or limited, and so never left out."""
    cause: str = ""
    message: str = ""
    job_fault: bool = False
    """The failure would be the same for all trials of the job."""


@dataclass(frozen=True, slots=True)
class PodResult:
    """What became of all trials of a pod."""

    attempt: str
    """First 8 characters of the pod's uid."""
    trials: tuple[TrialResult, ...] = ()
    cause: str = ""
    """Why no trial could start."""
    message: str = ""
    job_fault: bool = False


def encode_result(result: PodResult) -> str:
    """The result as JSON that fits: other metrics go first, then sentences, then sizes and digits.

    Number, outcome, objectives, the first one's error, test value and digest are always kept.

    Raises:
        ResultError: if there are more than 32 trials, or an outcome is not known.
    """
    if len(result.trials) > MAX_TRIALS:
        raise ResultError(f"a pod has at most {MAX_TRIALS} trials, not {len(result.trials)}")
    check_outcomes(trial.outcome for trial in result.trials)
    for shrink, digits in _SHRINKING:
        text = _dump(shrink(result), digits)
        if len(text.encode()) <= MAX_BYTES:
            return text
    raise ResultError(f"the result of {len(result.trials)} trials is over {MAX_BYTES} bytes")


_Shrink = Callable[[PodResult], PodResult]


def _with_trials(result: PodResult, change: Callable[[TrialResult], TrialResult]) -> PodResult:
    return replace(result, trials=tuple(change(trial) for trial in result.trials))


def _first(trial: TrialResult, count: int) -> dict[str, float]:
    return dict(list(trial.metrics.items())[: max(count, trial.kept)])


def _keep_metrics(count: int) -> _Shrink:
    def shrink(result: PodResult) -> PodResult:
        return _with_trials(result, lambda t: replace(t, metrics=_first(t, count)))

    return shrink


def _cut_words(length: int) -> _Shrink:
    def shrink(result: PodResult) -> PodResult:
        bare = _with_trials(
            result,
            lambda t: replace(
                t,
                metrics=_first(t, 0),
                rungs={},
                test_standard_error=None,
                message=t.message[:length],
            ),
        )
        return replace(bare, message=bare.message[: length * 4])

    return shrink


def _bare(result: PodResult) -> PodResult:
    return _with_trials(_cut_words(0)(result), lambda t: replace(t, size_bytes=0))


_SHRINKING: tuple[tuple[_Shrink, int], ...] = (
    (lambda result: result, SIGNIFICANT_DIGITS),
    *((_keep_metrics(count), SIGNIFICANT_DIGITS) for count in (8, 4, 2, 1)),
    *((_cut_words(length), SIGNIFICANT_DIGITS) for length in (250, 120, 60, 30, 0)),
    *((_bare, digits) for digits in (SIGNIFICANT_DIGITS, *SHORT_DIGITS)),
)


def _dump(result: PodResult, digits: int) -> str:
    document: dict[str, Any] = {"v": CONTRACT_VERSION, "a": result.attempt}
    if result.cause:
        document.update({"c": result.cause[:MAX_CAUSE], "w": plain_text(result.message)})
    if result.job_fault:
        document["j"] = 1
    document["t"] = [_trial_document(trial, result.attempt, digits) for trial in result.trials]
    return compact_json(document)


def _trial_document(trial: TrialResult, attempt: str, digits: int) -> dict[str, Any]:
    document: dict[str, Any] = {"n": trial.number, "o": LETTERS[trial.outcome]}
    numbers = {"y": trial.objective, "z": trial.test}
    errors = {"e": trial.standard_error, "ze": trial.test_standard_error}
    document.update(_finite(numbers, digits))
    is_shortest = digits == SHORT_DIGITS[-1]
    document.update(_finite(errors, SHORT_ERROR_DIGITS if is_shortest else ERROR_DIGITS))
    if trial.digest:
        document["d"] = digest_text(trial.digest)
    if trial.size_bytes:
        document["s"] = trial.size_bytes
    if trial.attempt and trial.attempt != attempt:
        document["a"] = trial.attempt
    if trial.cause:
        document["c"] = trial.cause[:MAX_CAUSE]
    if trial.message:
        document["w"] = plain_text(trial.message)
    if trial.job_fault:
        document["j"] = 1
    if trial.part:
        document["p"] = [trial.part, trial.parts]
    if trial.folds:
        document["f"] = [short_number(value, digits) for value in trial.folds]
    metrics = _finite(trial.metrics, digits)
    rungs = {str(r): short_number(v, digits) for r, v in trial.rungs.items() if is_reportable(v)}
    return {**document, **({"r": rungs} if rungs else {}), **({"m": metrics} if metrics else {})}


def _finite(values: Mapping[str, float | None], digits: int) -> dict[str, float]:
    return {
        name: short_number(value, digits) for name, value in values.items() if is_reportable(value)
    }


def decode_result(text: str) -> PodResult:
    """Read a termination message.

    Raises:
        ResultError: if it is not a result, whatever it is instead.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES * 4:
        raise ResultError(f"the result is longer than {MAX_BYTES} bytes")
    try:
        document = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"the result is not JSON: {str(error)[:80]}") from error
    if not isinstance(document, dict):
        raise ResultError("the result is not a JSON object")
    check_version(document)
    trials = tuple(_trial(entry) for entry in read_entries(document, MAX_TRIALS, "trial"))
    return PodResult(
        attempt=read_attempt(document),
        trials=trials,
        cause=read_cause(document),
        message=read_text(document, "w", MAX_TEXT),
        job_fault=document.get("j") == 1,
    )


def _trial(item: Mapping[str, Any]) -> TrialResult:
    return TrialResult(
        number=item["n"],
        outcome=read_outcome(item),
        objective=read_number(item, "y"),
        standard_error=read_error(item, "e"),
        test=read_number(item, "z"),
        test_standard_error=read_error(item, "ze"),
        digest=read_digest(item),
        size_bytes=read_size(item),
        attempt=read_attempt(item),
        metrics=_metrics(item),
        rungs=_rungs(item),
        folds=_folds(item),
        **_part(item),
        cause=read_cause(item),
        message=read_text(item, "w", MAX_TEXT),
        job_fault=item.get("j") == 1,
    )


def _part(item: Mapping[str, Any]) -> dict[str, Any]:
    """Which part of a trial it is; nothing where it is all of it."""
    place = item.get("p")
    if place is None:
        return {}
    is_place = isinstance(place, list) and [type(number) for number in place] == [int, int]
    if not is_place or not 1 <= place[0] <= place[1] <= MAX_PARTS:
        raise ResultError(f"'p' is {str(place)[:40]}, not a part and how many there are")
    if not _folds(item):
        raise ResultError("'f' of a part must list the objective on each of its folds")
    return {"part": place[0], "parts": place[1]}


def _folds(item: Mapping[str, Any]) -> tuple[float, ...]:
    """The objective on each fold; empty where the result does not tell."""
    folds = item.get("f", [])
    if not isinstance(folds, list) or len(folds) > MAX_PARTS:
        raise ResultError(f"'f' must list the objective on at most {MAX_PARTS} folds")
    values = [read_number({"f": value}, "f") for value in folds]
    if any(value is None for value in values):
        raise ResultError("'f' must list finite numbers")
    return tuple(value for value in values if value is not None)


def _metrics(item: Mapping[str, Any]) -> dict[str, float]:
    metrics = item.get("m", {})
    if not isinstance(metrics, dict):
        raise ResultError("'m' must be an object of numbers")
    names = [name for name in metrics if name.isprintable()][:MAX_METRICS]
    checked = {name[:63]: read_number(metrics, name) for name in names}
    return {name: value for name, value in checked.items() if value is not None}


def _rungs(item: Mapping[str, Any]) -> dict[int, float]:
    rungs = item.get("r", {})
    if not isinstance(rungs, dict) or not all(map(_is_rung, rungs)):
        raise ResultError("'r' must be an object of numbers by rung")
    checked = {int(rung): read_number(rungs, rung) for rung in list(rungs)[:MAX_RUNGS]}
    return {rung: value for rung, value in sorted(checked.items()) if value is not None}


def _is_rung(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_RUNG_DIGITS
