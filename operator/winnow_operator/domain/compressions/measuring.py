"""What a measurement Job and its pods mean for the candidates of its round.

pod ended with a result that can be read      outcomes
exit 64, 65, or exit 0 without a result       the compression fails with the pod's cause
Job failed after its retries                  same
Job over, and no pod that says why            nobody's fault: measured again
a pod that was stopped, deleted, disrupted    same, once the Job starts no other
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.exit_codes import ExitCode
from winnow_contract.measuring.measured import MeasurementResult, decode_measured
from winnow_contract.results import ResultError
from winnow_operator.api.conditions import Reason
from winnow_operator.domain.batches import is_over
from winnow_operator.domain.pods import MEASUREMENT, PodFact, Termination
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.settlements import tail


@dataclass(frozen=True, slots=True)
class MeasurementFact:
    """The Job of one measurement."""

    name: str
    uid: str
    number: int
    """The round that it measures."""
    finished: bool
    deleting: bool
    suspended: bool
    ttl: int | None
    created: str

    @property
    def is_live(self) -> bool:
        """Whether its pod runs or will run."""
        return not self.finished and not self.deleting


def read_measurement(body: Mapping[str, Any]) -> MeasurementFact | None:
    """The facts of a Job, or None if it measures nothing."""
    metadata, spec = body["metadata"], body["spec"]
    component = (metadata.get("labels") or {}).get("app.kubernetes.io/component")
    digits = metadata["name"].rpartition("-m")[2]
    if component != MEASUREMENT or not digits.isdigit():
        return None
    return MeasurementFact(
        name=metadata["name"],
        uid=metadata["uid"],
        number=int(digits),
        finished=is_over(body),
        deleting="deletionTimestamp" in metadata,
        suspended=bool(spec.get("suspend", False)),
        ttl=spec.get("ttlSecondsAfterFinished"),
        created=metadata.get("creationTimestamp", ""),
    )


@dataclass(frozen=True, slots=True)
class Lost:
    """The Job is over and nothing is known of its result, by nobody's fault."""


Finding = MeasurementResult | Ending | Lost | None
"""None: it goes on."""


def find_measured(job: MeasurementFact, pods: Iterable[PodFact]) -> Finding:
    """What a measurement has come to."""
    ended = sorted(
        (pod for pod in pods if pod.batch_uid == job.uid and pod.is_terminal),
        key=lambda pod: (-pod.attempt, pod.created),
    )
    for pod in ended:
        result = _result(pod.termination)
        if result is not None and not result.cause:
            return result
    for pod in ended:
        if failure := _final(pod):
            return failure
    if not job.finished:
        return None
    last = next(iter(ended), None)
    return Lost() if last is None or _is_nobodys(last) else _crash(last)


def _result(ended: Termination | None) -> MeasurementResult | None:
    try:
        return None if ended is None else decode_measured(ended.message)
    except ResultError:
        return None


def _final(pod: PodFact) -> Ending | None:
    """How the job ends by this pod alone, whatever its Job goes on to do."""
    ended = pod.termination
    if ended is None:
        return None
    match ended.exit_code:
        case ExitCode.CONTRACT:
            return Ending(Reason.CONTRACT_MISMATCH, _words(ended), failed=True)
        case ExitCode.PERMANENT:
            return _failed(_words(ended))
        case ExitCode.OK if not pod.deleting and not pod.disrupted:
            return _failed(f"the measuring pod gave no result that can be read: {_problem(ended)}")
        case _:
            return None


def _is_nobodys(pod: PodFact) -> bool:
    ended = pod.termination
    return ended is None or pod.disrupted or pod.deleting or ended.exit_code == ExitCode.STOPPED


def _crash(pod: PodFact) -> Ending:
    ended = pod.termination
    assert ended is not None  # noqa: S101 -- without one it is nobody's fault
    if ended.reason == "OOMKilled":
        words = (
            "OOMKilled: the measuring pod used more memory than its limit; raise "
            "spec.measurement.resources in a new CompressionJob"
        )
        return _failed(words)
    code = f"the measuring pod ended with code {ended.exit_code}"
    said = _words(ended)
    return _failed(f"{code}: {said}" if said else code)


def _words(ended: Termination) -> str:
    result = _result(ended)
    if result is None:
        return tail(ended.message)
    return f"{result.cause}: {result.message}" if result.message else result.cause


def _problem(ended: Termination) -> str:
    try:
        return f"cause {decode_measured(ended.message).cause}"
    except ResultError as error:
        return str(error)


def _failed(words: str) -> Ending:
    return Ending(Reason.MEASUREMENT_FAILED, words, failed=True)


def lost_too_often(runs: int) -> Ending:
    """The end of a job whose measuring pods never get to their end."""
    return _failed(f"the measuring pod was ended {runs} times before it had measured")


def covers(result: MeasurementResult, numbers: Collection[int]) -> bool:
    """Whether a result speaks of all these candidates."""
    return {candidate.number for candidate in result.candidates}.issuperset(numbers)
