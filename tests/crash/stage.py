"""Plays one scenario in a namespace of its own, and kills the operator at one write of it.

The operator is the real process with the chart's own rights, unchanged; its kubeconfig points at
a proxy that counts its writes. After the kill it is started again under the same identity, so
that its own Lease is no hindrance.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from tests.crash.scenarios import Scenario
from tests.crash.world import World, world_of
from tests.support.access import operator_kubeconfig
from tests.support.api import Api
from tests.support.faulty_proxy import FaultyProxy, Moment, Write
from tests.support.namespace import Namespace, new_namespace
from tests.support.nursery import Nursery
from tests.support.operator_process import OperatorProcess
from tests.support.proxy_faults import Fault
from tests.support.simulated_node import SimulatedNode, simulated_node

LOOK_SECONDS = 0.02
NODE_SECONDS = 0.1
LEAD_SECONDS = 90.0
"""The operator's start is Python's; several of them share two cores."""


@dataclass(frozen=True, slots=True)
class KillAt:
    """At which write the operator is killed."""

    number: int
    moment: Moment

    @override
    def __str__(self) -> str:
        return f"killed {self.moment} write {self.number}"


@dataclass(frozen=True, slots=True)
class Theatre:
    """What all stages share."""

    api: Api
    admin: Path
    """The administrator's kubeconfig."""
    folder: Path
    """For logs and kubeconfigs."""
    nursery: Nursery


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    world: World
    writes: tuple[Write, ...]
    """Of both lives of the operator."""
    ran: tuple[int, ...]
    """Numbers of the trials that pods have started, sorted."""
    killed: bool
    complaints: tuple[str, ...]
    lead_seconds: tuple[float, ...]
    """How long each start of the operator took until it led."""


@dataclass(slots=True)
class Stage:
    """A namespace with an operator behind a proxy."""

    namespace: Namespace
    operator: OperatorProcess
    proxy: FaultyProxy
    lead_seconds: list[float]

    async def start(self) -> None:
        """Start the operator and wait until it leads."""
        begun = time.monotonic()
        before = len(self.operator.lines("leading"))
        self.operator.start()
        while len(self.operator.lines("leading")) <= before:
            assert self.operator.is_running, self.operator.log.read_text()[-3000:]
            assert time.monotonic() - begun < LEAD_SECONDS, "the operator does not lead"
            await asyncio.sleep(LOOK_SECONDS)
        self.lead_seconds.append(time.monotonic() - begun)

    async def restart_when_killed(self) -> None:
        """Wait for the kill and start the operator again."""
        while not self.proxy.was_killed:  # noqa: ASYNC110 -- the proxy has a loop of its own
            await asyncio.sleep(LOOK_SECONDS)
        await self.operator.wait_ended()
        self.proxy.resume()
        await self.start()

    def last_words(self) -> str:
        """Whether the operator runs and what it has logged last, for a case that came to no end."""
        is_there = "runs" if self.operator.is_running else "has ended"
        lines = [f"{line['level']} {line['message']}" for line in self.operator.lines()[-4:]]
        return f"the operator {is_there}, after {'; '.join(lines)}"


@contextlib.asynccontextmanager
async def open_stage(theatre: Theatre) -> AsyncIterator[Stage]:
    """A stage, removed after the block."""
    api, folder = theatre.api, theatre.folder
    async with new_namespace(api) as namespace:
        direct = await operator_kubeconfig(api, theatre.admin, namespace.name, folder)
        with FaultyProxy(direct) as proxy:
            kubeconfig = proxy.kubeconfig(folder / f"{namespace.name}.proxy.kubeconfig")
            log = folder / f"{namespace.name}.log"
            operator = OperatorProcess(kubeconfig, namespace.name, log, spawn=theatre.nursery.spawn)
            stage = Stage(namespace, operator, proxy, [])
            try:
                yield stage
            finally:
                if stage.operator.is_running:
                    stage.operator.kill()


def _node(
    stage: Stage, scenario: Scenario
) -> contextlib.AbstractAsyncContextManager[SimulatedNode]:
    # Looks are most of what a case costs while it waits.
    return simulated_node(
        stage.namespace.api,
        stage.namespace.name,
        scenario.script,
        look_seconds=NODE_SECONDS,
        may_end=lambda _: True,
    )


async def play(
    theatre: Theatre,
    scenario: Scenario,
    kill: KillAt | None = None,
    faults: Sequence[Fault] = (),
) -> Played:
    """Play a scenario to its end, with a kill in its midst or without."""
    name = scenario.job["metadata"]["name"]
    async with open_stage(theatre) as stage, _node(stage, scenario) as node:
        await stage.start()
        stage.proxy.inject(*faults)
        if kill is not None:
            stage.proxy.kill_at(kill.number, kill.moment, pid=stage.operator.pid)
        reviving = asyncio.create_task(stage.restart_when_killed())
        try:
            namespace = scenario.place(stage.namespace)
            await scenario.story(namespace, node, scenario.job)
            if len(stage.lead_seconds) == 1 and not stage.operator.is_running:
                await reviving  # the last write was the fatal one
            world = await world_of(namespace, name)
        finally:
            reviving.cancel()
            await asyncio.gather(reviving, return_exceptions=True)
        return Played(
            world=world,
            writes=tuple(stage.proxy.writes),
            ran=tuple(sorted(number for ran in node.ran for number in ran)),
            killed=len(stage.lead_seconds) > 1,
            complaints=tuple(str(line) for line in stage.operator.complaints()),
            lead_seconds=tuple(stage.lead_seconds),
        )
