"""Debian packages that a node needs; only missing ones are installed."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.profiles import cache_root

CONTROL_PLANE = {"openssl": "openssl", "ip": "iproute2", "nsenter": "util-linux"}
"""Program and the package that brings it."""

NODE = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "docker-registry": "docker-registry",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
}
PROMETHEUS = {"prometheus": "prometheus", "promtool": "prometheus"}
CNI_PLUGINS = Path("/usr/lib/cni")
_WAIT = ("-o", "DPkg::Lock::Timeout=300")
_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\n# devcluster: no services while it installs packages\nexit 101\n"


def ensure_packages(*, full_node: bool) -> None:
    """Install what is missing.

    Raises:
        DevclusterError: without root, or where there is no apt.
    """
    if os.geteuid() != 0:
        raise DevclusterError("root is needed: devcluster makes namespaces, mounts and interfaces")
    wanted = {**CONTROL_PLANE, **(NODE if full_node else {})}
    missing = [package for program, package in wanted.items() if not _find(program)]
    if full_node and not CNI_PLUGINS.is_dir():
        missing.append("containernetworking-plugins")
    if missing:
        _install(missing)


def ensure_programs(programs: Mapping[str, str]) -> None:
    """Install the packages of the programs that are missing.

    Raises:
        DevclusterError: without root, or where there is no apt.
    """
    _install_as_root([package for program, package in programs.items() if not _find(program)])


def ensure_venv() -> None:
    """Install what makes virtual environments, which Debian ships apart from Python.

    Raises:
        DevclusterError: without root, or where there is no apt.
    """
    _install_as_root([] if importlib.util.find_spec("ensurepip") else ["python3-venv"])


def _install_as_root(missing: list[str]) -> None:
    if missing and os.geteuid() != 0:
        raise DevclusterError(f"please install {', '.join(missing)}, or run this as root")
    if missing:
        _install(missing)


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin")


def _install(packages: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise DevclusterError(f"please install {', '.join(packages)}: there is no apt-get here")
    print(f"installing {', '.join(packages)}", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _alone(), _no_services():
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=env)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *_WAIT, *packages]
        subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two clusters that come up at one time must not both call apt."""
    cache_root().mkdir(parents=True, exist_ok=True)
    with (cache_root() / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Keep Debian from starting the packages' own services: we start our own."""
    # A text of our own is what a killed run left: it is ours to remove.
    if _POLICY.exists() and _POLICY.read_text() != _POLICY_TEXT:
        yield
        return
    _POLICY.write_text(_POLICY_TEXT)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
