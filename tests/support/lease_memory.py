"""Leases in memory, with the versions and refusals that the election depends on."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field
from typing import Any

from winnow_operator.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    UnavailableError,
)
from winnow_operator.kube.resources import Resource

Body = dict[str, Any]


@dataclass
class MemoryLeases:
    """What all replicas share."""

    bodies: dict[tuple[str, str], Body] = field(default_factory=dict)
    version: int = 0

    def put(self, namespace: str, body: Body) -> Body:
        self.version += 1
        stored = copy.deepcopy(body)
        stored["metadata"]["resourceVersion"] = str(self.version)
        self.bodies[namespace, body["metadata"]["name"]] = stored
        return copy.deepcopy(stored)


@dataclass
class LeaseClient:
    """One replica's way to them; it may be cut off or slow."""

    leases: MemoryLeases
    cut_off: bool = False
    delay_seconds: float = 0.0
    """How long a call hangs before it gets through, or fails where it is cut off."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Body:
        await self._travel()
        if (namespace, name) not in self.leases.bodies:
            raise NotFoundError(f"no {resource} {name}")
        return copy.deepcopy(self.leases.bodies[namespace, name])

    async def create_unfenced(self, resource: Resource, namespace: str, body: Body) -> Body:
        await self._travel()
        name = body["metadata"]["name"]
        if (namespace, name) in self.leases.bodies:
            raise AlreadyExistsError(f"{resource} {name} exists")
        return self.leases.put(namespace, body)

    async def replace_unfenced(self, resource: Resource, namespace: str, body: Body) -> Body:
        await self._travel()
        name = body["metadata"]["name"]
        stored = self.leases.bodies.get((namespace, name))
        if stored is None:
            raise NotFoundError(f"no {resource} {name}")
        if stored["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise ConflictError(f"{resource} {name} has changed")
        return self.leases.put(namespace, body)

    async def _travel(self) -> None:
        await asyncio.sleep(self.delay_seconds)
        if self.cut_off:
            raise UnavailableError("no answer")
