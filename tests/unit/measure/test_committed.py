"""Rounds that were measured already: found again only if they are the same and whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.measuring_pods import Round
from tests.support.onnx_graphs import dense
from winnow_contract.choosing.goals import parse_goals
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult, as_recorded
from winnow_contract.measuring.measurements import Earlier, Measurement
from winnow_measure.committed import find_round, report_folder, write_round


@pytest.fixture
def models(tmp_path: Path) -> Round:
    """A baseline and a candidate."""
    made = Round(tmp_path)
    made.add("baseline", dense(width=4))
    made.add("other", dense(width=5))
    return made


@pytest.fixture
def result(models: Round) -> MeasurementResult:
    """As if their built artifacts were the final ones, committed."""
    baseline, other = models.models
    values = {"accuracy": (0.9, 0.01)}
    found = as_recorded(
        MeasurementResult(
            "aaaaaaaa",
            (
                MeasuredCandidate(baseline.number, "Succeeded", values, digest=baseline.digest),
                MeasuredCandidate(other.number, "Failed", cause="NaN", message="no numbers"),
            ),
        )
    )
    write_round(models.artifacts, models.measurement, found)
    return found


def test_the_same_round_is_found_as_it_was(models: Round, result: MeasurementResult) -> None:
    assert find_round(models.artifacts, models.measurement) == result


def test_other_wishes_make_no_other_round(models: Round, result: MeasurementResult) -> None:
    goals = parse_goals([{"metric": "accuracy", "maxDrop": "0.1"}], (1, 4))
    earlier = (Earlier(7, "small-c00007", "older"),)
    wished = replace(models.measurement, goals=goals, prefer=("size_bytes",), earlier=earlier)

    assert find_round(models.artifacts, wished) == result


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, threads=2),
        lambda m: replace(m, repetitions=9),
        lambda m: replace(m, batch_sizes=(1,)),
        lambda m: replace(m, job=replace(m.job, uid="other")),
        lambda m: replace(m, candidates=()),
        lambda m: replace(m, baseline=replace(m.baseline, digest="0" * 64)),
    ],
)
@pytest.mark.usefixtures("result")
def test_another_measurement_is_another_round(
    models: Round, change: Callable[[Measurement], Measurement]
) -> None:
    assert find_round(models.artifacts, change(models.measurement)) is None


@pytest.mark.usefixtures("result")
def test_a_round_whose_artifact_was_damaged_is_measured_again(models: Round) -> None:
    (models.artifacts / "small-c00001/aaaaaaaa/model.onnx").write_bytes(b"else")

    assert find_round(models.artifacts, models.measurement) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"measures": 1, "result": 2}', "null"])
@pytest.mark.usefixtures("result")
def test_half_a_file_is_no_round(models: Round, content: str) -> None:
    folder = report_folder(models.artifacts, models.measurement)
    (folder / "round.json").write_text(content)

    assert find_round(models.artifacts, models.measurement) is None


@pytest.mark.usefixtures("result")
def test_a_result_that_is_none_is_no_round(models: Round) -> None:
    path = report_folder(models.artifacts, models.measurement) / "round.json"
    path.write_text(path.read_text().replace("winnow-measured-1:", "winnow-else:"))

    assert find_round(models.artifacts, models.measurement) is None


def test_nothing_is_found_where_nothing_is(tmp_path: Path, models: Round) -> None:
    assert find_round(tmp_path / "nowhere", models.measurement) is None
    unused: Any = report_folder(tmp_path, models.measurement)
    assert unused == tmp_path / "report/1"
