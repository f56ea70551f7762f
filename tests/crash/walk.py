"""A random walk of what people and machines do to a search while it runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.crash.stage import Stage
from tests.support.api import Body
from tests.support.namespace import Namespace
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, succeed
from winnow_operator.kube.resources import JOBS, PODS, SEARCHJOBS, TRIALS, Resource

NAME = "walk"
HELD = 8
"""While the walk goes on this trial and later ones do not end, so that the search does not either."""
FINAL_TRIALS = 12
PAUSE_SECONDS = 0.6


def held_back(pod: PodView) -> Ending | None:
    """What trials report during the walk."""
    return None if max(t.number for t in pod.trials) >= HELD else succeed(pod)


@dataclass(slots=True)
class Walk:
    """Takes steps; all dice come from one seed."""

    stage: Stage
    source: random.Random
    steps: list[str] = field(default_factory=list)
    """What was done, for whoever has to find out why it went wrong."""

    @property
    def namespace(self) -> Namespace:
        """Where it goes on."""
        return self.stage.namespace

    async def begin(self) -> None:
        """Apply the job."""
        await self.namespace.create_job(self._job())

    def _job(self) -> Body:
        algorithm = {"name": self.source.choice(("Random", "TPE")), "seed": 1}
        return search_job(
            NAME,
            algorithm=algorithm,
            trialsPerPod=self.source.choice((1, 1, 2)),
            budget={"maxTrials": FINAL_TRIALS, "parallelism": 2},
        )

    async def step(self) -> None:
        """Do one thing, at once or after a while."""
        action = self.source.choice(_ACTIONS)
        self.steps.append(action.__name__.strip("_"))
        await action(self)
        if self.source.random() < 0.7:
            await asyncio.sleep(self.source.uniform(0.0, PAUSE_SECONDS))

    async def rest(self) -> None:
        """Let the search run to its end."""
        budget = {"maxTrials": FINAL_TRIALS, "parallelism": 3}
        await self.namespace.edit_job(NAME, suspend=False, budget=budget)

    async def _edit_budget(self) -> None:
        trials = self.source.randint(HELD + 1, FINAL_TRIALS)
        budget = {"maxTrials": trials, "parallelism": self.source.randint(1, 4)}
        await self.namespace.edit_job(NAME, budget=budget)

    async def _suspend(self) -> None:
        await self.namespace.edit_job(NAME, suspend=True)

    async def _resume(self) -> None:
        await self.namespace.edit_job(NAME, suspend=False)

    async def _delete_a_pod(self) -> None:
        await self._delete_one(PODS, await self.namespace.pods(NAME))

    async def _delete_a_batch(self) -> None:
        await self._delete_one(JOBS, await self.namespace.batches(NAME))

    async def _delete_a_trial(self) -> None:
        await self._delete_one(TRIALS, await self.namespace.trials(NAME))

    async def _delete_one(self, resource: Resource, bodies: list[Body]) -> None:
        if bodies:
            name = self.source.choice(bodies)["metadata"]["name"]
            path = self.namespace.path(resource, name)
            await self.namespace.api.delete(path, propagationPolicy="Background")

    async def _make_anew(self) -> None:
        """Delete the job and make one of the same name at once."""
        uid = (await self.namespace.job(NAME))["metadata"]["uid"]
        path = self.namespace.path(SEARCHJOBS, NAME)
        await self.namespace.api.delete(
            path, propagationPolicy="Background", preconditions={"uid": uid}
        )
        await self.begin()

    async def _kill_the_operator(self) -> None:
        self.stage.operator.kill()
        await self.stage.start()


_Action = Callable[[Walk], Awaitable[None]]
_ACTIONS: tuple[_Action, ...] = (
    Walk._edit_budget,
    Walk._edit_budget,
    Walk._suspend,
    Walk._resume,
    Walk._resume,
    Walk._delete_a_pod,
    Walk._delete_a_pod,
    Walk._delete_a_batch,
    Walk._delete_a_trial,
    Walk._make_anew,
    Walk._kill_the_operator,
)
