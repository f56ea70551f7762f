"""From results and manifests to what the report is made from, earlier rounds among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.measuring_pods import HOME, SOURCE, Round
from tests.support.onnx_graphs import dense
from winnow_contract.choosing.goals import parse_goals
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult, as_recorded
from winnow_contract.measuring.measurements import Earlier
from winnow_measure.report.writing import page
from winnow_measure.reporting import Manifests, choice_of, report_input

STEP = {"quantize": {"mode": "PostTraining"}, "report": {"sentences": ["it went well"]}}
FAST, SLOW = (5e-5, 1e-7), (1e-4, 1e-7)
KEY = "latency_p95_seconds@1"


def values(accuracy: float, latency: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {"accuracy": (accuracy, 0.001), KEY: latency}


@pytest.fixture
def models(tmp_path: Path) -> Round:
    """A baseline, a fast candidate, one that failed, and one of an earlier round."""
    made = Round(tmp_path)
    made.add("baseline", dense(width=4))
    made.add("fast", dense(width=5), steps=[STEP], claims={"masked": False})
    made.add("broken", dense(width=6), steps=[STEP])
    made.changes = {
        "goals": parse_goals([{"metric": "accuracy", "maxDrop": "0.01"}], (1, 4)),
        "prefer": (KEY,),
        "earlier": (
            Earlier(
                9,
                "small-c00009",
                "older",
                round=1,
                uri=f"pvc://{HOME}/small-c00002/aaaaaaaa",
                digest="9" * 64,
                values=values(0.95, (2e-5, 1e-7)),
                baseline=values(0.95, (8e-5, 1e-7)),
            ),
            Earlier(8, "small-c00008", "dead", round=0, outcome="Failed", cause="NaN"),
        ),
        "round": 2,
    }
    return made


def result_of(models: Round, accuracy: float = 0.95) -> MeasurementResult:
    baseline, fast, broken = models.models
    return as_recorded(
        MeasurementResult(
            "aaaaaaaa",
            (
                MeasuredCandidate(
                    baseline.number, "Succeeded", values(0.95, SLOW), digest=baseline.digest
                ),
                MeasuredCandidate(
                    fast.number, "Succeeded", values(accuracy, FAST), digest=fast.digest
                ),
                MeasuredCandidate(broken.number, "Failed", cause="NaN", message="no numbers"),
            ),
        )
    )


def content(models: Round) -> Any:
    uri = f"pvc://{HOME}"
    return report_input(models.measurement, result_of(models), Manifests(models.claims), uri)


def test_every_model_has_an_entry_with_what_its_manifest_says(models: Round) -> None:
    found = content(models)
    entries = {entry.name: entry for entry in found.entries}

    assert list(entries) == ["baseline", "fast", "broken", "older", "dead"]
    assert entries["fast"].steps == (STEP,)
    assert entries["fast"].claims == {"masked": False}
    assert entries["fast"].lineage == (SOURCE,)
    assert entries["fast"].uri == f"pvc://{HOME}/small-c00002/aaaaaaaa"
    assert entries["fast"].baseline == entries["baseline"].values
    assert (entries["broken"].cause, entries["broken"].message) == ("NaN", "no numbers")
    assert entries["broken"].steps == (STEP,), "what was built is shown though it failed"
    assert (entries["older"].round, entries["older"].digest) == (1, "9" * 64)
    assert entries["older"].steps == (STEP,)
    assert (found.source_uri, found.source_digest) == (SOURCE["uri"], SOURCE["digest"])
    assert (found.baseline, found.quality) == (1, "accuracy")


def test_the_page_can_be_made_of_it(models: Round) -> None:
    html = page(content(models))

    assert "it went well" in html
    assert "older" in html


def test_candidates_of_all_rounds_are_chosen_from_by_their_ratios(models: Round) -> None:
    # 0.25 of its own baseline's time, where this round's candidate has 0.5.
    assert choice_of(models.measurement, result_of(models)).name == "older"

    models.changes["earlier"] = models.changes["earlier"][1:]
    assert choice_of(models.measurement, result_of(models)).name == "fast"


def test_the_baseline_counts_and_is_shown_as_its_trial_has_it(models: Round) -> None:
    models.changes["earlier"] = ()
    models.changes["goals"] = parse_goals(
        [{"metric": "latency_p95_seconds", "max": "0.00004"}], (1, 4)
    )
    assert choice_of(models.measurement, result_of(models)).goals_met is False

    models.changes["recorded"] = values(0.95, (3e-5, 1e-7))
    choice = choice_of(models.measurement, result_of(models))
    shown = {entry.name: entry for entry in content(models).entries}

    assert (choice.name, choice.goals_met) == ("baseline", True)
    assert shown["baseline"].values[KEY] == (3e-5, 1e-7)
    assert shown["fast"].baseline[KEY] == SLOW


def test_an_earlier_candidate_is_compared_with_what_the_baseline_measured_otherwise(
    models: Round,
) -> None:
    models.changes["recorded"] = {**values(0.95, (3e-5, 1e-7)), "size_bytes": (9.0, None)}

    (older,) = [entry for entry in content(models).entries if entry.name == "older"]

    assert older.baseline == {**values(0.95, (8e-5, 1e-7)), "size_bytes": (9.0, None)}


def test_the_test_split_of_an_earlier_candidate_is_in_its_manifest(models: Round) -> None:
    path = models.artifacts / "small-c00002/aaaaaaaa/manifest.json"
    found = [
        {"metric": "accuracy", "split": "validation", "value": 0.9, "standardError": 0.1},
        {"metric": "accuracy", "split": "test", "value": 0.8, "standardError": 0.2},
        {"metric": "f1", "split": "test", "value": "x"},
    ]
    path.write_text(json.dumps({**json.loads(path.read_text()), "values": found}))

    (older,) = [entry for entry in content(models).entries if entry.name == "older"]

    assert older.test == {"accuracy": (0.8, 0.2)}


def test_a_candidate_that_failed_is_never_chosen(models: Round) -> None:
    models.changes["earlier"] = ()

    choice = choice_of(models.measurement, result_of(models, accuracy=0.5))

    assert choice.name == "baseline"
    assert set(choice.verdicts) == {1, 2}


@pytest.mark.parametrize(
    "document", ["", "[]", "null", "{", json.dumps({"steps": 3, "claims": []})]
)
def test_a_manifest_that_cannot_be_read_leaves_an_entry_without_words(
    models: Round, document: str
) -> None:
    (models.artifacts / "small-c00002/aaaaaaaa/manifest.json").write_text(document)

    entry = next(entry for entry in content(models).entries if entry.name == "fast")

    assert (entry.steps, dict(entry.claims), entry.lineage) == ((), {}, ())
    assert entry.values
