"""The WINNOW_* variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow_contract.environment import Environment, read_environment
from winnow_contract.errors import EnvironmentVariableError


def test_without_variables_the_defaults_of_a_pod_hold() -> None:
    assert read_environment({}) == Environment()


def test_variables_are_read() -> None:
    environment = read_environment(
        {
            "JOB_COMPLETION_INDEX": "3",
            "WINNOW_ATTEMPT": "0a1b2c3d-1111-2222",
            "WINNOW_ARTIFACTS": "/claims/models/x",
            "WINNOW_METRICS_PORT": "0",
        }
    )

    assert environment.index == 3
    assert environment.attempt == "0a1b2c3d"
    assert environment.artifacts == Path("/claims/models/x")
    assert environment.metrics_port == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOB_COMPLETION_INDEX", "-1"),
        ("JOB_COMPLETION_INDEX", "one"),
        ("WINNOW_METRICS_PORT", "70000"),
        ("WINNOW_ATTEMPT", "../../x"),
    ],
)
def test_an_odd_variable_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=name):
        read_environment({name: value})
