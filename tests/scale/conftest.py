"""A control plane of its own for what fills it, which goes with all these objects."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.api import Api, open_api
from tests.support.chart import ROOT
from tests.support.cluster_fixtures import start_control_plane

PROFILE = "scale-cp"


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Path]:
    """The administrator's kubeconfig."""
    yield start_control_plane(PROFILE)
    command = [str(ROOT / "scripts/devcluster"), "down", "--profile", PROFILE]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
async def api(control_plane: Path) -> AsyncIterator[Api]:
    """The administrator's client."""
    async with open_api(control_plane) as opened:
        yield opened
