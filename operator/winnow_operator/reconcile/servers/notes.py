"""The Events of a ModelServer: one per transition, in words for people."""

from __future__ import annotations

from collections.abc import Iterable

from winnow_operator.api.conditions import Reason
from winnow_operator.api.modelserver_status import RevisionOutcome, RevisionStatus
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.revisions import said_of
from winnow_operator.kube.recorder import EventType, Note


def transitions(changed: Iterable[RevisionStatus]) -> list[Note]:
    """Events for what has become of revisions."""
    return [note for r in changed if (note := _outcome(r)) is not None]


def _outcome(revision: RevisionStatus) -> Note | None:
    named = said_of(revision)
    match revision.outcome:
        case RevisionOutcome.ROLLING_OUT:
            words = f"{named} is rolled out: {revision.message}"
            return Note(EventType.NORMAL, str(Reason.ROLLING_OUT), "Rollout", words)
        case RevisionOutcome.SERVING:
            return Note(EventType.NORMAL, str(Reason.SERVING), "Rollout", f"{named} serves")
        case RevisionOutcome.ABORTED:
            words = f"{named} was aborted: {revision.message}"
            return Note(EventType.WARNING, str(Reason.ROLLOUT_ABORTED), "Rollout", words)
        case RevisionOutcome.SUPERSEDED:
            words = f"{named} goes: {revision.message}"
            return Note(EventType.NORMAL, str(RevisionOutcome.SUPERSEDED), "Rollout", words)
        case RevisionOutcome.WAITING | RevisionOutcome.RETIRED:
            return None


def waits(blockage: Blockage) -> Note:
    """Nothing new can be served."""
    is_normal = blockage.reason is Reason.WAITING_FOR_SOURCE
    kind = EventType.NORMAL if is_normal else EventType.WARNING
    return Note(kind, str(blockage.reason), "Follow", blockage.message)


def made_again(kind: str, name: str) -> Note:
    """Someone deleted a child."""
    words = f"{kind} {name} was deleted by someone else; it is made again"
    return Note(EventType.WARNING, "ChildDeleted", "Restore", words)
