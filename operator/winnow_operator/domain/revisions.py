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
from winnow_operator.domain.served_models import Model

MAX_MESSAGE = 512


@dataclass(frozen=True, slots=True)
class Revisions:
    """What is remembered of a server; each change of it is written down before it is acted on."""

    history: tuple[RevisionStatus, ...] = ()
    """The newest first."""
    serving: int | None = None
    rollout: RolloutStatus | None = None
    pinned: int | None = None
    """The `spec.revision` that was acted on last."""

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

    def newest_of(self, model: Model) -> RevisionStatus | None:
        """The newest revision that has this model."""
        same = (r for r in self.history if (r.uri, r.digest) == (model.uri, model.digest))
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
        return replace(self, history=(added, *self.history))

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
        keep = {*self.live, *kept}
        history = (
            r for index, r in enumerate(self.history) if index < MAX_HISTORY or r.number in keep
        )
        return replace(self, history=tuple(history))


def revisions_of(status: ModelServerStatus) -> Revisions:
    """What a status says."""
    return Revisions(status.history, status.revision, status.rollout, status.pinned)


def said_of(revision: RevisionStatus | None) -> str:
    """A revision in a sentence."""
    return "no revision" if revision is None else f"revision {revision.number} ({revision.model})"
