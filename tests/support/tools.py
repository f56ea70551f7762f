"""The means of a reconcile, over an API server that a test plays."""

from __future__ import annotations

from typing import Any

from tests.support.loop_clock import LoopClock
from winnow_operator.kube.recorder import Recorder
from winnow_operator.reconcile.jobcontext import Tools
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.settings import Settings


def tools_over(server: Any, clock: LoopClock) -> Tools:
    """Tools that know no pod and no Prometheus; the server has those calls that the test needs."""
    recorder = Recorder(server, clock, "operator-1")
    return Tools(server, recorder, PodBook(), Settings("trainer:1", "server:1"), clock)
