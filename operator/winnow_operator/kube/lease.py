"""Leadership by a Lease: one replica writes, and stops before another may start.

    standby --(Lease free, released or expired)--> leader --(asked to end)--> released
                                                    |
                                                    +--(no renewal for RENEW_SECONDS)--> lost: exit

The holder fences itself by its own monotonic clock RENEW_SECONDS after its last renewal, and no
write may take longer than until shortly before the Lease expires; others wait DURATION_SECONDS
after they last saw the Lease change. So clocks need not agree (client-go's election works alike).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any, Protocol

from winnow_operator.api.names import standard_labels
from winnow_operator.clock import Clock
from winnow_operator.errors import ConflictError, KubernetesError, NotFoundError
from winnow_operator.kube.resources import LEASES, Resource
from winnow_operator.metrics.own import LEADER

DURATION_SECONDS = 15
"""How long others wait for a silent holder."""
RENEW_SECONDS = 10
"""How long the holder may begin to write after its last renewal; less than DURATION_SECONDS."""
LAST_WRITE_SECONDS = 14
"""When its last write must be over; between the two above."""
RETRY_SECONDS = 2.0
"""Time between renewals, and between looks at another's Lease."""
RELEASE_SECONDS = 3.0
"""How long a release may take: the Lease of a replica that ends expires anyhow."""

Body = dict[str, Any]

logger = logging.getLogger(__name__)


class LeaseStore(Protocol):
    """What the election needs of the gateway."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Body:
        """Read the Lease."""
        ...

    async def create_unfenced(self, resource: Resource, namespace: str, body: Body) -> Body:
        """Make the Lease."""
        ...

    async def replace_unfenced(self, resource: Resource, namespace: str, body: Body) -> Body:
        """Replace the Lease, which must not have changed since it was read."""
        ...


@dataclass(slots=True)
class LeaseFence:
    """Whether the Lease is surely still held; asked before every write."""

    clock: Clock
    renewed_at: float | None = None
    """Monotonic seconds at which the last renewal was sent."""
    closed: bool = False
    """Nothing is written any more, held or not: the replica ends."""

    def seconds_left(self) -> float:
        """How long a write that starts now may take; 0 if none may start."""
        if self.closed or self.renewed_at is None:
            return 0.0
        age = self.clock.monotonic() - self.renewed_at
        return LAST_WRITE_SECONDS - age if age < RENEW_SECONDS else 0.0

    def close(self) -> None:
        """Let no further write through."""
        self.closed = True


@dataclass(slots=True)
class Seen:
    """Another's Lease as it was last seen to change."""

    version: str = ""
    at: float = 0.0


@dataclass(slots=True)
class LeaseElection:
    """Takes, renews and releases the Lease."""

    gateway: LeaseStore
    fence: LeaseFence
    clock: Clock
    namespace: str
    name: str
    identity: str
    _seen: Seen = field(default_factory=Seen)
    _complaint: str = ""

    async def acquire(self) -> None:
        """Wait until this replica leads."""
        while not await self.attempt(take=True):  # noqa: ASYNC110 -- what is awaited is remote
            await asyncio.sleep(RETRY_SECONDS)
        LEADER.set(1)
        logger.info("leading", extra={"identity": self.identity})

    async def hold(self) -> None:
        """Renew until the Lease is lost; returning means that this replica must end."""
        held = True
        while held and self._seconds_held() > 0:
            await asyncio.sleep(RETRY_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_held()):
                    held = await self.attempt(take=False) is not False
        self.fence.close()
        LEADER.set(0)
        silence = f"no renewal came through for {RENEW_SECONDS} s"
        words = silence if held else "it is no longer in this replica's name"
        logger.error("lost the Lease", extra={"identity": self.identity, "error": words})

    def _seconds_held(self) -> float:
        renewed = self.fence.renewed_at
        return 0.0 if renewed is None else RENEW_SECONDS - (self.clock.monotonic() - renewed)

    async def attempt(self, *, take: bool) -> bool | None:
        """Take or renew the Lease: whether it is held now; None if the API server did not say."""
        started = self.clock.monotonic()
        try:
            held = await self._try_once(take=take)
        except KubernetesError as error:
            self._complain(
                "the Lease was not taken" if take else "the Lease was not renewed", error
            )
            return None
        self._complaint = ""
        if held:
            # NB: from before the call: that is the earliest that others may have seen it.
            self.fence.renewed_at = started
        return held

    def _complain(self, message: str, error: KubernetesError) -> None:
        """Say each trouble once, not every two seconds."""
        words = str(error)
        if words != self._complaint:
            logger.warning(message, extra={"error": words, "retry_seconds": RETRY_SECONDS})
        self._complaint = words

    async def _try_once(self, *, take: bool) -> bool:
        try:
            lease = await self.gateway.get(LEASES, self.namespace, self.name)
        except NotFoundError:
            await self.gateway.create_unfenced(LEASES, self.namespace, self._new())
            return True
        if not self._is_mine(lease) and not (take and self._is_free(lease)):
            return False
        await self.gateway.replace_unfenced(LEASES, self.namespace, self._renewed(lease))
        return True

    async def release(self) -> None:
        """Let another replica lead at once, if this one led. Nothing is written from here on."""
        self.fence.close()
        LEADER.set(0)
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                try:
                    await self._release_once()
                except ConflictError:  # a renewal that was under way has come first
                    await self._release_once()
        except (KubernetesError, TimeoutError) as error:
            logger.warning("the Lease was not released", extra={"error": str(error)})

    async def _release_once(self) -> None:
        try:
            lease = await self.gateway.get(LEASES, self.namespace, self.name)
        except NotFoundError:
            return
        if self._is_mine(lease):
            free = {**_spec(lease), "holderIdentity": "", "leaseDurationSeconds": 1}
            await self.gateway.replace_unfenced(LEASES, self.namespace, {**lease, "spec": free})
            logger.info("released the Lease", extra={"identity": self.identity})

    def _is_mine(self, lease: Body) -> bool:
        return bool(_spec(lease).get("holderIdentity") == self.identity)

    def _is_free(self, lease: Body) -> bool:
        if not _spec(lease).get("holderIdentity"):
            return True
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen.version:
            self._seen = Seen(version, self.clock.monotonic())
            return False
        duration = _spec(lease).get("leaseDurationSeconds") or DURATION_SECONDS
        return self.clock.monotonic() - self._seen.at > duration

    def _new(self) -> Body:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": standard_labels(instance=self.name, component="operator"),
            },
            "spec": self._held_spec({}),
        }

    def _renewed(self, lease: Body) -> Body:
        return {**lease, "spec": self._held_spec(_spec(lease), mine=self._is_mine(lease))}

    def _held_spec(self, spec: Body, *, mine: bool = False) -> Body:
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        transitions = int(spec.get("leaseTransitions") or 0)
        return {
            **spec,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "renewTime": now,
            "acquireTime": (spec.get("acquireTime") if mine else None) or now,
            "leaseTransitions": transitions + int(bool(spec) and not mine),
        }


def _spec(lease: Body) -> Body:
    return lease.get("spec") or {}
