"""What a person sees in the pod's log: one line per epoch or per second, whichever is rarer."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from winnow_contract.log import say
from winnow_contract.metrics_page import MetricsPage
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_contract.rungbook import (
    DEADLINE_EXCEEDED,
    EARLY_STOPPING,
    OUT_OF_TIME,
    RungBook,
    TrialStopped,
)
from winnow_contract.stopping import STEPS
from winnow_trainer.errors import TrialError
from winnow_trainer.training import Epoch

LINE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What may end a trial before it ends by itself."""

    rungs: RungBook | None = None
    """Of the pod, where the job has a rule."""
    number: int = 0
    """Of the trial."""
    seconds: float = math.inf
    """That it may take."""


class TrialWatch:
    """Follows one trial: its log lines, its Prometheus series, and whether it has to stop."""

    def __init__(  # noqa: PLR0913 -- what is followed, and what it may use
        self,
        name: str,
        metric: str,
        page: MetricsPage,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        *,
        limits: Limits | None = None,
    ) -> None:
        self._name = name
        self._metric = metric
        self._page = page
        self._stop = stop
        self._clock = clock
        self._last_line = clock()
        self._limits = limits or Limits()
        self._end = clock() + self._limits.seconds
        self._stage = ""
        self._trainings = 0
        self._before = 0
        self._last = 0

    def enter(self, stage: str) -> None:
        """Say in the lines that follow what is being done, where a trial trains several times."""
        self._stage = f" {stage}"
        self._trainings = 0

    def before_batch(self) -> None:
        """Raise Stopping once SIGTERM has come, and TrialError once the trial's time is over."""
        if self._stop.is_set():
            raise Stopping
        if self._clock() > self._end:
            raise TrialError(DEADLINE_EXCEEDED, OUT_OF_TIME)

    def after_epoch(self, epoch: Epoch) -> None:
        """Show an epoch.

        Raises:
            TrialStopped: if the job's rule stops the trial here.
        """
        figures = {self._metric: epoch.value, "train_loss": epoch.loss}
        if epoch.number == 1:  # steps never go back, however often a trial trains
            self._trainings += 1
            self._before += self._last
        self._last = epoch.number
        self._page.report(self._name, self._before + epoch.number, figures)
        if self._clock() - self._last_line >= LINE_SECONDS or epoch.number == epoch.count:
            self._last_line = self._clock()
            say(
                f"trial {self._name}{self._place()} epoch {epoch.number}/{epoch.count} "
                f"loss {epoch.loss:.4g} {self._metric} {epoch.value:.4g} "
                f"({epoch.seconds:.2g} s/epoch)"
            )
        if not self._before:  # rungs are those of the first training: with folds, of the first one
            self._reach(epoch)

    def _reach(self, epoch: Epoch) -> None:
        book = self._limits.rungs
        if book is None or book.rule is None:
            return
        is_by_steps = book.rule.resource == STEPS
        each = epoch.steps // epoch.number if is_by_steps else 1
        now, end = epoch.number * each, epoch.count * each
        reached, verdict = book.reach(self._limits.number, now, epoch.value, end)
        for rung in reached:
            self._page.reach(self._name, rung, epoch.value)
        if verdict is not None:
            raise TrialStopped(EARLY_STOPPING, verdict.reason)

    def _place(self) -> str:
        again = f" training {self._trainings}" if self._trainings > 1 else ""
        return self._stage + again


def say_outcome(name: str, metric: str, result: TrialResult) -> None:
    """Write the line that a trial ends with."""
    if result.outcome != "Succeeded":
        why = f" {result.cause}: {result.message}" if result.cause else ""
        say(f"trial {name} {result.outcome}{why}")
        return
    parts = [f"trial {name} Succeeded {metric} {result.objective:.6g}"]
    if result.standard_error is not None:
        parts.append(f"+- {result.standard_error:.2g}")
    if result.test is not None:
        parts.append(f"test {result.test:.6g}")
    say(" ".join(parts))
