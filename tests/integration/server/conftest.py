"""Models that the trainer has trained and compressed, fetched, for all tests that only ask them.

They take a minute to make, so all of these tests run in one process (`scripts/test` distributes by
group), and change nothing of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.support.builder_pods import build, searched
from tests.support.server_process import Server, run_program, serving_process
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import Committed, read_artifact
from winnow_contract.serving import Serving

Rows = np.ndarray[Any, np.dtype[Any]]
CHAINS: dict[str, list[dict[str, Any]]] = {"baseline": [], "int8": [{"quantize": {}}]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder in one process."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("served"))


@dataclass(frozen=True)
class Digits:
    """A model for scanned digits in two forms, and digits that it never saw."""

    winner: Committed
    """Of a search."""
    int8: Committed
    """Of its compression."""
    rows: Rows
    """(rows, 64) float32, the test split."""
    labels: Rows
    claims: Path


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """Trained and quantized by the trainer's own program."""
    folder = tmp_path_factory.mktemp("digits")
    source = searched(folder / "search", "digits", settings={"epochs": "8", "width": "64"})
    built = build(folder / "compression", source, CHAINS)
    home = source.claims / "models/small"
    shutil.copytree(built.pod.artifacts, home)
    baseline, int8 = (read_artifact(home / f"small-c{n:05d}/aaaaaaaa") for n in (1, 2))
    held = load_file(baseline.folder / "evaluation.safetensors")
    return Digits(source.artifact, int8, held["test_inputs"], held["test_targets"], source.claims)


def settings_for(artifact: Committed, digits: Digits, folder: Path) -> Serving:
    """What the operator would say about an artifact."""
    path = artifact.folder.relative_to(digits.claims / "models").as_posix()
    return Serving(
        model_uri=f"pvc://models/{path}",
        model_digest=f"sha256:{artifact.digest}",
        model_source=digits.claims / "models",
        model_folder=folder / "model",
        model_name="digits",
        model_revision=2,
        drain_seconds=2,
        port=0,
        termination_log=folder / "termination-log",
    )


def fetched(artifact: Committed, digits: Digits, folder: Path) -> Serving:
    """The same after the init container has run."""
    serving = settings_for(artifact, digits, folder)
    ended = run_program(serving)
    assert ended.code == ExitCode.OK, ended.log
    return serving


@pytest.fixture(scope="session")
def serving(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Serving:
    """The quantized model, fetched."""
    return fetched(digits.int8, digits, tmp_path_factory.mktemp("int8"))


@pytest.fixture(scope="session")
def server(serving: Serving) -> Iterator[Server]:
    """A server of it that stays up."""
    with serving_process(replace(serving, max_request_bytes=64 << 10)) as up:
        yield up
