"""Settlements: the final status of a trial, made from what its pod says or from how it ended.

A result is what the trainer says, so only what was checked on reading it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from winnow_contract.results import PodResult, TrialResult, is_reportable
from winnow_contract.rungbook import EARLY_STOPPING
from winnow_contract.stopping import Verdict
from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import Constraint, Goal, Objective
from winnow_operator.api.trial import (
    Artifact,
    FaultScope,
    MetricValue,
    Outcome,
    RungValue,
    TrialStatus,
)
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.searches.outcome_constraints import violation

ARTIFACT_FORMAT = "winnow/safetensors-v1"
OWN_FORMAT = "winnow/contract-v1"
COMPRESSED_FORMAT = "winnow/onnx-v1"
MAX_MESSAGE = 256
MAX_CAUSE = 63
MAX_METRICS = 32
SMALLEST_VIOLATION = 1e-18
"""The last decimal of a figure in a status: less would read as none."""
_LOG_ROOM = MAX_MESSAGE - 40


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What is the same for all trials of a job when outcomes are read."""

    job: str
    objective: Objective
    artifacts_uri: str
    own_image: bool
    kind: Kind = Kind.SEARCH
    more: tuple[Objective, ...] = ()
    """Further objectives, which results have among their metrics."""
    constraints: tuple[Constraint, ...] = ()
    """Whose metrics results have too."""
    compares_folds: bool = False
    """Whether trials are compared by their folds, so that the value on each is recorded."""
    pods_per_trial: int = 1
    """Over how many pods the folds of a trial are spread."""

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the metrics besides the first objective that a result must have."""
        names = (*(o.metric for o in self.more), *(c.metric for c in self.constraints))
        return tuple(name for name in dict.fromkeys(names) if name != self.objective.metric)


@dataclass(frozen=True, slots=True)
class Settlement:
    """An outcome to record for one trial."""

    number: int
    status: TrialStatus


@dataclass(frozen=True, slots=True)
class Run:
    """Which pod ran a trial, and how many did before."""

    batch: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a trial failed."""

    word: str
    message: str
    scope: FaultScope = FaultScope.TRIAL


def failed(number: int, cause: Cause, run: Run) -> Settlement:
    """A trial that failed for this cause."""
    status = TrialStatus(
        outcome=Outcome.FAILED,
        cause=cause.word[:MAX_CAUSE],
        message=fit(cause.message),
        scope=cause.scope,
        attempts=run.attempts,
        batch=run.batch,
    )
    return Settlement(number, status)


def recorded(trial: TrialResult, result: PodResult, run: Run, context: TrialContext) -> Settlement:
    """A trial that its pod gave a result for."""
    outcome = Outcome(trial.outcome)
    if outcome is Outcome.FAILED:
        scope = FaultScope.JOB if trial.job_fault else FaultScope.TRIAL
        words = trial.message or "the trial failed and gave no reason"
        return failed(trial.number, Cause(trial.cause or "Failed", words, scope), run)
    if context.kind is Kind.COMPRESSION and outcome is Outcome.SUCCEEDED:
        return _built(trial, result, run, context)
    if outcome is Outcome.SUCCEEDED and (metric := _missing(trial, context)):
        words = f"the result names no value for {_role(metric, context)} {metric}"
        return failed(trial.number, Cause("NoObjective", words), run)
    status = TrialStatus(
        outcome=outcome,
        score=None if context.more else score_text(trial.objective, context.objective),
        values=_values(trial, context),
        fold_values=_fold_values(trial, context),
        violation=_violation(trial, context),
        test=_test(trial, context.objective),
        artifact=_artifact(trial, result, context),
        rungs=_rungs(trial.rungs),
        cause=(trial.cause or None) if outcome is Outcome.STOPPED else None,
        message=fit(trial.message) if outcome is Outcome.STOPPED and trial.message else None,
        attempts=run.attempts,
        batch=run.batch,
    )
    return Settlement(trial.number, status)


def stopped(
    number: int, verdict: Verdict, values: Mapping[int, float], run: Run, objective: Objective
) -> Settlement:
    """A trial that the job's rule stops at a rung.

    Args:
        number: of the trial.
        verdict: that stops it.
        values: the objective at the rungs that it has reached.
        run: the pod that runs it.
        objective: of the job.
    """
    value = values[verdict.rung]
    known = value if is_reportable(value) else None
    status = TrialStatus(
        outcome=Outcome.STOPPED,
        score=score_text(known, objective),
        values=() if known is None else (_metric(objective.metric, known, None),),
        rungs=_rungs({rung: v for rung, v in values.items() if rung <= verdict.rung}),
        cause=EARLY_STOPPING,
        message=fit(verdict.reason),
        attempts=run.attempts,
        batch=run.batch,
    )
    return Settlement(number, status)


