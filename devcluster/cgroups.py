"""The control group below which a node's pods run, on cgroup v1, v2 and the hybrid of both."""

from __future__ import annotations

import time
from pathlib import Path

from devcluster.errors import DevclusterError

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")
_REMOVAL_SECONDS = 10.0
_USUAL = {"cpu.shares": 1024, "cpu.weight": 100}
"""What the kernel gives every group and every process outside of one, on v1 and v2."""
_TIMES = 4
"""A node's pods against one process of the machine: at the kernel's weight a busy test beside them
takes as much as all of them, leases run out and probes fail."""


def hierarchies() -> list[Path]:
    """Roots of all mounted hierarchies; one on v2."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    # cpu and cpuacct may be two names of one folder.
    found = {p.resolve() for p in ROOT.iterdir() if (p / "cgroup.procs").exists()}
    return sorted(found)


def make_cgroup(name: str) -> None:
    """Make the group in every hierarchy, with its controllers.

    Raises:
        DevclusterError: where the machine does not let us.
    """
    try:
        for hierarchy in hierarchies():
            group = hierarchy / name
            group.mkdir(exist_ok=True)
            if (hierarchy / "cpuset.cpus").exists() and (hierarchy / "tasks").exists():
                _inherit_cpuset(hierarchy, group)
        if (ROOT / "cgroup.controllers").exists():
            _enable_controllers(ROOT)
            _enable_controllers(ROOT / name)
        for hierarchy in hierarchies():
            _weigh(hierarchy / name)
    except OSError as error:
        raise DevclusterError(
            f"no control group could be made: {error}. {ROOT} must be writable, and on cgroup v2 "
            "in a container no process may be in its root group "
            f"(`mkdir {ROOT}/init && xargs -n1 < {ROOT}/cgroup.procs > {ROOT}/init/cgroup.procs`)"
        ) from error


def _inherit_cpuset(parent: Path, group: Path) -> None:
    for name in ("cpuset.cpus", "cpuset.mems"):
        (group / name).write_text((parent / name).read_text())


def _enable_controllers(group: Path) -> None:
    available = (group / "cgroup.controllers").read_text().split()
    enabled = (group / "cgroup.subtree_control").read_text().split()
    for controller in _CONTROLLERS:
        if controller in available and controller not in enabled:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def _weigh(group: Path) -> None:
    for name, usual in _USUAL.items():
        if (group / name).exists():
            (group / name).write_text(str(_TIMES * usual))


def remove_cgroup(name: str) -> None:
    """Remove the group and all below, once its processes are gone.

    Raises:
        DevclusterError: if a process stays in it.
    """
    deadline = time.monotonic() + _REMOVAL_SECONDS
    for hierarchy in hierarchies():
        group = hierarchy / name
        while group.exists():
            _remove_tree(group)
            if group.exists() and time.monotonic() > deadline:
                raise DevclusterError(f"{group} cannot be removed: cgroup.procs in it says why")


def _remove_tree(group: Path) -> None:
    folders = [p for p in group.rglob("*") if p.is_dir()]
    for folder in (*sorted(folders, reverse=True), group):
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # the kernel lags behind the end of the processes
            time.sleep(0.02)
