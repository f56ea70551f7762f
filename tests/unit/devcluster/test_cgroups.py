"""The control group of a node, in folders that look like those of the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from devcluster import cgroups


def test_the_pods_of_a_node_weigh_as_several_processes_on_v1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    for name in ("cpu", "memory"):
        (tmp_path / name / "node").mkdir(parents=True)
        (tmp_path / name / "cgroup.procs").touch()
    (tmp_path / "cpu/node/cpu.shares").write_text("1024")

    cgroups.make_cgroup("node")

    assert (tmp_path / "cpu/node/cpu.shares").read_text() == "4096"
    assert list((tmp_path / "memory/node").iterdir()) == []


def test_the_pods_of_a_node_weigh_as_several_processes_on_v2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    (tmp_path / "node").mkdir()
    for folder in (tmp_path, tmp_path / "node"):
        (folder / "cgroup.controllers").write_text("cpu memory")
        (folder / "cgroup.subtree_control").write_text("cpu memory")
    (tmp_path / "node/cpu.weight").write_text("100")

    cgroups.make_cgroup("node")

    assert (tmp_path / "node/cpu.weight").read_text() == "400"
