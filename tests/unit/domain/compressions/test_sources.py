"""The source of a compression: given, waited for, or never to come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.compressionjobs import DIGEST, SOURCE, compression_job
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.conditions import Reason
from winnow_operator.domain.compressions.sources import (
    Origin,
    first_quality,
    given_origin,
    pinned_origin,
    searched_origin,
)
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.endings import Ending

ARTIFACT = {"uri": "pvc://m/1", "digest": DIGEST, "format": "winnow/safetensors-v1", "sizeBytes": 9}
WINNER = {"trial": "digits-t00007", "artifact": ARTIFACT}


def spec(**changes: Any) -> CompressionJobSpec:
    job = compression_job(**{"model": {"searchJob": "digits"}, **changes})
    return CompressionJobSpec.model_validate(job["spec"])


def search(kind: str = "", *, winner: dict[str, Any] | None = WINNER, **changes: Any) -> Any:
    conditions = {
        "type": kind,
        "status": "True",
        "reason": "TooManyFailures",
        "message": "4 trials failed",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {
        "metadata": {"name": "digits"},
        "spec": {
            "task": {"model": {"family": "CNN"}, "data": {"uri": "builtin://digits"}},
            "objectives": [{"metric": "f1", "goal": "Maximize"}],
            "space": {"parameters": [{"name": "x", "int": {"min": 1, "max": 9}}]},
            **changes,
        },
        "status": {"conditions": [conditions] if kind else [], "winner": winner},
    }


def test_an_artifact_with_its_digest_is_used_as_it_is_given() -> None:
    origin = given_origin(spec(model={"uri": SOURCE, "digest": DIGEST}))

    assert (origin.source.uri, origin.source.digest, origin.source.family) == (SOURCE, DIGEST, None)
    assert origin.metric == "accuracy"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "there is no SearchJob of that name"),
        (
            {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
            "there is no SearchJob of that name",
        ),
        (search(), "SearchJob digits has no winner yet"),
    ],
    ids=["none", "being deleted", "running"],
)
def test_a_source_that_is_not_there_is_waited_for_with_words(body: Any, words: str) -> None:
    found = searched_origin(spec(), body)

    assert isinstance(found, Blockage)
    assert found.reason is Reason.WAITING_FOR_SOURCE
    assert words in found.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (search("Failed"), "SearchJob digits has failed: 4 trials failed"),
        (search("Complete", winner=None), "has no artifact"),
        (
            search(
                "Complete",
                winner={**WINNER, "artifact": {**ARTIFACT, "format": "winnow/contract-v1"}},
            ),
            "an image of your own",
        ),
        (search("Complete", task=None, trial={"image": "x"}), "an image of your own"),
        ({"metadata": {}, "spec": {}}, "cannot be read"),
    ],
    ids=["failed", "no artifact", "own format", "own image", "unreadable"],
)
def test_a_source_that_will_never_do_ends_the_compression(body: Any, words: str) -> None:
    found = searched_origin(spec(), body)

    assert isinstance(found, Ending)
    assert (found.reason, found.failed) == (Reason.SOURCE_FAILED, True)
    assert words in found.message


def test_the_winner_of_a_complete_search_is_the_source() -> None:
    found = searched_origin(spec(goals=[]), search("Complete"))

    assert isinstance(found, Origin)
    source = found.source
    assert (source.uri, source.digest, source.trial) == ("pvc://m/1", DIGEST, "digits-t00007")
    assert (source.family, source.data, found.kind) == ("CNN", "builtin://digits", "Classification")
    assert found.metric == "f1"
    assert pinned_origin(source, found.metric) == found


@pytest.mark.parametrize(
    ("goals", "prefer", "kind", "objective", "first"),
    [
        ([{"metric": "f1", "min": "0.5"}], ["accuracy"], "Classification", "accuracy", "f1"),
        ([{"metric": "size_bytes", "max": "9"}], ["f1"], "Classification", "accuracy", "f1"),
        ([], ["size_bytes"], "Regression", "mae", "mae"),
        ([], [], "Regression", "score_of_my_own", "rmse"),
        ([], [], "", "", "accuracy"),
    ],
)
def test_the_first_quality_metric_comes_from_goals_prefer_the_search_or_the_task(
    goals: list[dict[str, str]], prefer: list[str], kind: str, objective: str, first: str
) -> None:
    assert first_quality(spec(goals=goals, prefer=prefer), kind, objective) == first


def test_the_direction_of_the_objective_is_that_of_its_metric() -> None:
    source = given_origin(spec(model={"uri": SOURCE, "digest": DIGEST})).source

    assert str(Origin(source, "rmse").objective.goal) == "Minimize"
    assert str(Origin(source, "r2").objective.goal) == "Maximize"
