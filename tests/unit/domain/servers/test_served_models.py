"""What a ModelServer shall serve: the selection of a compression, or why there is nothing to serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Body
from winnow_operator.api.conditions import Reason
from winnow_operator.api.modelserver import ModelReference, ModelServerSpec
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.served_models import Model, chosen_model, given_model

DIGEST = "sha256:" + "ab" * 32
ARTIFACT = {"uri": "pvc://models/a", "digest": DIGEST, "format": "winnow/onnx-v1", "sizeBytes": 9}


def spec(**changes: Any) -> ModelServerSpec:
    return ModelServerSpec.model_validate({"model": {"compressionJob": "small"}, **changes})


def condition(kind: str, status: str = "True", message: str = "") -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": "Any",
        "message": message,
        "lastTransitionTime": "2026-01-31T12:00:00Z",
    }


def compression(*conditions: Body, artifact: Body | None = None, selected: bool = True) -> Body:
    choice = {"trial": "small-c00004", "candidate": "int8", "reason": "it is the smallest"}
    found = {**choice, "artifact": artifact or ARTIFACT}
    return {
        "metadata": {"name": "small"},
        "spec": {"model": {"searchJob": "digits"}, "auto": {}},
        "status": {
            "conditions": list(conditions),
            **({"selected": found} if selected else {}),
        },
    }


COMPLETE = condition("Complete")
UNMET = condition("GoalsMet", "False", "int8 misses accuracy by 0.02")


def test_the_selection_of_a_complete_compression_is_served_with_its_reason() -> None:
    found = chosen_model(spec(), Kind.COMPRESSION, compression(COMPLETE, condition("GoalsMet")))

    assert found == Model("small/int8", "pvc://models/a", DIGEST, "it is the smallest")


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (None, Reason.WAITING_FOR_SOURCE, "names CompressionJob small, which there is not"),
        (compression(COMPLETE, selected=False), Reason.SOURCE_FAILED, "has no artifact"),
        (compression(), Reason.WAITING_FOR_SOURCE, "has not chosen yet"),
        (
            compression(condition("Failed", message="no baseline")),
            Reason.SOURCE_FAILED,
            "has failed: no baseline",
        ),
        (compression(COMPLETE, UNMET), Reason.GOALS_NOT_MET, "misses accuracy by 0.02"),
        (
            compression(COMPLETE, artifact={**ARTIFACT, "format": "winnow/contract-v1"}),
            Reason.SOURCE_FAILED,
            "an artifact of format winnow/contract-v1, served are winnow/onnx-v1",
        ),
        ({"metadata": {}, "spec": {}}, Reason.SOURCE_FAILED, "of another release"),
    ],
)
def test_what_cannot_be_served_is_waited_for_in_words(
    body: Body | None, reason: Reason, words: str
) -> None:
    found = chosen_model(spec(), Kind.COMPRESSION, body)

    assert isinstance(found, Blockage)
    assert found.reason is reason
    assert words in found.message


def test_goals_that_are_not_met_do_not_matter_where_the_baseline_is_accepted() -> None:
    found = chosen_model(spec(acceptBaseline=True), Kind.COMPRESSION, compression(COMPLETE, UNMET))

    assert isinstance(found, Model)


def test_a_long_uri_is_shown_by_its_end() -> None:
    uri = f"pvc://models/{'a/' * 60}the-model"
    found = given_model(ModelReference(uri=uri, digest=DIGEST))

    assert found.uri == uri
    assert len(found.name) == 63
    assert found.name.startswith("...")
    assert found.name.endswith("/the-model")


def search(*conditions: Body, kind: str = "winnow/safetensors-v1") -> Body:
    winner = {"trial": "digits-t00042", "artifact": {**ARTIFACT, "format": kind}}
    task = {"model": {"family": "MLP"}, "data": {"uri": "builtin://digits"}}
    parameters = [{"name": "width", "int": {"min": 1, "max": 2}}]
    return {
        "metadata": {"name": "digits"},
        "spec": {
            "task": task,
            "objectives": [{"metric": "accuracy", "goal": "Maximize"}],
            "space": {"parameters": parameters},
        },
        "status": {"conditions": list(conditions), "winner": winner},
    }


def test_the_winner_of_a_complete_search_is_served_as_it_was_trained() -> None:
    found = chosen_model(spec(model={"searchJob": "digits"}), Kind.SEARCH, search(COMPLETE))

    assert found == Model(
        "digits-t00042", "pvc://models/a", DIGEST, "the winner of SearchJob digits"
    )


def test_the_best_so_far_of_a_search_that_runs_is_not_served() -> None:
    found = chosen_model(spec(model={"searchJob": "digits"}), Kind.SEARCH, search())

    assert found == Blockage(Reason.WAITING_FOR_SOURCE, "SearchJob digits has not chosen yet")


def test_the_winner_of_an_image_of_ones_own_cannot_be_served() -> None:
    body = search(COMPLETE, kind="winnow/contract-v1")
    found = chosen_model(spec(model={"searchJob": "digits"}), Kind.SEARCH, body)

    assert isinstance(found, Blockage)
    assert found.reason is Reason.SOURCE_FAILED
