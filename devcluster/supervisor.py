"""Process 1 of a node: starts the components, starts them again, and takes all along when it ends.

    python3 -m devcluster.supervisor PROFILE_FOLDER

Its command line is how the other commands find it, so no file can name a wrong process. What is
to run lies in `state/components/NAME.json`; SIGHUP makes it look again. What it did lies in
`state/components.status`. It must not import what a node does not need: it lives long.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devcluster.namespaces import arrange_mounts, leave_host

MODULE = "devcluster.supervisor"
HOST_NAME = "winnow"
NOT_STARTED = 127
LOG_LIMIT = 100 * 1024 * 1024
LONGEST_PAUSE, GOOD_RUN = 30.0, 60.0
_WAKES = {signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM}


@dataclass(slots=True)
class Component:
    """One program and how it has fared."""

    name: str
    specification: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    last_exit: int | None = None
    start_after: float = field(default=0.0)

    def ended(self, code: int, now: float) -> None:
        """Note an end and when to start again."""
        self.last_exit = code
        self.failures = 1 if now - self.started > GOOD_RUN else self.failures + 1
        self.start_after = now + min(0.5 * 2 ** (self.failures - 1), LONGEST_PAUSE)
        self.process = None


class Supervisor:
    """Holds the components of one node."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._components: dict[str, Component] = {}

    def run(self) -> None:
        """Work until SIGTERM."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WAKES)  # they wait until we ask for them
        while True:
            self._read_specifications()
            self._start_what_is_due()
            self._write_status()
            woken = signal.sigtimedwait(_WAKES, self._seconds_to_wait())
            if woken is not None and woken.si_signo == signal.SIGTERM:
                return
            self._collect()
            self._bound_logs()

    def _read_specifications(self) -> None:
        files = (self._state / "components").glob("*.json")
        wanted = {path.stem: json.loads(path.read_text()) for path in files}
        for name, component in list(self._components.items()):
            if wanted.get(name) != component.specification:
                self._stop(component)
                del self._components[name]
        for name, specification in wanted.items():
            self._components.setdefault(name, Component(name, specification))

    def _stop(self, component: Component) -> None:
        if component.process is None:
            return
        component.process.terminate()
        try:
            component.process.wait(10)
        except subprocess.TimeoutExpired:
            component.process.kill()
            component.process.wait()

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for component in self._components.values():
            if component.process is None and component.start_after <= now:
                self._start(component, now)

    def _start(self, component: Component, now: float) -> None:
        component.started = now
        with (self._state / "logs" / f"{component.name}.log").open("ab", buffering=0) as log:
            try:
                component.process = subprocess.Popen(
                    component.specification["command"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=_unblock,  # noqa: PLW1509 - this process has one thread
                )
            except OSError as error:  # the program is missing, say
                log.write(f"{error}\n".encode())
                component.ended(NOT_STARTED, now)

    def _collect(self) -> None:
        now = time.monotonic()
        for component in self._components.values():
            if component.process is not None and component.process.poll() is not None:
                component.ended(component.process.returncode, now)
                print(f"{component.name} ended with {component.last_exit}", flush=True)
        _reap_orphans({c.process.pid for c in self._components.values() if c.process})

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        due = [c.start_after - now for c in self._components.values() if c.process is None]
        return max(0.01, min([60.0, *due]))

    def _bound_logs(self) -> None:
        for path in (self._state / "logs").glob("*.log"):
            if path.stat().st_size > LOG_LIMIT:
                os.truncate(path, 0)  # they are opened for appending, so they go on at the start

    def _write_status(self) -> None:
        status = {
            c.name: {
                "running": c.process is not None,
                "turn": c.specification["turn"],
                "failures": c.failures,
                "last_exit": c.last_exit,
            }
            for c in self._components.values()
        }
        new = self._state / ".components.status"
        new.write_text(json.dumps(status))
        new.rename(self._state / "components.status")


def _unblock() -> None:
    """Give a child the signals that we wait for; a blocked mask would be inherited."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAKES)


def _reap_orphans(own: set[int]) -> None:
    """Collect processes whose parents died; those of components are collected by their names."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # there is no child at all
            return
        if found is None or found.si_pid in own:
            return  # one of our own that ended just now: SIGCHLD is pending, the next turn sees it
        os.waitpid(found.si_pid, 0)


def _become_process_one(profile: Path, ready: int) -> None:
    state = profile / "state"
    os.setsid()
    with contextlib.suppress(PermissionError):  # a cluster outlives the command that was slowed
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    keep = [profile.parents[1], Path(__file__).resolve().parents[1]]
    arrange_mounts(state / "node", keep)
    socket.sethostname(HOST_NAME)
    log = os.open(state / "logs" / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(log, number)
    os.write(ready, b"1")
    os.close(ready)
    Supervisor(state).run()


def main() -> int:
    """Fork process 1 into new namespaces; ends once it stands, with 0, or else with 1."""
    profile = Path(sys.argv[1])
    leave_host()
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        _become_process_one(profile, writer)
        return 0
    os.close(writer)
    return 0 if os.read(reader, 1) else 1


if __name__ == "__main__":
    sys.exit(main())
