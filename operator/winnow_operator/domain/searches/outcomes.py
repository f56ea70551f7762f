"""What an ended pod means for its trials: one verdict per pod, from facts alone.

    pod ended            trials with a result     at fault                the others without
    ------------------   ----------------------   ---------------------   ------------------
    A exit 0             recorded                 all: NoResult           -
    B exit 3 (SIGTERM)   recorded, unless Stopped nobody                  run again
    C exit 64            -                        all: ContractMismatch   -
    D exit 65            recorded                 all: the pod's cause    -
    E OOMKilled          recorded                 first: OOMKilled        run again
    F out of time        recorded                 first: DeadlineExceeded run again
    G disrupted          recorded                 nobody                  run again
    H other codes        recorded                 first, once the Job     run again
                                                  retries no more

A pod runs its trials one after the other, so the first one without a result is the one at fault,
unless it has an outcome already. Whether the others run again in the same Job or in a new batch
depends on the Job alone: while it has not counted their index as ended, they are the Job's.
A pod that was deleted (A, E, H) is nobody's fault either.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass

from winnow_contract.exit_codes import ExitCode
from winnow_contract.results import PodResult, ResultError, decode_result
from winnow_operator.api.trial import FaultScope, Outcome
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.pods import PodFact, Termination
from winnow_operator.domain.searches.fold_parts import is_part
from winnow_operator.domain.settlements import (
    Cause,
    Run,
    Settlement,
    TrialContext,
    failed,
    recorded,
    tail,
)

__all__ = [
    "CONTRACT_CAUSE",
    "MAX_ATTEMPTS",
    "PodVerdict",
    "Settlement",
    "TrialContext",
    "judge_orphan",
    "judge_pod",
]

CONTRACT_CAUSE = "ContractMismatch"
"""Cause of trials whose image speaks another version of the contract than the operator."""
MAX_ATTEMPTS = 10
"""Runs of one trial, over all causes, after which it has failed: nothing runs for ever."""

_SIGNAL_BASE = 128
_START_ERRORS = frozenset({"StartError", "ContainerCannotRun"})
_FINAL = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class PodVerdict:
    """What an ended pod means."""

    settlements: tuple[Settlement, ...] = ()
    released: tuple[int, ...] = ()
    """Trials that get no outcome from this pod, and that no Job will run again by itself."""


@dataclass(frozen=True, slots=True)
class _Case:
    """An ended pod, its batch, and what it said."""

    pod: PodFact
    batch: BatchFact
    result: PodResult | None
    is_counted: bool
    """Whether the Job has counted the index as ended, or is over: it starts no other pod for it."""

    def run(self, number: int) -> Run:
        """This run of a trial, and how many there were with it."""
        return Run(self.pod.batch, self.batch.runs_of(number, self.pod.attempt))

    def first(self, rest: list[int]) -> list[int]:
        """The trial that was running, if it is one of `rest`."""
        done = {t.number for t in self.result.trials if t.outcome in _FINAL} if self.result else ()
        running = next((n for n in self.batch.trials_of(self.pod.index) if n not in done), None)
        return [n for n in rest if n == running]


def judge_orphan(pod: PodFact, active: frozenset[int], context: TrialContext) -> PodVerdict:
    """The verdict on an ended pod whose Job is gone: what succeeded counts, the rest runs again."""
    result = _result(pod.termination)
    if result is None:
        return PodVerdict()
    run = Run(pod.batch, pod.attempt)
    return PodVerdict(
        tuple(
            recorded(trial, result, run, context)
            for trial in result.trials
            if trial.outcome == Outcome.SUCCEEDED and trial.number in active and not is_part(trial)
        )
    )


def judge_pod(  # noqa: PLR0913 -- the facts of one verdict
    pod: PodFact,
    batch: BatchFact,
    active: frozenset[int],
    context: TrialContext,
    *,
    is_latest: bool = True,
    moved: frozenset[int] = frozenset(),
) -> PodVerdict:
    """The verdict on an ended pod (scenarios A to H above).

    Args:
        pod: a pod that has ended.
        batch: the batch that it belongs to.
        active: numbers of trials that have no outcome yet.
        context: what is the same for all trials of the job.
        is_latest: whether no later pod of the same index exists; only the latest one decides
            about trials that it gives no result for.
        moved: trials that a later batch runs: this pod only counts for them if it has a result.
    """
    own = [n for n in batch.trials_of(pod.index) if n in active]
    if not own:
        return PodVerdict()  # most pods, most of the time: their results are not read again
    is_counted = not batch.is_live or pod.index not in batch.open_indexes()
    case = _Case(pod, batch, _result(pod.termination), is_counted)
    said = _said(case, own, context)
    if not is_latest:
        return PodVerdict(tuple(said))
    settled = {s.number for s in said} | moved | _parts(case)
    blamed = _blamed(case, [n for n in own if n not in settled])
    settled |= {s.number for s in blamed}
    left = [n for n in own if n not in settled] if is_counted else []
    lost = [_lost(n, case) for n in left if case.run(n).attempts >= MAX_ATTEMPTS]
    again = tuple(n for n in left if case.run(n).attempts < MAX_ATTEMPTS)
    return PodVerdict((*said, *blamed, *lost), again)


def result_of(pod: PodFact) -> PodResult | None:
    """What a pod says, if that is a result."""
    return _result(pod.termination)


def _result(ended: Termination | None) -> PodResult | None:
    try:
        return decode_result(ended.message) if ended is not None else None
    except ResultError:
        return None


def _said(case: _Case, own: list[int], context: TrialContext) -> list[Settlement]:
    """Outcomes that the pod itself gives."""
    ended, result = case.pod.termination, case.result
    if ended is None or result is None or ended.exit_code == ExitCode.CONTRACT:
        return []
    # Only a pod that ended by itself can say that a trial was stopped for good.
    accepted = {*_FINAL, Outcome.STOPPED} if ended.exit_code == ExitCode.OK else _FINAL
    return [
        recorded(trial, result, case.run(trial.number), context)
        for trial in result.trials
        if trial.number in own and trial.outcome in accepted and not is_part(trial)
    ]


def _parts(case: _Case) -> set[int]:
    """Trials of which the pod gives a part: nobody is to blame, and nothing is to run again."""
    trials = () if case.result is None else case.result.trials
    return {trial.number for trial in trials if is_part(trial)}


def _blamed(case: _Case, rest: list[int]) -> list[Settlement]:
    """Failures of the trials without a result that are at fault."""
    ended, by_cluster = case.pod.termination, case.pod.disrupted or case.pod.deleting
    if ended is None:  # the node was lost, or the pod never started
        return [] if by_cluster else _out_of_time(case, rest)
    match ended.exit_code:
        case ExitCode.CONTRACT:  # C
            cause = Cause(CONTRACT_CAUSE, _sentence(case, ended), FaultScope.JOB)
            return _failures(case, rest, cause)
        case ExitCode.PERMANENT:  # D
            return _failures(case, rest, _permanent(case, ended))
        case ExitCode.OK:  # A
            return [] if by_cluster else _without_result(case, rest, ended)
        case _ if case.pod.disrupted:  # G
            return []
        case _:
            return _out_of_time(case, rest) or _at_fault(case, rest, ended)


def _out_of_time(case: _Case, rest: list[int]) -> list[Settlement]:
    if case.pod.reason != "DeadlineExceeded":  # F
        return []
    words = "its pod ran longer than budget.maxTrialDuration allows"
    return _failures(case, case.first(rest), Cause("DeadlineExceeded", words))


def _at_fault(case: _Case, rest: list[int], ended: Termination) -> list[Settlement]:
    if case.pod.deleting or ended.exit_code == ExitCode.STOPPED:  # B
        return []
    if ended.reason == "OOMKilled":  # E
        words = "the container used more memory than its limit and was killed"
        return _failures(case, case.first(rest), Cause("OOMKilled", words))
    if case.pod.index in case.batch.failed:  # H
        return _failures(case, case.first(rest), _crash(case, ended))
    return []  # the Job tries again


def _failures(case: _Case, numbers: Iterable[int], cause: Cause) -> list[Settlement]:
    return [failed(n, cause, case.run(n)) for n in numbers]


def _without_result(case: _Case, rest: list[int], ended: Termination) -> list[Settlement]:
    words = "the container ended with code 0 but"
    try:
        decode_result(ended.message)
    except ResultError as error:
        return _failures(
            case, rest, Cause("NoResult", f"{words} its result is unreadable: {error}")
        )
    return [
        failed(n, Cause("NoResult", f"{words} gave no result for trial number {n}"), case.run(n))
        for n in rest
    ]


def _permanent(case: _Case, ended: Termination) -> Cause:
    result = case.result
    cause = (result.cause if result else "") or "Permanent"
    scope = FaultScope.JOB if result is not None and result.job_fault else FaultScope.TRIAL
    return Cause(cause, _sentence(case, ended), scope)


def _sentence(case: _Case, ended: Termination) -> str:
    return _words(case, ended) or f"the container ended with code {ended.exit_code}"


def _words(case: _Case, ended: Termination) -> str:
    """What the pod itself says: the message of its result, or else its last log lines."""
    return case.result.message if case.result is not None else tail(ended.message)


def _crash(case: _Case, ended: Termination) -> Cause:
    pod = case.pod
    if pod.reason == "Evicted":  # over its own limit of disk: no fault of the cluster
        return Cause("Evicted", pod.message or "the pod was evicted")
    cause = "StartError" if ended.reason in _START_ERRORS else "Crash"
    if ended.exit_code == ExitCode.TEMPORARY:
        cause = "StorageUnavailable"
    words = _words(case, ended)
    code = f"exit code {ended.exit_code}{_signal(ended.exit_code)}"
    return Cause(cause, f"{code}: {words}" if words else code)


def _signal(code: int) -> str:
    try:
        return f" ({signal.Signals(code - _SIGNAL_BASE).name})" if code > _SIGNAL_BASE else ""
    except ValueError:
        return ""


def _lost(number: int, case: _Case) -> Settlement:
    pod = case.pod
    last = ": ".join(filter(None, (pod.reason, pod.message)))
    words = f"its pod was ended {MAX_ATTEMPTS} times before the trial was done"
    return failed(
        number, Cause("Lost", f"{words}; last {last}" if last else words), case.run(number)
    )
