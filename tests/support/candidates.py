"""What the Trials of a compression say, by the names of their candidates."""

from __future__ import annotations

import json

from tests.support.api import Body
from tests.support.namespace import Namespace


async def candidates(jobs: Namespace, job: str) -> dict[str, Body]:
    """The Trial of each candidate, in the order of their numbers."""
    return {trial["spec"]["candidate"]: trial for trial in await jobs.trials(job)}


def figure(trial: Body, metric: str) -> float:
    """What was measured of a candidate."""
    (value,) = (v["value"] for v in trial["status"]["values"] if v["metric"] == metric)
    return float(value)


def kinds_of_steps(trial: Body) -> list[str]:
    """The kind of each step of a candidate."""
    return [next(iter(json.loads(step))) for step in trial["spec"].get("steps", [])]
