"""What the container may use, and what it has used."""

from __future__ import annotations

import contextlib
import math
import os
import re
import resource
from collections.abc import Mapping
from pathlib import Path

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""The container's CPU limit (cgroup v2): `<quota> <period>` in microseconds, or `max`."""

MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""The container's memory limit (cgroup v2) in bytes, or `max`."""
PROCESS_STATUS = Path("/proc/self/status")
CLEAR_REFERENCES = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""Sets the peak to what is resident now (proc(5))."""


def thread_count(variables: Mapping[str, str], limit_file: Path = CPU_LIMIT) -> int:
    """Threads to compute with: WINNOW_THREADS, else the CPU limit rounded up, else 1.

    More threads than cores make small models slower by far.
    """
    given = variables.get("WINNOW_THREADS", "")
    if given.isascii() and given.isdigit() and int(given) > 0:
        return int(given)
    try:
        quota, period = limit_file.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return 1


def limit_threads(threads: int) -> None:
    """Tell the libraries that are imported later."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))


def memory_limit_bytes(limit_file: Path = MEMORY_LIMIT) -> int | None:
    """The container's memory limit; None if it has none that can be read."""
    try:
        return int(limit_file.read_text())
    except (OSError, ValueError):
        return None


def peak_memory_bytes(status: Path = PROCESS_STATUS) -> int:
    """The most memory held since `reset_peak_memory`: of the GPU if there is one, else resident."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
    except OSError:
        found = None
    # Of the whole life of the process, where the kernel does not say more.
    kilobytes = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * 1024


def reset_peak_memory() -> None:
    """Start counting anew, so that a trial does not answer for the ones before it in its pod."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):  # a sandbox may not let it; then the figure is a bound
        CLEAR_REFERENCES.write_text(RESET_PEAK)
