"""Builders of what the operator knows of a ModelServer: facts, pods, revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from winnow_operator.api.modelserver import ModelServerSpec
from winnow_operator.domain.pods import Blockage, Termination
from winnow_operator.domain.servers.deployments import DeploymentFact
from winnow_operator.domain.servers.pods import ServerPod
from winnow_operator.domain.servers.rollouts import ServerFacts
from winnow_operator.domain.servers.served_models import Model

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def model(name: str = "a") -> Model:
    """A model; equal names are the same model."""
    digest = f"sha256:{name * 64}"[:71]
    return Model(f"small/{name}", f"pvc://models/{name}", digest, "selected")


def pod(revision: int, number: int = 1, **changes: Any) -> ServerPod:
    """A pod that is ready, unless `changes` say otherwise."""
    fields: dict[str, Any] = {
        "name": f"digits-r{revision}-{number}",
        "revision": revision,
        "ready": True,
        "restarts": 0,
        "ended": (),
        "blockage": None,
        "deleting": False,
        "created": "2026-01-31T11:00:00Z",
        "address": f"192.0.2.{number}",
    }
    return ServerPod(**{**fields, **changes})


def pods(**ready: int) -> tuple[ServerPod, ...]:
    """So many ready pods of each revision, `pods(r1=2, r2=1)`."""
    return tuple(
        pod(int(revision[1:]), number)
        for revision, count in ready.items()
        for number in range(1, count + 1)
    )


def ended(code: int, message: str = "", reason: str = "Error") -> tuple[Termination, ...]:
    """A container that has ended once."""
    return (Termination(code, reason, message),)


def facts(
    wanted: Model | Blockage,
    pods: Iterable[ServerPod] = (),
    *,
    replicas: Mapping[int, int] | None = None,
    seconds: float = 0,
    **spec: Any,
) -> ServerFacts:
    """What is observed, so many seconds after noon."""
    document = {"model": {"compressionJob": "small"}, **spec}
    return ServerFacts(
        spec=ModelServerSpec.model_validate(document),
        wanted=wanted,
        now=NOW + timedelta(seconds=seconds),
        pods=tuple(pods),
        deployments={n: DeploymentFact(n, count) for n, count in (replicas or {}).items()},
    )
