"""What GitOps tools see in an object, by the very libraries that they use: kstatus, CEL and Lua.

The program in `judging/` is built once per state of its sources, with the devcluster's Go.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from devcluster.binaries import find_go
from devcluster.profiles import cache_root
from tests.support.chart import ROOT

Body = Mapping[str, Any]
SOURCE = Path(__file__).parent / "judging"
CHECKS = ROOT / "gitops/argo-cd/resource_customizations/winnow.dev"
EXPRESSIONS = ROOT / "gitops/flux/health-checks.yaml"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The health of one object in each tool's own words."""

    kstatus: str
    """InProgress, Current or Failed: what Flux by itself and `helm --wait` see."""
    argo: str
    """Progressing, Healthy, Degraded or Suspended."""
    words: str
    """What Argo CD shows beside it."""
    flux: str
    """InProgress, Current or Failed, by the expressions."""


def judge(objects: Sequence[Body]) -> list[Judgement]:
    """The health of some objects.

    Raises:
        AssertionError: if a script or an expression is wrong, or speaks of what is not there.
    """
    asked = "".join(json.dumps(_request(body)) + "\n" for body in objects)
    done = subprocess.run([_program()], input=asked, capture_output=True, text=True, check=True)
    return [_judgement(json.loads(line)) for line in done.stdout.splitlines()]


def _request(body: Body) -> Body:
    lua = CHECKS / body["kind"] / "health.lua"
    return {"object": body, "lua": lua.read_text(), "cel": _expressions(body["kind"])}


@cache
def _expressions(kind: str) -> list[dict[str, str]]:
    (found,) = (
        checks
        for checks in yaml.safe_load(EXPRESSIONS.read_text())["healthCheckExprs"]
        if checks["kind"] == kind
    )
    # In the order in which Flux asks them.
    states = {"inProgress": "InProgress", "failed": "Failed", "current": "Current"}
    return [{"state": state, "text": found[name]} for name, state in states.items()]


def _judgement(answer: Body) -> Judgement:
    assert not answer["error"], answer["error"]
    health = answer["lua"]
    # What no expression is true of is waited for.
    flux = answer["cel"] or "InProgress"
    return Judgement(answer["kstatus"], health["status"], health.get("message", ""), flux)


@cache
def _program() -> Path:
    sources = b"".join((SOURCE / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
    built = cache_root() / f"judge-{hashlib.sha256(sources).hexdigest()[:16]}"
    if not built.exists():
        part = built.with_suffix(f".{os.getpid()}")
        command = [find_go(), "build", "-trimpath", "-o", str(part), "."]
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
        subprocess.run(command, cwd=SOURCE, env=environment, check=True)
        part.rename(built)
    return built
