"""How much memory a server needs for a model: a process of its own, over an empty runtime.

Only a fresh process tells: in one that has held other models, memory that was given back to the
allocator is used again and never seen. It is also where a model shows for the first time that it
can be run at all: one that takes too much, or takes its process with it, ends there alone.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from winnow_measure.spread import summarise
from winnow_runtime.errors import ModelError

__all__ = ["memory_left_bytes", "memory_of"]

PROCESSES = 3
PROBE_SECONDS = 600
"""A model that needs longer for a few requests is not measured."""
LEAST_BYTES = 4096
"""A model that fits into what the empty runtime holds already still has a page."""
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEMORY_USED = Path("/sys/fs/cgroup/memory.current")


def memory_of(path: Path, threads: int, batch_sizes: Sequence[int]) -> tuple[float, float | None]:
    """Bytes that the model takes, loaded and run, and their standard error.

    Raises:
        ModelError: with cause OutOfMemory, CannotRun or Crash.
    """
    probes = [_probe(path, threads, batch_sizes) for _ in range(PROCESSES)]
    table = np.maximum(np.asarray([probes], dtype=np.float64), LEAST_BYTES)
    return summarise(table, share_moods=False)[0]


def _probe(path: Path, threads: int, batch_sizes: Sequence[int]) -> int:
    limit = memory_left_bytes()
    words = [str(path), str(threads), ",".join(map(str, batch_sizes)), str(limit or 0)]
    command = [sys.executable, "-m", "winnow_measure.memory_probe", *words]
    try:
        done = subprocess.run(  # noqa: S603 -- our own program
            command, capture_output=True, text=True, check=False, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            "CannotRun",
            f"a few requests took over {PROBE_SECONDS} s: the model is too slow to measure",
        ) from error
    if done.returncode == -signal.SIGKILL:
        raise ModelError(
            "OutOfMemory",
            "the process that ran the model was killed, most likely for its memory: raise "
            "measurement.resources, or lower batchSizes",
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["without a word"]
        raise ModelError(
            "Crash",
            f"the process that ran the model ended with {done.returncode}: {lines[-1][:300]}",
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    if "cause" in answer:
        raise ModelError(answer["cause"], answer["message"])
    return int(answer["bytes"])


def memory_left_bytes(limit_file: Path = MEMORY_LIMIT, used_file: Path = MEMORY_USED) -> int | None:
    """What the container may still use; None if it has no limit that can be read."""
    try:
        return max(int(limit_file.read_text()) - int(used_file.read_text()), 1)
    except (OSError, ValueError):
        return None
