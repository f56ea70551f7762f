"""Copies of a search with all its trials, as many as a test wants.

All are what the operator itself has written of one search that was really run: searches are made anew, so
that each has a uid, and get its status; its trials are copied as they are stored.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from devcluster.machine import find_node, inside
from devcluster.profiles import open_profile
from tests.support import etcd_copies
from tests.support.api import Body, eventually
from tests.support.etcd_copies import Order
from tests.support.namespace import Namespace
from tests.support.searchjobs import search_job
from winnow_operator.domain.kinds import Kind
from winnow_operator.kube.resources import SEARCHJOBS, TRIALS

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Copies:
    """So many searches `search-0000`, ..., of which the first still run: each has one trial to make."""

    namespace: Namespace
    job: Body
    """A search that has ended."""
    count: int
    running: int

    def name(self, number: int) -> str:
        """Name of a copy."""
        return f"{self.job['metadata']['name']}-{number:04d}"

    async def make(self, profile: str) -> int:
        """Make them all on the devcluster of a profile; gives the number of trials."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> tuple[str, str]:
            async with limit:
                return await self._make_search(number)

        made = await asyncio.gather(*map(one, range(self.count)))
        copied = await asyncio.to_thread(self._copy_trials, profile, list(made))
        await eventually(self._is_caught_up, seconds=600, what="the API server's cache")
        return copied

    async def _is_caught_up(self) -> bool:
        """Whether the API server has heard of the trials of the last search, which come last."""
        last = f"{Kind.SEARCH.label}={self.name(self.count - 1)}"
        query = {"labelSelector": last, "resourceVersion": "0"}  # what it knows, be it old
        found = await self.namespace.api.get(self.namespace.path(TRIALS), **query)
        return bool(found["items"])

    async def _make_search(self, number: int) -> tuple[str, str]:
        name, runs = self.name(number), number < self.running
        budget = dict(self.job["spec"]["budget"], parallelism=1)
        budget["maxTrials"] += int(runs)
        body = await self.namespace.create_job(search_job(name, budget=budget))
        if not runs:
            path = self.namespace.path(SEARCHJOBS, name, "status")
            await self.namespace.api.merge(path, {"status": self.job["status"]})
        return name, body["metadata"]["uid"]

    def _copy_trials(self, profile: str, owners: list[tuple[str, str]]) -> int:
        """NB: after all searches: a trial whose owner is not there yet is garbage."""
        owner = self.job["metadata"]
        prefix = f"/registry/{TRIALS.group}/{TRIALS.plural}/{self.namespace.name}/{owner['name']}-t"
        order = Order(prefix, owner["name"], owner["uid"], owners)
        node = find_node(open_profile(profile))
        assert node is not None, f"profile {profile} is not up"
        command = (sys.executable, etcd_copies.__file__)
        return int(inside(node, *command, text=order.text()))
