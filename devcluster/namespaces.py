"""Namespaces of a node: own processes, network, mounts and host name, all gone with process 1.

What containerd, the kubelet and the CNI plugins write outside our own folders (/run, /var/log,
/var/lib) goes to folders of the profile, and the kernel settings that a kubelet insists on are
shown to it without being changed. Called by the supervisor alone.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

_NEW_MOUNTS, _NEW_NAME, _NEW_IPC = 0x20000, 0x4000000, 0x8000000
_NEW_PROCESSES, _NEW_NETWORK = 0x20000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE, _SHARED = 1 << 12, 1 << 14, 1 << 18, 1 << 20
_LIBC = ctypes.CDLL(None, use_errno=True)

HIDDEN = ("/run", "/var/log", "/var/lib")
"""Folders of the host in whose place the node sees its own."""

KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet would otherwise write for the whole machine."""


def leave_host() -> None:
    """New namespaces for this process; the one of processes begins with the next child."""
    flags = _NEW_MOUNTS | _NEW_NAME | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK
    _check(_LIBC.unshare(flags), "unshare")


def arrange_mounts(own: Path, keep: Sequence[Path]) -> None:
    """Give process 1 of the node its view of the file system.

    Args:
        own: folder of the profile for what the node writes elsewhere.
        keep: folders that stay visible wherever they are.
    """
    _mount("none", "/", _RECURSIVE | _PRIVATE)  # nothing of what follows reaches the host
    kept = {path: os.open(path, os.O_PATH) for path in keep}
    sources = {target: _own_folder(own, target) for target in HIDDEN}
    settings = {name: _own_setting(own, name, value) for name, value in KERNEL_SETTINGS.items()}
    for target, source in sources.items():
        _mount(_by_number(source), target, _BIND)
    for path, number in kept.items():
        if any(path.is_relative_to(target) for target in HIDDEN):
            path.mkdir(parents=True, exist_ok=True)
            _mount(_by_number(number), str(path), _BIND | _RECURSIVE)
    _mount("proc", "/proc", 0, kind="proc")
    for name, number in settings.items():
        if Path("/proc/sys", name).exists():
            _mount(_by_number(number), f"/proc/sys/{name}", _BIND)
    for number in (*kept.values(), *sources.values(), *settings.values()):
        os.close(number)
    _mount("none", "/", _RECURSIVE | _SHARED)  # a pod's volumes must reach its containers


def _own_folder(own: Path, target: str) -> int:
    folder = own / target.strip("/").replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder, os.O_PATH)


def _own_setting(own: Path, name: str, value: str) -> int:
    path = own / "sysctl" / name.replace("/", ".")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value + "\n")
    return os.open(path, os.O_PATH)


def _by_number(number: int) -> str:
    """Path of an open file, good even where a mount hides its name."""
    return f"/proc/self/fd/{number}"


def _mount(source: str, target: str, flags: int, kind: str | None = None) -> None:
    kind_bytes = kind.encode() if kind else None
    code = _LIBC.mount(source.encode(), target.encode(), kind_bytes, flags, None)
    _check(code, f"mount {source} on {target}")


def _check(code: int, what: str) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
