"""What can be asked about a cluster: whether it is up, how its components fare, their logs."""

from __future__ import annotations

from pathlib import Path

from devcluster.api import UNREACHABLE, Api
from devcluster.components import CONTROL_PLANE, FULL_NODE
from devcluster.credentials import NODE_NAME, open_credentials
from devcluster.errors import DevclusterError
from devcluster.machine import component_status, find_node
from devcluster.profiles import Profile, known_profiles
from devcluster.prometheus import prometheus_address
from devcluster.record import read_record
from devcluster.waiting import log_path

LOGS = (*FULL_NODE, "gpus", "prometheus", "targets", "supervisor", "audit")
"""Whose logs there are."""


def known_profile(name: str) -> Profile:
    """The profile of this name, without making one.

    Raises:
        DevclusterError: if there is none.
    """
    for profile in known_profiles():
        if profile.name == name:
            return profile
    raise DevclusterError(f"there is no profile {name}: scripts/devcluster up --profile {name}")


def running_profile(name: str) -> Profile:
    """The profile of this name, whose cluster is up.

    Raises:
        DevclusterError: if it is not.
    """
    profile = known_profile(name)
    if read_record(profile) is None or find_node(profile) is None:
        raise DevclusterError(f"profile {name} is not up: scripts/devcluster up --profile {name}")
    return profile


def existing_log(name: str, component: str) -> Path:
    """File of a component's log.

    Raises:
        DevclusterError: if there is none.
    """
    path = log_path(known_profile(name), component)
    if not path.exists():
        raise DevclusterError(
            f"there is no {path}: profile {name} is down, or has no component {component}"
        )
    return path


def print_status(name: str) -> bool:
    """Print what a cluster is; says whether it is up and all of it works."""
    profile = running_profile(name)
    record = read_record(profile)
    full = record is not None and record.full_node
    print(f"profile     {name}: {'a full node' if full else 'a control plane'}")
    print(f"kubeconfig  {profile.kubeconfig}")
    print(f"addresses   node {profile.node_address}, pods {profile.pod_range}, ", end="")
    print(f"services {profile.service_range}")
    if record is not None and record.prometheus:
        print(f"prometheus  {prometheus_address(profile)}")
    answer = _node_answer(profile, full_node=full)
    print(f"state       {answer}")
    works = _print_components(profile, FULL_NODE if full else CONTROL_PLANE)
    others = [p.name for p in known_profiles() if p.name != name and find_node(p)]
    print(f"others      {', '.join(others) or 'none is up'}")
    return works and answer == "Ready"


def _print_components(profile: Profile, expected: tuple[str, ...]) -> bool:
    found = component_status(profile)
    for component in (*expected, *sorted(found.keys() - set(expected))):
        state = found.get(component, {})
        word = "running" if state.get("running") else "not running"
        failures = state.get("failures", 0)
        more = f", ended {failures} times, last with {state['last_exit']}" if failures else ""
        print(f"  {component:19} {word}{more}")
    return all(found.get(component, {}).get("running") for component in expected)


def _node_answer(profile: Profile, *, full_node: bool) -> str:
    api = Api.of_kubeconfig(open_credentials(profile).kubeconfig_text("devcluster"))
    try:
        api.text("/readyz")
        if not full_node or is_node_ready(api):
            return "Ready"
    except UNREACHABLE as error:
        return f"the API server does not answer: {error}"
    return "the node is not Ready"


def is_node_ready(api: Api) -> bool:
    """Whether the node object is there and Ready."""
    node = api.get(f"/api/v1/nodes/{NODE_NAME}")
    conditions = {c["type"]: c["status"] for c in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"
