"""Early stopping across real pods: how long after a rung a pod is gone, and what is saved then.

The pods play trainings that were recorded: they report the very values, at a pace at which a trial
outlasts several scrapes. All the rest is real: pods, their pages, Prometheus, the operator.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.cluster_runs.timeline import Timeline
from benchmarks.cluster_runs.watching import watching
from benchmarks.stopping.replay import Climb, Played
from tests.support.api import Api, Body
from tests.support.namespace import Namespace, new_namespace
from tests.support.scripted_trials import SMALL
from tests.support.searchjobs import search_job

PLAY = """
import sys, time
from winnow_contract.report import run
pace, curves = float(sys.argv[1]), [text.split(",") for text in sys.argv[2:]]
def train(trial):
    begun = time.monotonic()
    for step, value in enumerate(curves[trial.parameters["training"] - 1], 1):
        time.sleep(max(0.0, begun + step * pace - time.monotonic()))
        trial.report(step, quality=float(value))
run(train)
"""
RUNG_TIMES = "winnow_trial_rung_timestamp_seconds"
_NUMBER = re.compile(r"-t([0-9]+)$")


@dataclass(frozen=True, slots=True)
class PodRun:
    """What a search across pods has shown."""

    played: Played
    """By training: epochs that were begun after a pod was to end are among them."""
    seconds_to_stop: tuple[float, ...]
    """From the rung at which a trial was stopped to the end of its pod."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where searches run."""

    api: Api
    image: str
    """Any with Python and `winnow_contract`, such as the operator's."""
    prometheus: str
    """Its address, as this machine has it."""
    pace: float
    """Seconds of an epoch."""
    parallelism: int

    async def run(self, climbs: Mapping[int, Climb], stopping: Body) -> PodRun:
        """One search over recorded trainings, whose numbers go from 1 on without a gap."""
        async with new_namespace(self.api) as namespace:
            async with watching(self.api.client, namespace.name) as timeline:
                offset = time.time() - time.monotonic()
                body = await namespace.create_job(self._job(climbs, stopping))
                ended = await namespace.ended("climb", seconds=3600)
            reached = await self._reached(str(body["metadata"]["uid"]))
            return await _read(
                namespace, ended, _Seen(climbs, reached, timeline, offset, self.pace)
            )

    def _job(self, climbs: Mapping[int, Climb], stopping: Body) -> Body:
        curves = [",".join(f"{value:.6g}" for value in curve(c)) for _, c in sorted(climbs.items())]
        trial = {
            "image": self.image,
            "command": ["python", "-c", PLAY],
            "args": [str(self.pace), *curves],
        }
        parameter = {"name": "training", "int": {"min": 1, "max": len(curves)}}
        return search_job(
            "climb",
            trial=trial,
            space={"parameters": [parameter]},
            algorithm={"name": "Grid"},
            budget={"parallelism": self.parallelism},
            earlyStopping=stopping,
            podTemplate={"spec": {"containers": [{"name": "trial", "resources": SMALL}]}},
        )

    async def _reached(self, uid: str) -> dict[tuple[int, int], float]:
        """When each trial reached each rung, by (number, rung)."""
        query = f'max_over_time({RUNG_TIMES}{{job_uid="{uid}"}}[1h])'
        async with aiohttp.ClientSession() as session:
            url = f"{self.prometheus}/api/v1/query"
            async with session.post(url, data={"query": query}) as answer:
                found: Any = await answer.json()
        series = found["data"]["result"]
        return {
            (_number(s["metric"]["trial"]), int(s["metric"]["rung"])): float(s["value"][1])
            for s in series
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a run besides its objects."""

    climbs: Mapping[int, Climb]
    reached: Mapping[tuple[int, int], float]
    timeline: Timeline
    offset: float
    """Wall time minus the timeline's."""
    pace: float


async def _read(namespace: Namespace, ended: Body, seen: _Seen) -> PodRun:
    epochs, stops, trainings = dict[int, int](), list[float](), dict[str, int]()
    for trial in await namespace.trials("climb"):
        number, status = int(trial["spec"]["number"]), trial["status"]
        training = int(trial["spec"]["parameters"][0]["value"])
        climb = seen.climbs[training]
        trainings[trial["metadata"]["name"]] = training
        if status["outcome"] != "Stopped":
            epochs[training] = climb.epochs
            continue
        rung = int(status["rungs"][-1]["rung"])
        gone = seen.offset + _pod_end(seen.timeline, number)
        late = gone - seen.reached[number, rung]
        stops.append(late)
        epochs[training] = min(climb.epochs, rung + int(late / seen.pace))
    winner = trainings[ended["status"]["winner"]["trial"]]
    return PodRun(Played(winner, epochs), tuple(stops))


def _pod_end(timeline: Timeline, number: int) -> float:
    """When the pod of a trial had ended: all are of one batch, so its index is the trial's."""
    return max(at for name, at in timeline.pods_ended.items() if f"-{number - 1}-" in name)


def curve(climb: Climb) -> list[float]:
    """The value after each epoch: between rungs, that of the rung before."""
    values, last = list[float](), 0.0
    for epoch in range(1, climb.epochs):
        last = climb.rungs.get(epoch, last)
        values.append(last)
    return [*values, climb.final]


def _number(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[1]) if found else 0
