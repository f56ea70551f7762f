"""What a ModelServer shall serve: the selection of a compression, or why there is nothing to serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Body
from winnow_operator.api.conditions import Reason
from winnow_operator.api.modelserver import ModelReference, ModelServerSpec
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.served_models import Model, given_model, selected_model

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
    found = selected_model(spec(), compression(COMPLETE, condition("GoalsMet")))

    assert found == Model("small/int8", "pvc://models/a", DIGEST, "it is the smallest")


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (None, Reason.WAITING_FOR_SOURCE, "there is no CompressionJob of that name"),
        (compression(selected=False), Reason.WAITING_FOR_SOURCE, "has no selection yet"),
        (compression(), Reason.WAITING_FOR_SOURCE, "has no selection yet"),
        (
            compression(condition("Failed", message="no baseline")),
            Reason.SOURCE_FAILED,
            "has failed: no baseline",
        ),
        (compression(COMPLETE, UNMET), Reason.GOALS_NOT_MET, "misses accuracy by 0.02"),
        (
            compression(COMPLETE, artifact={**ARTIFACT, "format": "winnow/safetensors-v1"}),
            Reason.SOURCE_FAILED,
            "no artifact that can be served",
        ),
        ({"metadata": {}, "spec": {}}, Reason.SOURCE_FAILED, "of another release"),
    ],
)
def test_what_cannot_be_served_is_waited_for_in_words(
    body: Body | None, reason: Reason, words: str
) -> None:
    found = selected_model(spec(), body)

    assert isinstance(found, Blockage)
    assert found.reason is reason
    assert words in found.message


def test_goals_that_are_not_met_do_not_matter_where_the_baseline_is_accepted() -> None:
    found = selected_model(spec(acceptBaseline=True), compression(COMPLETE, UNMET))

    assert isinstance(found, Model)


def test_a_long_uri_is_shown_by_its_end() -> None:
    uri = f"pvc://models/{'a/' * 60}the-model"
    found = given_model(ModelReference(uri=uri, digest=DIGEST))

    assert found.uri == uri
    assert len(found.name) == 63
    assert found.name.startswith("...")
    assert found.name.endswith("/the-model")
