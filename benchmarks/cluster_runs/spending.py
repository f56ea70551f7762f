"""Who pays for a run: CPU seconds by part of a devcluster, read from the host's /proc.

All processes of a node descend from its supervisor, and whoever waits for a process that has ended
inherits its time. So nothing is lost of the thousands that live for a moment: what a component
started is the component's, what a shim started (runc, the containers) is the pods', and so are the
shims themselves, which the supervisor buries.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.machine import find_node
from devcluster.profiles import open_profile

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SHIM = "containerd-shim"
OPERATOR_PROGRAM = b"winnow_operator"

PARTS = {
    "etcd": "etcd",
    "kube-apiserver": "apiserver",
    "kube-controller": "controllers",
    "kube-scheduler": "scheduler",
    "kubelet": "kubelet",
    "containerd": "containerd",
}
"""The kernel's name of a component's process, of at most 15 characters, and the part it is."""
PODS, OPERATOR, BENCHMARK, REST = "pods", "operator", "benchmark", "rest"
PAYERS = (OPERATOR, *PARTS.values(), PODS, BENCHMARK, REST)
"""`pods` are shims, runc and containers but the operator's; `rest` is everything else on the
machine, the kernel's own threads and the node's smaller components among it."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, as /proc/PID/stat has it."""

    parent: int
    name: str
    own: float
    """CPU seconds of its own."""
    buried: float
    """CPU seconds of its children that have ended, and of theirs."""
    is_operator: bool = False


def spend_so_far(profile: str) -> dict[str, float]:
    """CPU seconds of each part since the machine has started; nothing where no such node runs."""
    node = find_node(open_profile(profile))
    if node is None:
        return {}
    return parts_of(_processes(), node, os.getpid(), busy=_busy_seconds())


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds of each part between two readings."""
    return {part: round(after[part] - before[part], 2) for part in after if part in before}


def parts_of(
    processes: Mapping[int, Process], node: int, benchmark: int, *, busy: float
) -> dict[str, float]:
    """CPU seconds by part; `busy` is that of the whole machine."""
    seconds = dict.fromkeys(PAYERS, 0.0)
    for number, process in processes.items():
        part = BENCHMARK if number == benchmark else _part(number, processes, node)
        if part is not None:
            # What the benchmark has started is awaited before a run, and is none of it.
            buried = 0.0 if part == BENCHMARK else process.buried
            seconds[part] += process.own + buried
    seconds[REST] = busy - sum(seconds[part] for part in PAYERS if part != REST)
    return seconds


def _part(number: int, processes: Mapping[int, Process], node: int) -> str | None:
    """The part that a process belongs to; None for one that is no part of the node."""
    if number == node:
        return PODS  # it buries the shims
    below = list(_line(number, processes, node))
    if not below:
        return None
    top = processes[below[-1]].name
    if top != SHIM:
        return PARTS.get(top)
    return OPERATOR if any(processes[n].is_operator for n in below) else PODS


def _line(number: int, processes: Mapping[int, Process], node: int) -> Iterable[int]:
    """A process and those above it, below the node's supervisor; nothing if it is elsewhere."""
    line = []
    while number in processes:
        line.append(number)
        number = processes[number].parent
        if number == node:
            return line
    return ()


def _processes() -> dict[int, Process]:
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = _read(folder)
            except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                continue
    return found


def _read(folder: Path) -> Process:
    # The name may hold spaces and brackets; what follows the last bracket is numbers.
    head, _, tail = (folder / "stat").read_text().rpartition(")")
    fields = tail.split()  # from the third of proc(5): state, parent, ...
    user, system, buried_user, buried_system = (int(ticks) for ticks in fields[11:15])
    return Process(
        parent=int(fields[1]),
        name=head.partition("(")[2],
        own=(user + system) / TICKS_PER_SECOND,
        buried=(buried_user + buried_system) / TICKS_PER_SECOND,
        is_operator=OPERATOR_PROGRAM in (folder / "cmdline").read_bytes(),
    )


def _busy_seconds() -> float:
    """CPU seconds in which any processor of the machine did not idle."""
    words = (PROC / "stat").read_text().split(maxsplit=9)[1:9]
    user, nice, system, _idle, _waiting, interrupts, soft, _stolen = map(int, words)
    return (user + nice + system + interrupts + soft) / TICKS_PER_SECOND
