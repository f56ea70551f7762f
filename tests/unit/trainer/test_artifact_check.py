"""scripts/artifact_check.py, which reads an artifact as a stranger would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chart import ROOT
from winnow_contract.manifests import write_manifest


@pytest.fixture
def artifact(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "weights").write_text("1 2 3")
    value = {"metric": "rmse", "split": "test", "value": 1.5, "standardError": None}
    document = {"contractVersion": 1, "trial": {"name": "t1"}, "values": [value]}
    return tmp_path, f"sha256:{write_manifest(tmp_path, document).digest}"


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/artifact_check.py"), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_whole_artifact_is_described(artifact: tuple[Path, str]) -> None:
    checked = check(*artifact)

    assert checked.returncode == 0
    assert json.loads(checked.stdout) == {
        "trial": "t1",
        "files": {"weights": 5},
        "test": {"rmse": 1.5},
    }


def test_what_is_wrong_is_named(artifact: tuple[Path, str]) -> None:
    folder, digest = artifact
    (folder / "weights").write_text("3 2 1")

    damaged, other = check(*artifact), check(folder, "sha256:0")
    (folder / "weights").unlink()
    missing = check(*artifact)
    (folder / "manifest.json").unlink()
    without = check(*artifact)

    assert [result.returncode for result in (damaged, other, missing, without)] == [1] * 4
    assert damaged.stderr == "weights is not the file that the manifest lists\n"
    assert other.stderr.startswith(f"manifest.json has {digest}, expected is sha256:0\n")
    assert missing.stderr == "weights is missing\n"
    assert "has no manifest.json: there is no whole artifact" in without.stderr


def test_it_says_how_it_is_used() -> None:
    assert check().stderr == "usage: artifact_check.py FOLDER sha256:DIGEST\n"
