"""A job and a server as metrics show them, each with every figure that there can be."""

from __future__ import annotations

from winnow_operator.domain.figures import Identity, JobFigures, ServerFigures
from winnow_operator.domain.kinds import Kind

JOB = JobFigures(
    identity=Identity(Kind.SEARCH, "team", "digits", "u1"),
    state="Running",
    outcomes=(("Active", 2), ("Succeeded", 5), ("Stopped", 1), ("Failed", 1)),
    planned=24,
    active_pods=2,
    best=(("accuracy", 0.99),),
    ratios=(("size_bytes", 0.25),),
    waits_for_gpu=False,
    started=1_767_225_600.0,
    ended=None,
)
SERVER = ServerFigures(
    identity=Identity(Kind.SERVER, "team", "digits", "s1"),
    state="Canary",
    ready=1,
    wanted=2,
    revision=3,
    canary_weight=0.25,
    rollout_progress=1_767_225_600.0,
)
