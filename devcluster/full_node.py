"""Brings up what makes a control plane a whole node: pods, services, DNS, volumes, images."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from devcluster.api import UNREACHABLE, Api
from devcluster.cgroups import make_cgroup
from devcluster.components import FULL_NODE, Layout, commands, gpus
from devcluster.configs import node_files
from devcluster.control_plane import connect_api, write_files
from devcluster.dns import make_dns_service
from devcluster.errors import DevclusterError
from devcluster.gpus import RESOURCE, shown_gpus
from devcluster.images import (
    containerd_answers,
    import_pause,
    registry_answers,
    remove_old_containers,
)
from devcluster.machine import is_launched, launch
from devcluster.profiles import Profile, cache_root
from devcluster.status import is_node_ready
from devcluster.waiting import wait_for

_FIRST = ("containerd", "registry")
_REST = tuple(name for name in FULL_NODE if name not in _FIRST)
KERNEL_LOG = Path("/dev/kmsg")


def start_full_node(layout: Layout, node: int) -> None:
    """Start what is missing of the node and wait until pods can run.

    Raises:
        DevclusterError: if the machine lacks what a node needs, or a part of it does not start.
    """
    if not KERNEL_LOG.exists():
        raise DevclusterError(
            f"there is no {KERNEL_LOG}, which the kubelet reads: in a container that is "
            "`--privileged`, or `--device /dev/kmsg`"
        )
    profile, every, api = layout.profile, commands(layout), connect_api(layout)
    make_cgroup(profile.cgroup)
    for folder in (profile.images, profile.state / "volumes", cache_root() / "registry"):
        folder.mkdir(parents=True, exist_ok=True)
    write_files(layout, node_files(layout, _snapshotter(profile.images)))
    if not is_launched(profile, "kubelet"):
        launch(profile, node, {name: every[name] for name in _FIRST})
        _wait_for_containerd(profile, node)
        _forget_earlier_pods(layout, node)
    import_pause(profile, node, layout.binaries / "pause")
    launch(profile, node, {name: every[name] for name in _REST})
    make_dns_service(api, profile)
    _wait_for_services(layout, api)


def _forget_earlier_pods(layout: Layout, node: int) -> None:
    """What containerd kept of an earlier cluster's pods must not meet the new kubelet."""
    if not remove_old_containers(node):
        return
    # Its part for the kubelet has read the containers already: start it once more.
    command = {"containerd": commands(layout)["containerd"]}
    launch(layout.profile, node, command, again=True)
    _wait_for_containerd(layout.profile, node)


def _wait_for_containerd(profile: Profile, node: int) -> None:
    wait_for(profile, "containerd", "containerd", lambda: containerd_answers(node))


def _wait_for_services(layout: Layout, api: Api) -> None:
    profile = layout.profile
    dns, proxy = (
        Api(f"http://{profile.node_address}:{port}", "", api.tls) for port in (8181, 10256)
    )
    default_class = "/apis/storage.k8s.io/v1/storageclasses/standard"
    questions: dict[str, tuple[str, Callable[[], object]]] = {
        "kubelet": ("a Ready node", lambda: is_node_ready(api)),
        "coredns": ("cluster DNS", lambda: dns.text("/ready")),
        "proxy": ("Services", lambda: proxy.text("/healthz")),
        "provisioner": ("the default StorageClass", lambda: api.get(default_class)),
        "registry": ("the registry", lambda: registry_answers(profile)),
    }
    for component, (what, question) in questions.items():
        wait_for(profile, component, what, partial(_holds, question))


def _holds(question: Callable[[], object]) -> bool:
    try:
        return bool(question())
    except UNREACHABLE:
        return False


def _snapshotter(images: Path) -> str:
    """Overlays where the file system can carry them, else plain copies."""
    with tempfile.TemporaryDirectory(dir=images) as name:
        folder = Path(name)
        for part in ("lower", "upper", "work", "merged"):
            (folder / part).mkdir()
        options = ",".join(f"{part}dir={folder / part}" for part in ("lower", "upper", "work"))
        command = ["mount", "-t", "overlay", "overlay", "-o", options, str(folder / "merged")]
        # In a mount namespace of its own, so that nothing is left however this ends.
        done = subprocess.run(["unshare", "--mount", *command], check=False, capture_output=True)
    return "overlayfs" if done.returncode == 0 else "native"


def show_gpus(layout: Layout, node: int, count: int) -> None:
    """Have the node show so many GPUs, and again whenever its object is made anew."""
    profile, api = layout.profile, connect_api(layout)
    launch(profile, node, {"gpus": gpus(layout, count)})
    what = f"{count} {RESOURCE} on the node"
    wait_for(profile, "gpus", what, lambda: _holds(lambda: shown_gpus(api) == count))
