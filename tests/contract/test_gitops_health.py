"""Argo CD's health scripts give what their own tests say, and Flux's expressions and kstatus agree."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.judge import CHECKS, judge
from winnow_operator.api import crd

KINDS = sorted(path.name for path in CHECKS.iterdir())
STATES = {"Progressing": "InProgress", "Healthy": "Current", "Degraded": "Failed"}
"""What Flux calls the states of Argo CD; what is suspended is settled to it."""


def expected(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((CHECKS / kind / "health_test.yaml").read_text())[
        "tests"
    ]
    return found


def test_every_kind_has_a_health_check() -> None:
    assert {kind.name for kind in crd.KINDS} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_state_is_seen_alike_by_argo_cd_flux_and_kstatus(kind: str) -> None:
    tests = expected(kind)
    found = judge(
        [yaml.safe_load((CHECKS / kind / test["inputPath"]).read_text()) for test in tests]
    )

    for test, judgement in zip(tests, found, strict=True):
        wanted = test["healthStatus"]
        assert (judgement.argo, judgement.words) == (wanted["status"], wanted["message"])
        assert judgement.flux == STATES.get(wanted["status"], "Current"), test["inputPath"]
        # A record has no conditions: to kstatus it is there, and that is all.
        assert judgement.kstatus == ("Current" if kind == "Trial" else judgement.flux)


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_of_a_state_is_looked_at(kind: str) -> None:
    folder = CHECKS / kind / "testdata"

    assert {f"testdata/{path.name}" for path in folder.iterdir()} == {
        test["inputPath"] for test in expected(kind)
    }


def test_the_two_kinds_of_jobs_are_read_by_the_same_script() -> None:
    search, compression = (
        (CHECKS / kind / "health.lua").read_text() for kind in ("SearchJob", "CompressionJob")
    )

    assert compression.replace("CompressionJob", "SearchJob") == search
