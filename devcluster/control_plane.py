"""Brings up etcd, the API server and the controller-manager."""

from __future__ import annotations

from devcluster.api import UNREACHABLE, Api
from devcluster.components import CONTROL_PLANE, Layout, commands
from devcluster.configs import control_plane_files
from devcluster.machine import launch
from devcluster.profiles import Profile
from devcluster.waiting import wait_for


def connect_api(layout: Layout) -> Api:
    """Access to the cluster as devcluster itself."""
    return Api.of_kubeconfig(layout.credentials.kubeconfig_text("devcluster"))


def start_control_plane(layout: Layout, node: int) -> None:
    """Start what is missing of the control plane and wait for it."""
    write_files(layout, control_plane_files())
    every = commands(layout)
    launch(layout.profile, node, {name: every[name] for name in CONTROL_PLANE})
    wait_for_control_plane(layout.profile, connect_api(layout))


def wait_for_control_plane(profile: Profile, api: Api) -> None:
    """Wait until API server and controllers do their work."""
    wait_for(profile, "apiserver", "the API server", lambda: _answers(api, "/readyz"))
    # The first thing that a new pod needs from a controller.
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    what = "the service account that controllers make"
    wait_for(profile, "controller-manager", what, lambda: _answers(api, account))


def _answers(api: Api, path: str) -> bool:
    try:
        api.text(path)
    except UNREACHABLE:
        return False
    return True


def write_files(layout: Layout, files: dict[str, str]) -> None:
    """Write configuration files by their names."""
    for name, text in files.items():
        path = layout.config_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:  # kube-proxy ends when its file changes
            path.write_text(text)
