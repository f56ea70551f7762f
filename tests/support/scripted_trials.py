"""SearchJobs whose pods are real: the trainer image runs a few lines of Python under the contract."""

from __future__ import annotations

from typing import Any

from tests.support.api import Body
from tests.support.searchjobs import search_job

SMALL = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}

QUICK = """
from winnow_contract.report import run
def train(trial):
    x = trial.parameters["x"]
    trial.report(1, quality=1 - (x - 0.7) ** 2)
    trial.test(quality=1 - (x - 0.7) ** 2)
    (trial.folder / "x.txt").write_text(str(x))
run(train)
"""
"""Succeeds at once and leaves an artifact."""

SLOW = """
import time
from winnow_contract.report import run
def train(trial):
    for step in range(1, 601):
        trial.report(step, quality=step / 600)
        time.sleep(0.1)
run(train)
"""
"""Runs for a minute, reporting all the time."""

HUNGRY = """
held = []
while True:
    held.append(bytearray(16 << 20))
"""
"""Takes memory until it is killed."""


def scripted_job(name: str, image: str, program: str, **spec: Any) -> Body:
    """A SearchJob of one parameter whose trials run a Python program."""
    space = {"parameters": [{"name": "x", "double": {"min": "0", "max": "1"}}]}
    trial = {"image": image, "command": ["python", "-c", program]}
    template = {"spec": {"containers": [{"name": "trial", "resources": SMALL}]}}
    base: dict[str, Any] = {
        "trial": trial,
        "space": space,
        "podTemplate": template,
        "budget": {"maxTrials": 3, "parallelism": 2, "retriesPerTrial": 0},
    }
    return search_job(name, **{**base, **spec})
