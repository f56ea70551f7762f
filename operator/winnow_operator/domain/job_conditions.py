"""The conditions of a bounded job as one pure function of what is observed.

    Reconciling   True while there is work to do       Suspended  True while spec.suspend holds
    Complete      True once it has ended well          Degraded   True when it works less well
    Failed        True once it has ended otherwise     Stalled    as Failed: nothing will change

All six are there from the first status on, and each says since when it is as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from winnow_operator.api.conditions import Condition, ConditionType, Reason
from winnow_operator.domain.blockages import format_time, parse_time
from winnow_operator.domain.jobs import JobSpec, JobStatus
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.endings import Ending

MAX_MESSAGE = 1024

Verdict = tuple[bool, Reason, str]
"""Whether a condition holds, why, and the same as a sentence."""
OpenVerdict = tuple[bool | None, Reason, str]
"""The same; None where it is not known."""


@dataclass(frozen=True, slots=True)
class JobSituation:
    """What the status of any bounded job is made from."""

    spec: JobSpec
    generation: int
    previous: JobStatus
    now: datetime
    ledger: Ledger = field(default_factory=Ledger)
    planned: int = 0
    active_pods: int = 0
    started: str | None = None
    """When the first batch was made."""
    blockage: Blockage | None = None
    degraded: Blockage | None = None
    ending: Ending | None = None
    image: str | None = None
    template_hash: str | None = None
    kind: Kind = Kind.SEARCH
    phase: Reason = Reason.RUNNING
    activity: str = "trials are running"
    """What goes on, where nothing stands in the way, as a word and as a sentence."""


def make_conditions(
    situation: JobSituation, more: Mapping[ConditionType, OpenVerdict] | None = None
) -> tuple[Condition, ...]:
    """All known conditions, with transition times that move only on a flip.

    Args:
        situation: what is observed.
        more: verdicts of the kind's own conditions, or in place of those that all kinds have.
    """
    ending = situation.ending
    wanted: dict[ConditionType, OpenVerdict] = {
        ConditionType.RECONCILING: reconciling(situation),
        ConditionType.STALLED: _stalled(ending),
        ConditionType.COMPLETE: _complete(ending),
        ConditionType.FAILED: _failed(ending),
        ConditionType.SUSPENDED: _suspended(situation.spec),
        ConditionType.DEGRADED: _degraded(situation),
        **(more or {}),
    }
    old = {c.type: c for c in situation.previous.conditions}
    return tuple(
        condition(kind, verdict, old.get(kind), situation.now, situation.generation)
        for kind, verdict in wanted.items()
    )


def condition(
    kind: ConditionType,
    verdict: OpenVerdict,
    before: Condition | None,
    now: datetime,
    generation: int,
) -> Condition:
    """A condition; its transition time stays as it was `before` unless it has flipped."""
    is_true, reason, message = verdict
    status: Literal["True", "False", "Unknown"] = "True" if is_true else "False"
    if is_true is None:
        status = "Unknown"
    flipped = before is None or before.status != status
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message[:MAX_MESSAGE],
        last_transition_time=(
            format_time(now) if before is None or flipped else before.last_transition_time
        ),
        observed_generation=generation,
    )


def reconciling(situation: JobSituation) -> Verdict:
    """Whether there is work to do, and what stands in its way."""
    if situation.ending:
        return False, Reason.FINISHED, f"the {situation.kind.noun} has ended"
    if situation.spec.suspend:
        return False, Reason.SUSPENDED, "spec.suspend is true"
    if situation.blockage:
        return True, situation.blockage.reason, situation.blockage.message
    if situation.started is None:
        return True, Reason.PENDING, "the first batch is being made"
    return True, situation.phase, situation.activity


def _stalled(ending: Ending | None) -> Verdict:
    if ending and ending.failed:
        return True, ending.reason, ending.message
    return False, Reason.AS_EXPECTED, ""


def _complete(ending: Ending | None) -> Verdict:
    if ending and not ending.failed:
        return True, ending.reason, ending.message
    return False, Reason.FINISHED if ending else Reason.NOT_FINISHED, ""


def _failed(ending: Ending | None) -> Verdict:
    if ending and ending.failed:
        return True, ending.reason, ending.message
    return False, Reason.FINISHED if ending else Reason.NOT_FINISHED, ""


def _suspended(spec: JobSpec) -> Verdict:
    if spec.suspend:
        return True, Reason.SUSPENDED, "spec.suspend is true; set it to false to go on"
    return False, Reason.NOT_SUSPENDED, ""


def _degraded(situation: JobSituation) -> Verdict:
    if situation.degraded:
        return True, situation.degraded.reason, situation.degraded.message
    return False, Reason.AS_EXPECTED, ""


def state_of(situation: JobSituation) -> str:
    """One word for people: the reason that matters most now."""
    if situation.ending:
        return "Failed" if situation.ending.failed else "Complete"
    _, reason, _ = reconciling(situation)
    return str(reason)


def progress_of(situation: JobSituation) -> str:
    """Trials with an outcome and trials planned, `12/60`."""
    ledger = situation.ledger
    done = ledger.searched - len(ledger.searching)
    return f"{done}/{max(situation.planned, ledger.searched)}"


def condition_of(status: JobStatus, kind: ConditionType) -> Condition | None:
    """The condition of this type, if the status has one."""
    return next((c for c in status.conditions if c.type == kind), None)


def holds(status: JobStatus, kind: ConditionType) -> bool:
    """Whether the condition of this type is True."""
    found = condition_of(status, kind)
    return found is not None and found.status == "True"


def is_finished(status: JobStatus) -> bool:
    """Whether the job has ended, well or not."""
    return holds(status, ConditionType.COMPLETE) or holds(status, ConditionType.FAILED)


def has_ended(body: Mapping[str, Any]) -> bool:
    """The same of a job as the API server holds it, whose other fields may make no sense."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    ends = {ConditionType.COMPLETE, ConditionType.FAILED}
    return any(c.get("type") in ends and c.get("status") == "True" for c in conditions)


def is_at_rest(body: Mapping[str, Any]) -> bool:
    """Whether nothing is left to be done for a job as the API server holds it.

    It has ended, was looked at since it was last edited, and stays until somebody deletes it.
    """
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    is_known = status.get("observedGeneration") == metadata.get("generation")
    stays = spec.get("ttlSecondsAfterFinished") is None and "deletionTimestamp" not in metadata
    return has_ended(body) and is_known and stays


def suspended_seconds(status: JobStatus, *, spec: JobSpec, now: datetime) -> int:
    """Seconds spent suspended since the first batch, up to the last resume."""
    found = condition_of(status, ConditionType.SUSPENDED)
    if found is None or found.status != "True" or spec.suspend or not status.start_time:
        return status.suspended_seconds
    since = max(parse_time(found.last_transition_time), parse_time(status.start_time))
    return status.suspended_seconds + max(0, int((now - since).total_seconds()))


def elapsed_seconds(
    status: JobStatus, *, spec: JobSpec, started: str | None, now: datetime
) -> float:
    """Unsuspended seconds since the first batch; it stands still while suspended."""
    if started is None:
        return 0.0
    until = now
    found = condition_of(status, ConditionType.SUSPENDED)
    if spec.suspend and found is not None and found.status == "True":
        until = parse_time(found.last_transition_time)
    spent = (until - parse_time(started)).total_seconds()
    return max(0.0, spent - suspended_seconds(status, spec=spec, now=now))
