"""A full node with this checkout's operator on it, by the chart, and the benchmark's own image.

The operator runs in its pod under its own service account, so that the audit log tells its writes
from everybody else's. The trainer image is not needed: the trials are of the benchmark's own image.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.audit import AuditLog

ROOT = Path(__file__).resolve().parents[2]
TRIAL = ROOT / "benchmarks/trial"
PROFILE = "bench"
OPERATOR_SOURCES = ("Dockerfile", "requirements", "operator", "trainer/winnow_contract")
OPERATOR_NAMESPACE = "winnow"
OPERATOR_USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:winnow-operator"
USER = "65532:65532"


@dataclass(frozen=True, slots=True)
class BenchCluster:
    """Where the runs go."""

    kubeconfig: Path
    image: str
    """The smallest trial, as pods name it."""

    @property
    def audit(self) -> AuditLog | None:
        """The audit log; a cluster that is not our own has none that we can read."""
        path = self.kubeconfig.parent / "audit.log"
        return AuditLog(path) if path.exists() else None


def bring_up() -> BenchCluster:
    """Cluster, images, chart; what is there already is used again."""
    _say("the cluster")
    run(ROOT / "scripts/cluster", "up", "--profile", PROFILE, show=True)
    kubeconfig = _cluster("kubeconfig")
    _say("the smallest trial's image")
    image = _cluster("load-image", build_trial()).splitlines()[-1]
    _say("the operator's image")
    name = f"winnow/operator:{_hash(*OPERATOR_SOURCES)}"
    run(ROOT / "scripts/image", "build", "operator", "--tag", name, show=True)
    _install_chart(kubeconfig, _cluster("load-image", name).splitlines()[-1])
    return BenchCluster(Path(kubeconfig), image)


def _install_chart(kubeconfig: str, reference: str) -> None:
    _say("the operator, by its chart")
    repository, _, tag = reference.rpartition(":")
    values = {
        "image.registry": repository.rpartition("/winnow/")[0],
        "image.repository": f"winnow/{repository.rpartition('/winnow/')[2]}",
        "image.tag": tag,
        "trainer.image.tag": "unused",
    }
    settings = [
        word for key, value in values.items() for word in ("--set-string", f"{key}={value}")
    ]
    chart: list[str | Path] = ["upgrade", "--install", "winnow", ROOT / "charts/winnow"]
    place = ["--namespace", OPERATOR_NAMESPACE, "--create-namespace", "--wait", "--timeout", "5m"]
    helm = run(ROOT / "scripts/tool", "helm")
    run(helm, *chart, *place, *settings, environment={"KUBECONFIG": kubeconfig})


def build_trial() -> str:
    """Build the image of the smallest trial, if it is not there; gives its name."""
    name = f"winnow/bench-trial:{_hash('benchmarks/trial')}"
    known = ["buildah", "inspect", "--type", "image", name]
    if subprocess.run(known, capture_output=True, check=False).returncode == 0:
        return name
    container = run("buildah", "from", "scratch")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "trial"
        build: list[str | Path] = [
            _go(),
            "build",
            "-trimpath",
            "-ldflags",
            "-s -w",
            "-o",
            program,
            ".",
        ]
        run(*build, folder=TRIAL, environment={"CGO_ENABLED": "0"})
        run("buildah", "copy", container, program, "/trial")
    entrypoint = json.dumps(["/trial"])
    run("buildah", "config", "--entrypoint", entrypoint, "--user", USER, container)
    run("buildah", "commit", "--rm", container, name)
    return name


def _go() -> str:
    found = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    if found is None:
        raise RuntimeError("there is no Go here: install it, the smallest trial is written in it")
    return found


def _hash(*names: str) -> str:
    """Tag that changes with the files that go into an image."""
    digest = hashlib.sha256()
    for name in names:
        for path in sorted([ROOT / name, *(ROOT / name).rglob("*")]):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
                digest.update(path.read_bytes())
    return f"src-{digest.hexdigest()[:12]}"


def _cluster(verb: str, *arguments: str) -> str:
    return run(ROOT / "scripts/cluster", verb, "--profile", PROFILE, *arguments)


def run(
    *command: str | Path,
    folder: Path = ROOT,
    environment: dict[str, str] | None = None,
    show: bool = False,
) -> str:
    """Run a program to its end; gives what it printed, or shows it.

    Raises:
        RuntimeError: if it fails; its own words are above.
    """
    out = sys.stderr if show else subprocess.PIPE
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=folder, env=env, check=False, stdout=out, text=True)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}")
    return (done.stdout or "").strip()


def _say(words: str) -> None:
    print(f"--- {words}", file=sys.stderr, flush=True)
