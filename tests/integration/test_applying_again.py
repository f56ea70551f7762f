"""The same document applied again is no change, neither to kubectl nor to the API server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.chart import ROOT, tool
from tests.support.namespace import Namespace

pytestmark = pytest.mark.control_plane

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_that_is_applied_twice_is_unchanged(
    example: Path, namespace: Namespace, control_plane: Path
) -> None:
    apply = [
        tool("kubectl"),
        f"--kubeconfig={control_plane}",
        f"--namespace={namespace.name}",
        "apply",
        "-f",
        str(example),
    ]

    first, second = (
        subprocess.run(apply, check=True, capture_output=True, text=True).stdout for _ in range(2)
    )

    made = first.strip().splitlines()
    assert all(line.endswith(" created") for line in made), first
    assert second.splitlines() == [line.replace(" created", " unchanged") for line in made]
