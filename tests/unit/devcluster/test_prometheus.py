"""What the node's Prometheus scrapes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devcluster.components import PROMETHEUS_CONFIG, PROMETHEUS_TARGETS, Layout, prometheus
from devcluster.credentials import Credentials
from devcluster.profiles import Profile
from devcluster.prometheus import scrape_config
from devcluster.targets import target_of, write

ADDRESS = "10.221.0.9"


@pytest.fixture
def layout() -> Layout:
    profile = Profile("dev", 7)
    return Layout(profile, Path("/programs"), Credentials(profile.state / "pki"))


def pod(component: str, port: str, **status: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": component, "winnow.dev/searchjob": "digits"}
    annotations = {"winnow.dev/searchjob-uid": "u1", "winnow.dev/trials": "1-8"}
    container = {"name": "main", "ports": [{"name": port, "containerPort": 9090}]}
    return {
        "metadata": {
            "name": "a-pod",
            "namespace": "team",
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {"containers": [{"name": "first"}, container]},
        "status": {"podIP": ADDRESS, "phase": "Running", **status},
    }


def test_the_commands_and_the_configuration_agree_on_their_files(layout: Layout) -> None:
    commands, config = prometheus(layout, "1"), scrape_config(layout)

    assert f"--config.file={layout.config(PROMETHEUS_CONFIG)}" in commands["prometheus"]
    (files,) = config["scrape_configs"][0]["file_sd_configs"]
    assert files == {"files": [layout.config(PROMETHEUS_TARGETS)]}
    assert commands["targets"][-1] == layout.config(PROMETHEUS_TARGETS)


@pytest.mark.parametrize(
    ("component", "port"), [("operator", "metrics"), ("trial", "metrics"), ("server", "http")]
)
def test_a_pod_is_scraped_at_the_port_of_its_component(component: str, port: str) -> None:
    assert target_of(pod(component, port)) == {
        "targets": [f"{ADDRESS}:9090"],
        "labels": {
            "namespace": "team",
            "pod": "a-pod",
            "container": "main",
            "winnow_dev_searchjob": "digits",
            "job_uid": "u1",
        },
    }


@pytest.mark.parametrize(
    "unscraped",
    [
        pytest.param(pod("operator", "health"), id="another port"),
        pytest.param(pod("measuring", "metrics"), id="a component without metrics"),
        pytest.param(pod("trial", "metrics", phase="Succeeded"), id="it ended"),
        pytest.param(pod("trial", "metrics", podIP=None), id="it has no address yet"),
    ],
)
def test_a_pod_is_left_out_where_nothing_can_be_scraped(unscraped: dict[str, Any]) -> None:
    assert target_of(unscraped) is None


def test_what_is_written_down_is_the_list_that_file_discovery_reads(tmp_path: Path) -> None:
    file = tmp_path / "targets.json"
    target = target_of(pod("server", "http"))
    write(file, [target, None])

    assert json.loads(file.read_text()) == [target]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="comes with `up --prometheus`")
def test_the_configuration_is_one(layout: Layout, tmp_path: Path) -> None:
    file = tmp_path / PROMETHEUS_CONFIG
    file.write_text(json.dumps(scrape_config(layout)))

    command = ["promtool", "check", "config", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
