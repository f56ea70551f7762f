"""Jobs that the operator must end before any pod, because no rule of admission can see why."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence

from tests.contract.base_specs import BadSpec
from tests.support.namespace import Namespace, conditions
from winnow_operator.kube.resources import JOBS, PODS, TRIALS


async def all_end_before_any_pod(namespace: Namespace, rows: Sequence[BadSpec]) -> None:
    """Apply all documents side by side; each ends as InvalidSpec, with the words of its row."""
    named = {f"bad-{index}": row for index, row in enumerate(rows)}
    for name, row in named.items():
        body = copy.deepcopy(row.document())
        body["metadata"]["name"] = name
        await namespace.create_job(body)

    ended = await asyncio.gather(*(namespace.ended(name) for name in named))

    for body, row in zip(ended, rows, strict=True):
        failed = conditions(body)["Failed"]
        assert failed["status"] == "True", row.what
        assert failed["reason"] == "InvalidSpec", (row.what, failed)
        assert [word for word in row.words if word not in failed["message"]] == [], failed
        assert body["status"]["state"] == "Failed", row.what
        assert body["status"]["observedGeneration"] == body["metadata"]["generation"], row.what
    for resource in (JOBS, PODS, TRIALS):
        assert (await namespace.api.get(namespace.path(resource)))["items"] == [], resource
