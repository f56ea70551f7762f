"""What a search must know before its first suggestion: what it takes from other searches.

It is read once the others have ended, described in the status before anything is made, and read again
after a restart, when the description says whether all of it is still there.
"""

from __future__ import annotations

import asyncio
from typing import Any

from winnow_operator.api.searchjob import AlgorithmName, SearchJob, WarmStart
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.warm_starts import (
    MAX_READ,
    KnownTrial,
    Taken,
    check_source,
    ended_source,
    lost_sources,
    take,
)
from winnow_operator.domain.spaces.space import Space
from winnow_operator.errors import NotFoundError
from winnow_operator.kube.resources import SEARCHJOBS, TRIALS
from winnow_operator.reconcile.jobcontext import Tools, is_owned
from winnow_operator.reconcile.queries import of_job
from winnow_operator.reconcile.queue import Key

SUCCEEDED = "status.outcome=Succeeded"


def is_prepared(job: SearchJob) -> bool:
    """Whether the status names all that is to be known before the first suggestion."""
    waits = bool(job.spec.warm_start) and not job.status.warm_start
    return job.spec.algorithm.name is not AlgorithmName.AUTO and not waits


async def take_from_others(
    tools: Tools, key: Key, job: SearchJob, space: Space
) -> list[Taken] | Blockage:
    """What is taken from each search that the spec names, or what one of them waits for.

    Raises:
        InvalidSpecError: if one of them is a search of another kind.
    """
    sources: list[tuple[WarmStart, str]] = []
    for warm in job.spec.warm_start:
        # First: what happens after the read wakes it.
        tools.waiting.note(key, Key(key.namespace, warm.search_job, Kind.SEARCH))
        body = await _job(tools, key.namespace, warm.search_job)
        source = ended_source(warm.search_job, body)
        if isinstance(source, Blockage):
            return source
        check_source(job.spec, warm.search_job, source.spec)
        sources.append((warm, _uid(body)))
    tools.waiting.forget(key)
    return [await _take(tools, key, job, space, source) for source in sources]


async def known_again(
    tools: Tools, key: Key, job: SearchJob, space: Space
) -> tuple[list[KnownTrial], Blockage | None]:
    """What the status describes, as far as it is there; and what is to be said of what is not."""
    sources = [
        (warm, _uid(await _job(tools, key.namespace, warm.search_job)))
        for warm in job.spec.warm_start
    ]
    taken = [await _take(tools, key, job, space, source) for source in sources]
    lost = lost_sources(job.status.warm_start, [t.source for t in taken])
    return [trial for t in taken for trial in t.trials], lost


async def _take(
    tools: Tools, key: Key, job: SearchJob, space: Space, source: tuple[WarmStart, str]
) -> Taken:
    warm, uid = source
    labels = of_job(Kind.SEARCH, warm.search_job)
    bodies = await tools.gateway.list(
        TRIALS, key.namespace, labels=labels, fields=SUCCEEDED, at_most=MAX_READ
    )
    own = [b for b in bodies if is_owned(b, uid)]
    return await asyncio.to_thread(take, job.spec, space, source, own)


async def _job(tools: Tools, namespace: str, name: str) -> dict[str, Any] | None:
    try:
        return await tools.gateway.get(SEARCHJOBS, namespace, name)
    except NotFoundError:
        return None


def _uid(body: dict[str, Any] | None) -> str:
    return "" if body is None else str(body["metadata"]["uid"])
