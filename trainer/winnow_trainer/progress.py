"""What a person sees in the pod's log: one line per epoch or per second, whichever is rarer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from winnow_contract.log import say
from winnow_contract.metrics_page import MetricsPage
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_trainer.training import Epoch

LINE_SECONDS = 1.0


class TrialWatch:
    """Follows one trial: its log lines, its Prometheus series, and whether it has to stop."""

    def __init__(
        self,
        name: str,
        metric: str,
        page: MetricsPage,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._metric = metric
        self._page = page
        self._stop = stop
        self._clock = clock
        self._last_line = clock()
        self._stage = ""
        self._trainings = 0
        self._before = 0
        self._last = 0

    def enter(self, stage: str) -> None:
        """Say in the lines that follow what is being done, where a trial trains several times."""
        self._stage = f" {stage}"
        self._trainings = 0

    def before_batch(self) -> None:
        """Raise Stopping once SIGTERM has come."""
        if self._stop.is_set():
            raise Stopping

    def after_epoch(self, epoch: Epoch) -> None:
        """Show an epoch."""
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
