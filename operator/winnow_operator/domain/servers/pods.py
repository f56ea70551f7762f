"""What the operator knows of a server pod: read once from the API object, then immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.exit_codes import ExitCode
from winnow_operator.api.names import LABEL_REVISION
from winnow_operator.domain.pods import Blockage, Termination, termination_of, why_waiting

SERVER = "server"
"""Name of the container that answers requests."""
FETCH = "fetch"
"""Name of the init container that copies the model and verifies it."""

_PERMANENT = frozenset({ExitCode.CONTRACT, ExitCode.PERMANENT})


@dataclass(frozen=True, slots=True)
class ServerPod:
    """One pod of a ModelServer."""

    name: str
    revision: int
    ready: bool
    restarts: int
    """How often the server's container was started again."""
    ended: tuple[Termination, ...]
    """How containers of it ended last, the init container first; running ones may have ended before."""
    blockage: Blockage | None
    """Why it cannot start."""
    deleting: bool
    created: str
    address: str = ""
    """Its IP address, once it has one."""

    @property
    def refusal(self) -> str:
        """Why the model can never be served, in the server's words; empty if it may be."""
        refused = (t for t in self.ended if t.exit_code in _PERMANENT)
        return next((words_of(t) for t in refused), "")


def words_of(ended: Termination) -> str:
    """How a container ended, as a clause."""
    how = f"exit code {ended.exit_code}"
    if ended.reason and ended.reason != "Error":
        how = f"{ended.reason}, {how}"
    message = " ".join(ended.message.split())
    # One that could say nothing has its last log lines here (FallbackToLogsOnError), which are JSON.
    is_said = bool(message) and not message.startswith("{")
    return f"{message} ({how})" if is_said else how


def read_server_pod(body: Mapping[str, Any]) -> ServerPod | None:
    """The facts of a pod, or None if it serves no revision or has ended for good."""
    metadata, status = body["metadata"], body.get("status") or {}
    revision = (metadata.get("labels") or {}).get(LABEL_REVISION, "")
    if not revision.isdigit() or status.get("phase") in {"Succeeded", "Failed"}:
        return None
    fetch = container_of(status.get("initContainerStatuses"), FETCH)
    server = container_of(status.get("containerStatuses"), SERVER)
    return ServerPod(
        name=metadata["name"],
        revision=int(revision),
        ready=_is_ready(status) and "deletionTimestamp" not in metadata,
        restarts=int(server.get("restartCount", 0)),
        ended=tuple(_endings((fetch, server))),
        blockage=why_waiting(status, fetch) or why_waiting(status, server),
        deleting="deletionTimestamp" in metadata,
        created=metadata.get("creationTimestamp", ""),
        address=status.get("podIP", ""),
    )


def container_of(statuses: Iterable[Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    """The status of a container among those of a pod; empty if it has none."""
    return next((c for c in statuses or () if c.get("name") == name), {})


def _is_ready(status: Mapping[str, Any]) -> bool:
    conditions = status.get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _endings(containers: Iterable[Mapping[str, Any]]) -> Iterator[Termination]:
    for container in containers:
        for state in ("state", "lastState"):
            ended = termination_of(container.get(state) or {})
            if ended is not None and ended.exit_code != ExitCode.OK:
                yield ended
