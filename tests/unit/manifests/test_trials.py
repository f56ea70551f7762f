"""The Trial object and its status."""

from __future__ import annotations

from winnow_operator.api.trial import MetricValue, Outcome, TrialStatus
from winnow_operator.domain.ledger import TrialRecord, read_trial
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.trials import trial_object, trial_status

OWNER = Owner("team", "digits", "0a1b2c3d")
RECORD = TrialRecord(42, (("rate", "0.001"), ("activation", "relu")), 7, history="1-40")


def test_a_trial_holds_what_was_suggested_and_belongs_to_its_job() -> None:
    body = trial_object(OWNER, RECORD)

    assert body["metadata"]["name"] == "digits-t00042"
    assert body["metadata"]["labels"]["winnow.dev/searchjob"] == "digits"
    assert body["metadata"]["ownerReferences"][0]["uid"] == "0a1b2c3d"
    assert body["spec"] == {
        "number": 42,
        "seed": 7,
        "parameters": [
            {"name": "rate", "value": "0.001"},
            {"name": "activation", "value": "relu"},
        ],
        "history": "1-40",
    }


def test_a_trial_is_read_back_as_it_was_made() -> None:
    final = TrialRecord(99_001, RECORD.texts, 8, final_of=42)

    assert read_trial(trial_object(OWNER, RECORD)) == RECORD
    assert read_trial(trial_object(OWNER, final)) == final


def test_a_status_says_what_is_known_and_nothing_else() -> None:
    status = TrialStatus(
        outcome=Outcome.SUCCEEDED,
        score="-0.98",
        values=(MetricValue(metric="accuracy", value="0.98"),),
    )

    assert trial_status(status, completed="2026-01-01T00:00:00Z") == {
        "outcome": "Succeeded",
        "score": "-0.98",
        "values": [{"metric": "accuracy", "value": "0.98"}],
        "completionTime": "2026-01-01T00:00:00Z",
    }


def test_an_active_trial_whose_pod_cannot_start_stays_active() -> None:
    status = TrialStatus(cause="ImagePull", message="not found")

    assert trial_status(status) == {
        "outcome": "Active",
        "cause": "ImagePull",
        "message": "not found",
    }
