"""The revisions of a ModelServer: each is a model that was chosen, with what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from winnow_operator.api.modelserver_status import (
    MAX_HISTORY,
    ModelServerStatus,
    RevisionOutcome,
    RevisionStatus,
    RolloutStatus,
)
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.servers.served_models import Model

MAX_MESSAGE = 512
_LIVE = frozenset({RevisionOutcome.WAITING, RevisionOutcome.ROLLING_OUT, RevisionOutcome.SERVING})
ENDED = frozenset({RevisionOutcome.SERVING, RevisionOutcome.ABORTED, RevisionOutcome.SUPERSEDED})
"""What becomes of a revision at the end of its rollout."""


@dataclass(frozen=True, slots=True)
class Revisions:
    """What is remembered of a server; each change of it is written down before it is acted on."""

    history: tuple[RevisionStatus, ...] = ()
    """The newest first."""
    serving: int | None = None
    rollout: RolloutStatus | None = None
    pinned: int | None = None
    """The `spec.revision` that was acted on last."""
    chosen: int | None = None
    """The revision that is chosen now."""

    @property
    def latest(self) -> RevisionStatus | None:
        """The newest revision."""
        return self.history[0] if self.history else None

    @property
    def live(self) -> frozenset[int]:
        """Numbers of the revisions that have pods."""
        numbers = {self.serving, self.rollout.revision if self.rollout else None}
        return frozenset(number for number in numbers if number is not None)

    def get(self, number: int | None) -> RevisionStatus | None:
        """The revision of this number, if it is remembered."""
        return next((r for r in self.history if r.number == number), None)

    def is_chosen(self, model: Model) -> bool:
        """Whether this model is the one that is chosen already."""
        chosen = self.get(self.chosen)
        return chosen is not None and _is_of(chosen, model)

    def live_with(self, model: Model) -> RevisionStatus | None:
        """The newest revision with this model that serves, is on its way, or waits."""
        same = (r for r in self.history if r.outcome in _LIVE and _is_of(r, model))
        return next(same, None)

    def add(self, model: Model, now: datetime) -> Revisions:
        """With one more revision, which waits to be rolled out."""
        number = 1 if self.latest is None else self.latest.number + 1
        moment = format_time(now)
        added = RevisionStatus(
            number=number,
            model=model.name,
            uri=model.uri,
            digest=model.digest,
            outcome=RevisionOutcome.WAITING,
            message=model.why[:MAX_MESSAGE],
            created=moment,
            changed=moment,
        )
        return replace(self, history=(added, *self.history), chosen=number)

    def mark(
        self, number: int | None, outcome: RevisionOutcome, now: datetime, message: str = ""
    ) -> Revisions:
        """With another outcome of one revision; its message stays if there is no new one."""

        def marked(revision: RevisionStatus) -> RevisionStatus:
            if revision.number != number or revision.outcome is outcome:
                return revision
            update = {"outcome": outcome, "changed": format_time(now)}
            if message:
                update["message"] = message[:MAX_MESSAGE]
            return revision.model_copy(update=update)

        return replace(self, history=tuple(map(marked, self.history)))

    def trimmed(self, kept: Collection[int | None] = ()) -> Revisions:
        """With the last revisions alone, and those that are live or to be kept."""
        keep = {*self.live, self.chosen, *kept}
        history = (
            r for index, r in enumerate(self.history) if index < MAX_HISTORY or r.number in keep
        )
        return replace(self, history=tuple(history))


def _is_of(revision: RevisionStatus, model: Model) -> bool:
    return (revision.uri, revision.digest) == (model.uri, model.digest)


def changed_outcomes(old: Revisions, new: Revisions) -> list[RevisionStatus]:
    """Revisions of which something has become, the oldest first."""
    before = {r.number: r.outcome for r in old.history}
    return [r for r in reversed(new.history) if before.get(r.number) is not r.outcome]


def revisions_of(status: ModelServerStatus) -> Revisions:
    """What a status says."""
    return Revisions(
        history=status.history,
        serving=status.revision,
        rollout=status.rollout,
        pinned=status.pinned,
        chosen=status.chosen,
    )


def said_of(revision: RevisionStatus | None) -> str:
    """A revision in a sentence."""
    return "no revision" if revision is None else f"revision {revision.number} ({revision.model})"
