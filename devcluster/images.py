"""Images for the node: the pause image, and those that are handed over from buildah's store."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import subprocess
import tarfile
import urllib.request
from pathlib import Path

from devcluster.components import CONTAINERD_SOCKET, REGISTRY_PORT
from devcluster.configs import LOCAL_REGISTRY, PAUSE_IMAGE
from devcluster.errors import DevclusterError
from devcluster.machine import find_node, inside
from devcluster.profiles import Profile

_COMPRESSION = ("--compression-format", "zstd", "--compression-level", "1")


def image_path(image: str) -> str:
    """An image's name with its tag, without the registry that it is known by.

    Raises:
        DevclusterError: if it is named by digest.
    """
    if "@" in image:
        raise DevclusterError(f"{image!r} is a digest: load-image takes a name with a tag")
    first, slash, rest = image.partition("/")
    of_registry = slash and (first == "localhost" or "." in first or ":" in first)
    name = rest if of_registry else image
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def load_image(profile: Profile, image: str) -> str:
    """Push an image of buildah's store to the local registry; gives the reference for pods.

    Raises:
        DevclusterError: if there is no such image, no registry, or the push fails.
    """
    reference = f"{LOCAL_REGISTRY}/{image_path(image)}"
    node = find_node(profile)
    if node is None or not registry_answers(profile):
        raise DevclusterError(
            f"profile {profile.name} has no registry that answers: "
            f"`scripts/devcluster up --profile {profile.name}` brings up a full node; "
            "`scripts/devcluster logs registry` says more"
        )
    # From within the node's network, where the registry has one name for all profiles: by that
    # name buildah remembers what it holds, and they hold the same.
    enter = ["nsenter", "--target", str(node), "--net", "--"]
    push = ["buildah", "push", "--quiet", "--tls-verify=false", *_COMPRESSION]
    command = [*enter, *push, image, f"docker://{reference}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise DevclusterError(f"buildah could not push {image}: {done.stderr.strip()}")
    return reference


def registry_answers(profile: Profile) -> bool:
    """Whether the local registry is there."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://{profile.node_address}:{REGISTRY_PORT}/v2/", timeout=2).close()
    except OSError:
        return False
    return True


def containerd_answers(node: int) -> bool:
    """Whether containerd takes commands."""
    return "Server:" in inside(node, *_ctr("version"), check=False)


def remove_old_containers(node: int) -> bool:
    """Remove what containerd remembers of an earlier cluster's pods; says whether it did."""
    names = inside(node, *_ctr("containers", "list", "--quiet")).split()
    if names:
        inside(node, *_ctr("containers", "rm", *names))
    return bool(names)


def import_pause(profile: Profile, node: int, program: Path) -> None:
    """Make the image that holds each pod's namespaces, unless it is there."""
    if PAUSE_IMAGE in inside(node, *_ctr("images", "list", "--quiet")).split():
        return
    archive = profile.state / "pause.tar"
    archive.write_bytes(single_program_image(PAUSE_IMAGE, program))
    inside(node, *_ctr("images", "import", str(archive)))
    archive.unlink()


def single_program_image(reference: str, program: Path) -> bytes:
    """An image archive of one static program, in the format of `docker save`."""
    layer = _tar({program.name: (0o755, program.read_bytes())})
    config = {
        "architecture": "amd64" if platform.machine() == "x86_64" else "arm64",
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
    files = {
        "config.json": (0o644, json.dumps(config).encode()),
        "layer.tar": (0o644, layer),
        "manifest.json": (0o644, json.dumps(manifest).encode()),
    }
    return _tar(files)


def _tar(files: dict[str, tuple[int, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, (mode, content) in files.items():
            info = tarfile.TarInfo(name)
            info.mode, info.size = mode, len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _ctr(*arguments: str) -> tuple[str, ...]:
    return ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", *arguments)
