"""Command lines and configuration files of the components."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from devcluster.binaries import BINARIES
from devcluster.components import FULL_NODE, Layout, commands
from devcluster.configs import control_plane_files, node_files
from devcluster.credentials import USERS, Credentials
from devcluster.profiles import Profile


@pytest.fixture
def layout() -> Layout:
    profile = Profile("dev", 7)
    return Layout(profile, Path("/programs"), Credentials(profile.state / "pki"))


def test_every_component_of_a_node_has_a_command(layout: Layout) -> None:
    assert set(commands(layout)) == set(FULL_NODE)


def test_every_own_program_that_is_started_is_built(layout: Layout) -> None:
    programs = [Path(command[0]) for command in commands(layout).values()]
    own = {p.name for p in programs if p.parent == Path("/programs")}

    assert len(own) > 7
    assert own <= {b.name for b in BINARIES}


def test_the_control_plane_needs_only_programs_that_are_built_for_it(layout: Layout) -> None:
    early = {b.name for b in BINARIES if not b.full_node_only}
    every = commands(layout)

    for name in ("etcd", "apiserver", "controller-manager"):
        assert Path(every[name][0]).name in early


def test_every_configuration_file_that_a_command_names_is_written(layout: Layout) -> None:
    written = {*control_plane_files(), *node_files(layout, "overlayfs")}
    named = {
        match
        for command in commands(layout).values()
        for word in command
        for match in re.findall(rf"{layout.config_folder}/(\S+)", word)
    }

    assert len(named) >= 5
    assert named <= written


def test_every_component_has_a_user_of_its_own_in_the_audit_log() -> None:
    names = [name for name, _ in USERS.values()]

    assert len(set(names)) == len(names)


def test_containerd_can_read_its_configuration_whatever_the_cache_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WINNOW_CACHE", '/a "quoted" \\ folder')
    profile = Profile("dev", 7)
    layout = Layout(profile, Path("/programs"), Credentials(profile.state / "pki"))

    config = tomllib.loads(node_files(layout, "native")["containerd.toml"])

    assert config["root"] == str(profile.images)
    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["containerd"]["snapshotter"] == "native"
    assert cri["restrict_oom_score_adj"] is True


def test_the_audit_log_keeps_every_write_and_no_request_twice() -> None:
    policy = json.loads(control_plane_files()["audit-policy.json"])
    *quiet, last = policy["rules"]

    assert policy["omitStages"] == ["RequestReceived"]
    assert last == {"level": "Metadata"}
    for rule in quiet:
        assert "nonResourceURLs" in rule or rule["verbs"] == ["get", "list", "watch"]


def test_pods_and_kubelet_agree_on_dns_and_the_control_group(layout: Layout) -> None:
    kubelet = json.loads(node_files(layout, "overlayfs")["kubelet.json"])

    assert kubelet["clusterDNS"] == [layout.profile.dns_service]
    assert kubelet["cgroupRoot"] == f"/{layout.profile.cgroup}"
