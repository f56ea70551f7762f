"""Waiting for a part of the cluster, with a heartbeat, and a failure that shows its log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.machine import component_status, find_node
from devcluster.profiles import Profile

_PAUSE, _HEARTBEAT = 0.05, 5.0
_ENOUGH_FAILURES = 5
_LAST_LINES = 12


def log_path(profile: Profile, component: str) -> Path:
    """File of a component's log."""
    return profile.audit_log if component == "audit" else profile.logs / f"{component}.log"


def last_lines(path: Path) -> str:
    """The end of a log, indented."""
    if not path.exists():
        return "  (there is no such file)"
    lines = path.read_text(errors="replace").splitlines()[-_LAST_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (it is empty)"


def wait_for(
    profile: Profile, component: str, what: str, check: Callable[[], bool], seconds: float = 60
) -> None:
    """Wait until `check` holds.

    Raises:
        DevclusterError: when it takes too long, or the component keeps ending.
    """
    started = time.monotonic()
    said = started
    while not check():
        now = time.monotonic()
        failures = component_status(profile).get(component, {}).get("failures", 0)
        if failures >= _ENOUGH_FAILURES:
            raise _failure(profile, component, f"{component} ended {failures} times")
        if now - started > seconds:
            raise _failure(profile, component, f"{what} did not come in {seconds:.0f} s")
        if now - said > _HEARTBEAT:
            said = now
            if find_node(profile) is None:
                raise _failure(profile, "supervisor", f"the node ended while {what} was awaited")
            print(f"  still waiting for {what}, {now - started:.0f} s", flush=True)
        time.sleep(_PAUSE)


def _failure(profile: Profile, component: str, sentence: str) -> DevclusterError:
    path = log_path(profile, component)
    return DevclusterError(f"{sentence}; its log {path} ends with:\n{last_lines(path)}")
