"""Two replicas of the operator with one Lease, each behind a proxy of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from tests.crash.stage import Theatre
from tests.support.access import operator_kubeconfig
from tests.support.api import eventually
from tests.support.faulty_proxy import FaultyProxy, Write
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess
from winnow_operator.kube.resources import LEASES

LEASE = "winnow-operator"
OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica."""

    operator: OperatorProcess
    proxy: FaultyProxy

    @property
    def identity(self) -> str:
        """Its name in the Lease."""
        return self.operator.identity


@contextlib.asynccontextmanager
async def open_replicas(
    theatre: Theatre, namespace: Namespace, count: int = 2
) -> AsyncIterator[list[Replica]]:
    """Replicas that are not started yet; they are killed after the block."""
    direct = await operator_kubeconfig(theatre.api, theatre.admin, namespace.name, theatre.folder)
    with contextlib.ExitStack() as proxies:
        replicas = []
        for number in range(1, count + 1):
            proxy = proxies.enter_context(FaultyProxy(direct))
            path = theatre.folder / f"{namespace.name}-{number}"
            operator = OperatorProcess(
                proxy.kubeconfig(path.with_suffix(".kubeconfig")),
                namespace.name,
                path.with_suffix(".log"),
                identity=f"replica-{number}",
                spawn=theatre.nursery.spawn,
            )
            replicas.append(Replica(operator, proxy))
        try:
            yield replicas
        finally:
            for replica in replicas:
                if replica.operator.is_running:
                    replica.operator.kill()


async def leader(namespace: Namespace, replicas: Iterable[Replica]) -> Replica:
    """The replica that holds the Lease, once one that runs does."""

    async def check() -> Replica | None:
        lease = await namespace.api.get(namespace.path(LEASES, LEASE))
        holder = lease["spec"].get("holderIdentity")
        holders = (r for r in replicas if r.identity == holder and r.operator.is_running)
        return next(holders, None)

    return await eventually(check, seconds=60, what="a leader")


def writes_without_lease(replicas: Iterable[Replica]) -> list[str]:
    """Writes of a replica that was not the last one to write the Lease."""
    made = [
        (write.at, replica.identity, write)
        for replica in replicas
        for write in (*replica.proxy.writes, *replica.proxy.lease_writes)
    ]
    holder, strays = "", list[str]()
    for _, identity, write in sorted(made, key=lambda entry: entry[0]):
        if write.is_lease:
            holder = identity if write.status in OK else holder
        elif identity != holder:
            strays.append(f"{identity} wrote {_shown(write)} while {holder} held the Lease")
    return strays


def _shown(write: Write) -> str:
    return f"{write.method} {write.path}"
