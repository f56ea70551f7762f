"""The benchmark of compression on a small network: built by the trainer's program, then measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.compressing.building import build
from benchmarks.compressing.report import EAGER, Measured
from benchmarks.compressing.subjects import INT8, Subject, subjects
from benchmarks.compressing.turns import measure_subject
from winnow_contract.steps.chains import BASELINE

pytestmark = pytest.mark.prove  # it trains what `make test` trains elsewhere

TURNS = 5
SMALL = replace(
    subjects()[0],
    name="small",
    family="MLP",
    settings={"width": "64", "epochs": "4"},
    data="builtin://digits",
    candidates={
        INT8: ({"quantize": {}},),
        "impossible": (
            {"distill": {"student": {"settings": [{"name": "width", "value": "512"}]}}},
        ),
    },
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setenv("WINNOW_CACHE", str(cache))
    return SMALL


def test_models_are_measured_beside_pytorch_and_what_fails_is_named(small: Subject) -> None:
    rows = measure_subject(small, build(small), TURNS)
    measured = Measured(small, rows)

    assert set(measured.rows) == {BASELINE, INT8, EAGER}
    assert measured.smaller(INT8) > 1.5
    assert abs(measured.lost(EAGER, "test")) < 0.01
    assert measured.faster(BASELINE, EAGER).median > 1
    assert all(len(row.seconds) == TURNS for row in measured.rows.values())
    assert "make it smaller" in measured.failures["impossible"]


def test_what_is_built_once_is_found_again_and_other_settings_are_built_anew(
    small: Subject,
) -> None:
    first, second = build(small), build(small)
    other = build(replace(small, settings={**small.settings, "epochs": "3"}))

    assert second.baseline == first.baseline
    assert second.candidates == first.candidates
    assert second.revisions == first.revisions
    assert first.revisions
    assert other.baseline.digest != first.baseline.digest
