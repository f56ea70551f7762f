"""What Prometheus says of running trials, asked again and again in the background.

    look --heard--> what is known is given, and the job is followed from now on
                         |
                         +--an answer with news--> the key is put on the queue again

No reconcile ever waits for an answer, and a job is looked at only when there is news: values at
rungs at once, a better value now and then. A question that fails is put again soon, and is news only when it
has failed several times on end: each change of that is a write. A job that is forgotten is not followed any more;
its failures are still known, as there is one Prometheus: short trials would each begin with none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from winnow_operator.clock import Clock
from winnow_operator.domain.searches.trial_metrics import Heard, TrialQuestion, heard_of, queries
from winnow_operator.errors import NoAnswerError
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers.analysis import Asks

RUNGS_SECONDS = 5.0
"""How soon a job is asked about again whose trials may have to be stopped."""
LIVE_SECONDS = 30.0
"""The same of any other job, and the least time between two looks because of a better value."""
PATIENCE = 3
"""Questions that must fail on end before Prometheus counts as away; what it has said holds until then."""
AT_ONCE = 4
"""Jobs that are asked about at one time."""


@dataclass(slots=True)
class _Followed:
    """A job that is asked about."""

    question: TrialQuestion
    task: asyncio.Task[None]
    heard: Heard | None = None
    failures: int = 0
    """Questions that have failed since the last one that was answered."""
    woken: float = float("-inf")
    """When it was last put on the queue, in monotonic seconds."""


@dataclass(slots=True)
class TrialFeed:
    """The jobs that are followed, and the last answers."""

    prometheus: Asks | None
    """None: there is none to ask."""
    clock: Clock
    wake: Callable[[Key], None]
    """Has a key looked at again."""
    _followed: dict[Key, _Followed] = field(default_factory=dict)
    _failures: int = 0
    """Questions about any job that have failed one after the other since the last answer."""
    _failed_at: float = float("-inf")
    """When the last of them did, in monotonic seconds."""
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def is_configured(self) -> bool:
        """Whether there is a Prometheus to ask."""
        return self.prometheus is not None

    def heard(self, key: Key, question: TrialQuestion) -> Heard | None:
        """What is known by now; None before the first answer, or where there is none to ask."""
        if self.prometheus is None:
            return None
        known = self._followed.get(key)
        # A task that has ended has met a bug; it must not leave its last answer to be believed for ever.
        if known is None or known.question != question or known.task.done():
            self.forget(key)
            task = asyncio.create_task(self._follow(self.prometheus, key, question))
            known = self._followed[key] = _Followed(question, task)
        return known.heard

    def forget(self, key: Key) -> None:
        """No trial runs there any more."""
        known = self._followed.pop(key, None)
        if known is not None:
            known.task.cancel()

    async def _follow(self, prometheus: Asks, key: Key, question: TrialQuestion) -> None:
        while True:
            async with self._turn:
                asked_at = self.clock.monotonic()
                heard = await _answer(prometheus, question)
            is_soon = question.wants_rungs or heard.problem
            self._count(heard, asked_at)
            self._note(key, heard)
            await asyncio.sleep(RUNGS_SECONDS if is_soon else LIVE_SECONDS)

    def _count(self, heard: Heard, asked_at: float) -> None:
        if not heard.problem:
            self._failures = 0
        elif asked_at >= self._failed_at:  # questions of one moment fail together, and count once
            self._failures += 1
            self._failed_at = self.clock.monotonic()

    def _note(self, key: Key, heard: Heard) -> None:
        known, now = self._followed[key], self.clock.monotonic()
        known.failures = known.failures + 1 if heard.problem else 0
        if heard.problem and max(known.failures, self._failures) < PATIENCE:
            return
        before, known.heard = known.heard, heard
        is_news = before is None or _without_words(before) != _without_words(heard)
        is_better = before is not None and before.best != heard.best
        if is_news or (is_better and now - known.woken >= LIVE_SECONDS):
            known.woken = now
            self.wake(key)

    async def close(self) -> None:
        """Follow no job any more."""
        tasks = [known.task for known in self._followed.values()]
        for task in tasks:
            task.cancel()
        self._followed.clear()
        await asyncio.gather(*tasks, return_exceptions=True)


def _without_words(heard: Heard) -> Heard:
    """What is news if it changes: of a problem, whether there is one, for its words change with each try."""
    return replace(heard, best=None, problem="away" if heard.problem else "")


async def _answer(prometheus: Asks, question: TrialQuestion) -> Heard:
    try:
        return heard_of(await prometheus.ask(queries(question)))
    except NoAnswerError as error:
        return Heard(problem=str(error))
