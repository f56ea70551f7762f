"""Facts about the machine and the versions that a figure was measured with; no names, no paths."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.api import Api

OPERATOR_PACKAGES = ("kopf", "kubernetes", "optuna", "pydantic")
TRAINER_PACKAGES = ("torch", "torchao", "torch-pruning", "onnxruntime", "numpy")
HPO_PACKAGES = (
    "numpy",
    "scipy",
    "optuna",
    "cmaes",
    "hyperopt",
    "scikit-learn",
    "coco-experiment",
    "torch",
)
OPERATOR_SOURCES = ("operator", "trainer/winnow_contract", "charts", "benchmarks")
TRAINER_SOURCES = ("trainer", "benchmarks")
"""Folders whose edits change a figure."""
GIB = 2**30


async def cluster_facts(api: Api) -> dict[str, Any]:
    """Everything that explains why another machine gives other figures."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu_model(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "kubernetes": str((await api.get("/version"))["gitVersion"]),
        "winnow": revision(),
        "packages": {name: importlib.metadata.version(name) for name in OPERATOR_PACKAGES},
    }


def trainer_facts() -> dict[str, Any]:
    """The same for what runs in this process, on one thread."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": 1,
        "winnow": revision(TRAINER_SOURCES),
        **trainer_packages(),
    }


def engine_facts() -> dict[str, Any]:
    """The same for engines by themselves."""
    return {
        "cpu": cpu_model(),
        "threads": 1,
        "winnow": revision(("operator", "benchmarks/engines")),
        **{name: importlib.metadata.version(name) for name in ("numpy", "scipy", "optuna")},
    }


def nas_facts() -> dict[str, Any]:
    """The same for searches of the table: their engines, and what they reckon with."""
    return {
        "cpu": cpu_model(),
        "threads": 1,
        "engines": sources_digest(
            "operator/winnow_operator/engines/**/*.py",
            "operator/winnow_operator/domain/architectures/*.py",
            "benchmarks/architectures/[mst]*.py",
            "benchmarks/measured/nas-table.npz",
        ),
        **{name: importlib.metadata.version(name) for name in ("numpy", "scipy", "optuna")},
    }


def hpo_facts() -> dict[str, Any]:
    """The same for searches of hyperparameters: what they are made with, and what they try to find."""
    return {
        "cpu": cpu_model(),
        "threads": 1,
        **{name: importlib.metadata.version(name) for name in HPO_PACKAGES},
    }


def trainer_packages() -> dict[str, str]:
    """Versions of what trains, cuts, rounds and runs."""
    return {name: importlib.metadata.version(name) for name in TRAINER_PACKAGES}


def cpu_model() -> str:
    """The first processor's model."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def revision(sources: Sequence[str] = OPERATOR_SOURCES) -> str:
    """The checkout's commit, with a mark if one of these folders was edited since."""
    folder = Path(__file__).resolve().parent.parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    edited = git("status", "--porcelain", "--untracked-files=no", "--", *sources)
    return git("rev-parse", "--short=12", "HEAD") + ("+edits" if edited else "")


def load() -> float:
    """Load of the last minute: what else goes on disturbs a measurement."""
    return round(os.getloadavg()[0], 2)


def sources_digest(*patterns: str) -> str:
    """One short text for all files below the checkout that match, whether committed or not."""
    folder, found = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
