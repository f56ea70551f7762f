"""Prometheus as a process of the node, which scrapes the pods of a Winnow that runs there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from devcluster import targets
from devcluster.api import UNREACHABLE, Api
from devcluster.components import (
    PROMETHEUS_CONFIG,
    PROMETHEUS_PORT,
    PROMETHEUS_TARGETS,
    SOURCE,
    Layout,
    prometheus,
)
from devcluster.control_plane import connect_api, write_files
from devcluster.machine import launch
from devcluster.profiles import Profile
from devcluster.services import NodeService, make_service
from devcluster.waiting import wait_for

COMPONENT = "prometheus"
NAMESPACE = "monitoring"
URL = f"http://{COMPONENT}.{NAMESPACE}:{PROMETHEUS_PORT}"
"""What pods call it."""
SCRAPE_SECONDS = 5
RULES = SOURCE / "charts/winnow/files/rules.yaml"


def start_prometheus(layout: Layout, node: int) -> None:
    """Start Prometheus, unless it runs as it should, and wait until it answers."""
    profile = layout.profile
    config = json.dumps(scrape_config(layout), indent=2) + "\n"
    write_files(layout, {PROMETHEUS_CONFIG: config})
    launch(profile, node, prometheus(layout, _version(config)))
    api = connect_api(layout)
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    ports = (("http", "TCP", PROMETHEUS_PORT),)
    make_service(api, profile, NodeService(NAMESPACE, COMPONENT, ports, labels={}))
    itself = Api(prometheus_address(profile), "", api.tls)
    wait_for(profile, COMPONENT, "Prometheus", lambda: _answers(itself))


def prometheus_address(profile: Profile) -> str:
    """Where the machine finds it."""
    return f"http://{profile.node_address}:{PROMETHEUS_PORT}"


def scrape_config(layout: Layout) -> dict[str, Any]:
    """Prometheus' configuration. Pure."""
    interval = f"{SCRAPE_SECONDS}s"
    times = {"scrape_interval": interval, "evaluation_interval": interval}
    pods = {
        "job_name": "winnow",
        "file_sd_configs": [{"files": [layout.config(PROMETHEUS_TARGETS)]}],
        # What a trial says of its job gives way to what the target has, as with the chart's monitors.
        "metric_relabel_configs": [{"action": "labeldrop", "regex": "exported_job_uid"}],
    }
    return {
        "global": {**times, "scrape_timeout": "4s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [pods],
    }


def _version(config: str) -> str:
    """Changes with whatever Prometheus and its targets are started with."""
    programs = Path(targets.__file__).read_text(), RULES.read_text()
    return hashlib.sha256("".join((config, *programs)).encode()).hexdigest()[:12]


def _answers(api: Api) -> bool:
    try:
        return bool(api.text("/-/ready"))
    except UNREACHABLE:
        return False
