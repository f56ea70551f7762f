"""Fixtures of the crash tests, and their figures at the end of a run."""

from pathlib import Path

import pytest

from tests.crash.figures import show
from tests.crash.stage import Theatre
from tests.support.api import Api
from tests.support.cluster_fixtures import (
    api,
    control_plane,
    idle_operator,
    namespace,
    nursery,
    operator,
)
from tests.support.nursery import Nursery

__all__ = ["api", "control_plane", "idle_operator", "namespace", "nursery", "operator"]


@pytest.fixture
def theatre(api: Api, control_plane: Path, tmp_path: Path, nursery: Nursery) -> Theatre:
    """Where stages are set up."""
    return Theatre(api, control_plane, tmp_path, nursery)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was killed and how long it took."""
    show(terminalreporter)