def _rungs(values: Mapping[int, float]) -> tuple[RungValue, ...]:
    return tuple(
        RungValue(rung=rung, value=decimal_text(value))
        for rung, value in sorted(values.items())
        if is_reportable(value)
    )


def _built(trial: TrialResult, result: PodResult, run: Run, context: TrialContext) -> Settlement:
    """A candidate whose artifact is there: it stays Active until it is measured."""
    artifact = _artifact(trial, result, context)
    if artifact is None:
        words = "its pod says that it succeeded, and names no artifact"
        return failed(trial.number, Cause("NoArtifact", words), run)
    status = TrialStatus(artifact=artifact, attempts=run.attempts, batch=run.batch)
    return Settlement(trial.number, status)


def score_text(value: float | None, objective: Objective) -> str | None:
    """The value with its sign so that lower is better."""
    if value is None:
        return None
    return decimal_text(value if objective.goal is Goal.MINIMIZE else -value)


def _missing(trial: TrialResult, context: TrialContext) -> str | None:
    """The first metric that a result must have, and has not."""
    if trial.objective is None:
        return context.objective.metric
    return next((name for name in context.needed if name not in trial.metrics), None)


def _role(metric: str, context: TrialContext) -> str:
    objectives = {context.objective.metric, *(o.metric for o in context.more)}
    return "objective" if metric in objectives else "the constraint on"


def _fold_values(trial: TrialResult, context: TrialContext) -> str | None:
    if not context.compares_folds or not trial.folds:
        return None
    return " ".join(f"{value:.6g}" for value in trial.folds)


def _violation(trial: TrialResult, context: TrialContext) -> str | None:
    """How far a whole result is from keeping the constraints; None if it keeps them."""
    if trial.objective is None or _missing(trial, context) is not None:
        return None
    values = {**trial.metrics, context.objective.metric: trial.objective}
    missed = violation(values, context.constraints)
    return decimal_text(max(missed, SMALLEST_VIOLATION)) if missed else None


def _values(trial: TrialResult, context: TrialContext) -> tuple[MetricValue, ...]:
    """The objectives in their order, then what else was measured."""
    if _missing(trial, context) is not None or trial.objective is None:
        return ()
    first = _metric(context.objective.metric, trial.objective, trial.standard_error)
    names = dict.fromkeys((*context.needed, *trial.metrics))
    others = (name for name in names if name != context.objective.metric)
    return (first, *(_metric(n, trial.metrics[n], None) for n in others))[:MAX_METRICS]


def _test(trial: TrialResult, objective: Objective) -> tuple[MetricValue, ...]:
    if trial.test is None:
        return ()
    return (_metric(objective.metric, trial.test, trial.test_standard_error),)


def _metric(name: str, value: float, error: float | None) -> MetricValue:
    text = None if error is None else decimal_text(error)
    return MetricValue(metric=name, value=decimal_text(value), standard_error=text)


def _artifact(trial: TrialResult, result: PodResult, context: TrialContext) -> Artifact | None:
    attempt = trial.attempt or result.attempt
    if not trial.digest or not attempt:
        return None
    name = context.kind.trial_name(context.job, trial.number)
    return Artifact(
        uri=f"{context.artifacts_uri}/{name}/{attempt}",
        digest=f"sha256:{trial.digest}",
        format=_format(context),
        size_bytes=trial.size_bytes,
    )


def _format(context: TrialContext) -> str:
    if context.kind is Kind.COMPRESSION:
        return COMPRESSED_FORMAT
    return OWN_FORMAT if context.own_image else ARTIFACT_FORMAT


def tail(log: str) -> str:
    """The last log lines that fit into a Trial's message, on one line."""
    lines: list[str] = []
    for line in reversed(log.strip().splitlines()):
        if sum(len(kept) + 3 for kept in lines) + len(line) > _LOG_ROOM:
            break
        lines.insert(0, line.strip())
    return " | ".join(filter(None, lines)) or log.strip()[-_LOG_ROOM:]


def fit(message: str) -> str:
    """A message as a Trial may hold it: printable, and at most 256 bytes."""
    # Nothing from a log may steer the terminal of whoever reads the Trial.
    printable = "".join(c if c.isprintable() else " " for c in message)
    encoded = printable.encode(errors="replace")
    if len(encoded) <= MAX_MESSAGE:
        return encoded.decode()
    return encoded[: MAX_MESSAGE - 3].decode(errors="ignore") + "..."
