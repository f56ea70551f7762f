"""A node as seen from the host: find its process 1, start it, run a command in it, end it.

Process 1 is found by its command line, so there is no file that a crash could leave wrong, and
ended through a handle of the kernel, so a number that was used again is never hit.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster.components import SOURCE
from devcluster.errors import DevclusterError
from devcluster.profiles import Profile
from devcluster.supervisor import MODULE

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FEW_COLLECTIONS = {"GOGC": "300"}
"""For the programs of the node. A fifth of what the API server computes under tests is collecting
garbage, of a heap that is small for the machine."""
SECONDS_TO_END, SECONDS_TO_REACT = 60, 30


def find_node(profile: Profile) -> int | None:
    """Process number of the node's process 1, if it runs."""
    found = _processes(profile)
    return found[0] if found else None


def _processes(profile: Profile) -> list[int]:
    numbers = (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
    return sorted(n for n in numbers if _is_node(n, profile))


def _is_node(number: int, profile: Profile) -> bool:
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile
        return False
    return words[1:4] == [b"-m", MODULE.encode(), str(profile.root).encode()]


def start_node(profile: Profile) -> int:
    """Start process 1 of the node in namespaces of its own; gives its number.

    Raises:
        DevclusterError: if the machine does not allow it.
    """
    for folder in ("components", "logs"):
        (profile.state / folder).mkdir(parents=True, exist_ok=True)
    environment = {**_FEW_COLLECTIONS, **os.environ, "PYTHONPATH": str(SOURCE), "PATH": _PATH}
    done = subprocess.run(
        [sys.executable, "-m", MODULE, str(profile.root)],
        check=False,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    number = find_node(profile)
    if done.returncode != 0 or number is None:
        reason = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
        raise DevclusterError(
            f"no namespaces for a node could be made here: {reason[0]}. "
            "devcluster needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN; "
            "in a container that is `--privileged`"
        )
    return number


def end_node(profile: Profile) -> bool:
    """End all processes of the node; says whether there were any.

    Raises:
        DevclusterError: if they do not end.
    """
    numbers = _processes(profile)
    for number in numbers:
        try:
            handle = os.pidfd_open(number)
        except ProcessLookupError:
            continue
        try:
            if _is_node(number, profile):
                _kill(handle, number)
        finally:
            os.close(handle)
    return bool(numbers)


def _kill(handle: int, number: int) -> None:
    """The kernel ends every process of the namespace before process 1 itself is gone."""
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    if not select.select([handle], [], [], SECONDS_TO_END)[0]:
        raise DevclusterError(
            f"process {number} did not end in {SECONDS_TO_END} s after SIGKILL: "
            f"a process of its node hangs in the kernel; /proc/{number}/stack says where"
        )


def inside(number: int, *command: str, check: bool = True, text: str | None = None) -> str:
    """Run a command in the node; gives what it printed.

    Raises:
        DevclusterError: if it fails and `check` is set.
    """
    enter = ("nsenter", "--target", str(number), "--mount", "--net", "--pid", "--uts", "--")
    done = subprocess.run(
        [*enter, *command],
        check=False,
        capture_output=True,
        input=text,
        text=True,
        env={**os.environ, "PATH": _PATH},
    )
    if check and done.returncode != 0:
        raise DevclusterError(f"`{' '.join(command)}` failed in the node: {done.stderr.strip()}")
    return done.stdout


def component_status(profile: Profile) -> dict[str, Any]:
    """What the supervisor says about its components; empty before it said anything."""
    path = profile.state / "components.status"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def is_launched(profile: Profile, name: str) -> bool:
    """Whether the supervisor was asked to run this component."""
    return (profile.state / "components" / f"{name}.json").exists()


def launch(
    profile: Profile, node: int, commands: Mapping[str, list[str]], *, again: bool = False
) -> None:
    """Have the supervisor run these components; returns once it knows.

    One that runs with the same command goes on, or is started anew if `again` is set. One that
    failed is started at once, and what it did before does not count.

    Raises:
        DevclusterError: if the supervisor does not react.
    """
    status = component_status(profile)
    turns = {}
    for name, command in commands.items():
        known = status.get(name, {"running": False, "turn": 0})
        turns[name] = known["turn"] + int(again or not known["running"])
        folder = profile.state / "components"
        new = folder / f".{name}.new"
        new.write_text(json.dumps({"command": command, "turn": turns[name]}))
        new.rename(folder / f"{name}.json")
    os.kill(node, signal.SIGHUP)
    _wait_until_known(profile, turns)


def _wait_until_known(profile: Profile, turns: Mapping[str, int]) -> None:
    deadline = time.monotonic() + SECONDS_TO_REACT
    while any(component_status(profile).get(n, {}).get("turn") != t for n, t in turns.items()):
        if time.monotonic() > deadline:
            log = profile.logs / "supervisor.log"
            raise DevclusterError(f"the node's supervisor does not react; its log is {log}")
        time.sleep(0.01)
