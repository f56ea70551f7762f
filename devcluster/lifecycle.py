"""`up`, `down` and `reset`: from whatever a profile is to what was asked for.

nothing               up: start everything
up, as asked          up: say so
control plane only    up: add the rest of the node
half (a kill)         up: clear it away, then as from nothing; or go on, once the API stands
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from devcluster.binaries import binary_folder, ensure_binaries
from devcluster.cgroups import remove_cgroup
from devcluster.components import Layout
from devcluster.control_plane import connect_api, start_control_plane, wait_for_control_plane
from devcluster.credentials import make_credentials, open_credentials
from devcluster.errors import DevclusterError
from devcluster.full_node import show_gpus, start_full_node
from devcluster.machine import end_node, find_node, start_node
from devcluster.network import connect, wait_for_cable_to_go
from devcluster.packages import PROMETHEUS, ensure_packages, ensure_programs
from devcluster.profiles import Profile, cache_root, known_profiles, open_profile
from devcluster.prometheus import URL, prometheus_address, start_prometheus
from devcluster.record import Record, read_record, write_record


@dataclass(frozen=True, slots=True)
class Wish:
    """What `up` was asked for."""

    full_node: bool = True
    gpus: int | None = None
    """None leaves them as they are."""
    prometheus: bool = False
    """Whether Prometheus is to be there; False leaves it as it is."""


def up(name: str, wish: Wish) -> None:
    """Bring a profile's cluster up, as far as it is not."""
    ensure_packages(full_node=wish.full_node)
    if wish.prometheus:
        ensure_programs(PROMETHEUS)
    ensure_binaries(full_node=wish.full_node)
    with locked(name) as profile:
        _up(profile, wish)


def down(name: str, *, purge: bool = False) -> None:
    """Remove a profile's cluster; with `purge` its images too."""
    if name not in {profile.name for profile in known_profiles()}:
        print(f"there is no profile {name}: nothing to do", flush=True)
        return
    with locked(name) as profile:
        was_up = clear(profile)
        if purge:
            shutil.rmtree(profile.root)
            if not known_profiles():
                shutil.rmtree(cache_root() / "registry", ignore_errors=True)
    state = "is down" if was_up else "was not up"
    print(f"profile {name} {state}{', its images are removed' if purge else ''}", flush=True)


def reset(name: str) -> None:
    """An empty cluster of the same kind; images stay."""
    with locked(name) as profile:
        record = read_record(profile) or Record(
            full_node=True, gpus=0, prometheus=False, binaries=""
        )
        ensure_packages(full_node=record.full_node)
        ensure_binaries(full_node=record.full_node)
        clear(profile)
        _up(profile, Wish(record.full_node, record.gpus, record.prometheus))


@contextlib.contextmanager
def locked(name: str) -> Iterator[Profile]:
    """Open a profile and keep other commands off it; a second command waits."""
    while True:
        profile = open_profile(name)
        with (profile.root / "lock").open("w") as lock:
            _take(lock.fileno(), name)
            if _is_same_file(lock.fileno(), profile.root / "lock"):
                yield open_profile(name)  # the slot may have changed while we waited
                return
        # The profile was purged while we waited, the lock with it: once more from the start.


def _take(lock: int, name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another command works on profile {name}: waiting for it", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _is_same_file(number: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except FileNotFoundError:
        return False


def _up(profile: Profile, wish: Wish) -> None:
    started = time.monotonic()
    node, record = find_node(profile), read_record(profile)
    if node is None or record is None:
        if clear(profile):
            print(f"cleared away what was left of profile {profile.name}", flush=True)
        profile, node, record = _start(profile, started)
    else:
        _say_what_is_there(profile, record, wish)
    layout = _layout(profile)
    if wish.full_node and not record.full_node:
        start_full_node(layout, node)
        record = replace(record, full_node=True)
        write_record(profile, record)
        print(f"node Ready, with DNS, volumes and registry: {_since(started)}", flush=True)
    if record.full_node and wish.gpus is not None and wish.gpus != record.gpus:
        show_gpus(layout, node, wish.gpus)
        write_record(profile, replace(record, gpus=wish.gpus))
        print(f"the node has {wish.gpus} nvidia.com/gpu: {_since(started)}", flush=True)
    if record.full_node and wish.prometheus:
        start_prometheus(layout, node)  # what runs goes on, unless it is of an older checkout
        if not record.prometheus:
            write_record(profile, replace(read_record(profile) or record, prometheus=True))
        print(f"Prometheus: {prometheus_address(profile)}, for pods {URL}", flush=True)
    print(f"export KUBECONFIG={profile.kubeconfig}", flush=True)


def _start(profile: Profile, started: float) -> tuple[Profile, int, Record]:
    """From nothing to a control plane."""
    print(f"starting profile {profile.name}", flush=True)
    node = start_node(profile)
    profile = connect(profile, node)
    make_credentials(profile)
    layout = _layout(profile)
    start_control_plane(layout, node)
    record = Record(full_node=False, gpus=0, prometheus=False, binaries=layout.binaries.name)
    write_record(profile, record)
    print(f"control plane ready: {_since(started)}", flush=True)
    return profile, node, record


def _say_what_is_there(profile: Profile, record: Record, wish: Wish) -> None:
    """Say that there is nothing to do, or what is missing.

    Raises:
        DevclusterError: if the cluster is there and does not answer.
    """
    try:
        wait_for_control_plane(profile, connect_api(_layout(profile)))
    except DevclusterError as error:
        again = f"scripts/devcluster reset --profile {profile.name}"
        raise DevclusterError(f"{error}\n`{again}` makes it anew, empty") from error
    if wish.full_node and not record.full_node:
        print(f"profile {profile.name} has only a control plane: adding the node", flush=True)
        return
    kind = "a full node" if record.full_node else "a control plane"
    print(f"profile {profile.name} is up already, {kind}", flush=True)
    if record.binaries != binary_folder().name:
        print("its programs are of an older build; `reset` renews them", flush=True)


def clear(profile: Profile) -> bool:
    """Remove everything of a cluster but its images, whatever state it is in.

    Returns:
        Whether there was anything.
    """
    ended = end_node(profile)
    if ended:
        wait_for_cable_to_go(profile)
    found = ended or profile.state.exists()
    remove_cgroup(profile.cgroup)
    _refuse_mounts(profile.root)
    if profile.state.exists():
        shutil.rmtree(profile.state)
    for leftover in ("io.containerd.grpc.v1.cri", "io.containerd.runtime.v2.task", "tmpmounts"):
        shutil.rmtree(profile.images / leftover, ignore_errors=True)
    return found


def _refuse_mounts(root: Path) -> None:
    """A node's mounts end with it; any other below its folder is not ours to delete through."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    mounted = [line.split()[4] for line in lines if line.split()[4].startswith(f"{root}/")]
    if mounted:
        raise DevclusterError(f"{mounted[0]} is a mount that devcluster did not make: unmount it")


def _layout(profile: Profile) -> Layout:
    return Layout(profile, binary_folder(), open_credentials(profile))


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s"
