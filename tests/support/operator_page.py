"""The operator's own metrics and memory, as tests of scale read them from its process."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

Figures = Mapping[tuple[str, str], float]
"""The sum over all series by name and `le`."""


@dataclass(frozen=True, slots=True)
class Page:
    """The operator's own metrics."""

    port: int

    def read(self) -> Figures:
        """All figures as they are now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
        found: dict[tuple[str, str], float] = {}
        for sample in (s for family in families for s in family.samples):
            key = sample.name, sample.labels.get("le", "")
            found[key] = found.get(key, 0.0) + sample.value
        return found


def share_within(seconds: float, before: Figures, after: Figures) -> float:
    """Of the keys that waited for a worker in between, the share that waited no longer.

    Args:
        seconds: a bound of the histogram.
        before: what the page said first.
        after: what it said then.
    """
    name = "winnow_workqueue_queue_duration_seconds"
    bucket, count = (f"{name}_bucket", str(seconds)), (f"{name}_count", "")
    return (after[bucket] - before[bucket]) / (after[count] - before[count])


def mean_reconcile(before: Figures, after: Figures) -> float:
    """Seconds of a reconcile in between, on average."""
    name = "winnow_reconcile_time_seconds"
    total, count = (f"{name}_sum", ""), (f"{name}_count", "")
    return (after[total] - before[total]) / (after[count] - before[count])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def peak_memory_mib(pid: int) -> float:
    """The most that a process has had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024
