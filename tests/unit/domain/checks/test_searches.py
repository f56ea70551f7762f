"""What makes a job InvalidSpec, in which words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.contract.bad_specs import ADMISSION, OPERATOR
from tests.contract.base_specs import BASES, BadSpec, changed
from winnow_operator.api.pod_template import CONTAINER_FIELDS, POD_FIELDS
from winnow_operator.api.searchjob import SearchJob, SearchJobSpec
from winnow_operator.domain.checks.searches import CHAIN, check_spec

SEEN_BY_THE_MODEL_AS_WELL = [row for row in ADMISSION if not row.only_admission]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "value", "labels", "mountPath", *CONTAINER_FIELDS, *POD_FIELDS]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def spec_of(body: dict[str, Any]) -> SearchJobSpec:
    return SearchJob.model_validate(body).spec


@pytest.mark.parametrize("base", BASES)
def test_a_good_spec_has_no_complaint(base: str) -> None:
    assert check_spec(spec_of(BASES[base])) == []


@pytest.mark.parametrize("row", OPERATOR, ids=lambda row: row.what)
def test_a_bad_spec_is_told_in_words_what_is_allowed(row: BadSpec) -> None:
    sentences = check_spec(spec_of(row.document()))

    assert [word for word in row.words if word not in "; ".join(sentences)] == [], sentences


def is_only_a_type(row: BadSpec) -> bool:
    """The model reads "60" as 60 and "yes" as true, in which nothing is lost."""
    return any("must be of type" in word for word in row.words)


@pytest.mark.parametrize(
    "row",
    [row for row in SEEN_BY_THE_MODEL_AS_WELL if not is_only_a_type(row)],
    ids=lambda row: row.what,
)
def test_what_admission_refuses_does_not_run_under_an_older_crd_either(row: BadSpec) -> None:
    try:
        spec = spec_of(row.document())
    except ValidationError:
        return

    assert check_spec(spec)


def test_all_that_is_wrong_is_said_at_once() -> None:
    body = changed(BASES["task"], "spec.objectives.0.metric", "rmse")
    body = changed(body, "spec.space.parameters.1.name", "units")
    body = changed(body, "spec.podTemplate", {"spec": {"hostPID": True}})

    assert len(check_spec(spec_of(body))) == 3


def test_a_broken_parameter_is_complained_of_once() -> None:
    body = changed(BASES["grid"], "spec.space.parameters.0.int", {"min": 5, "max": 2})

    assert len(check_spec(spec_of(body))) == 1


def test_a_test_share_of_everything_is_complained_of_with_folds_too() -> None:
    body = changed(BASES["task"], "spec.task.evaluation", {"test": "1", "folds": 3})

    (sentence,) = check_spec(spec_of(body))
    assert "spec.task.evaluation.test is 1" in sentence


def test_an_image_of_ones_own_may_search_and_measure_what_it_likes() -> None:
    body = changed(BASES["own image"], "spec.objectives.0.metric", "frames_per_second")
    body = changed(body, "spec.space.parameters.0.name", "my.own-name")

    assert check_spec(spec_of(body)) == []


def test_a_fixed_norm_does_not_forbid_to_search_the_batch_size() -> None:
    body = changed(BASES["task"], "spec.task.model.settings", [{"name": "norm", "value": "batch"}])
    body = changed(
        body, "spec.space.parameters.1", {"name": "batch_size", "int": {"values": [1, 32]}}
    )

    assert check_spec(spec_of(body)) == []


def test_a_searched_shape_is_looked_at_value_by_value() -> None:
    shapes = {"name": "shape", "choice": {"values": ["5x6x1", "7x7x1"]}}
    body = changed(
        BASES["task"],
        "spec.task",
        {"model": {"family": "CNN"}, "data": {"uri": "builtin://breast_cancer"}},
    )
    body = changed(body, "spec.space.parameters.1", shapes)

    (sentence,) = check_spec(spec_of(body))

    assert "setting shape is 7x7x1 (49 numbers)" in sentence
    assert "rows of 30 numbers" in sentence


def test_a_large_grid_is_fine_where_a_budget_ends_it() -> None:
    large = [
        {"name": "width", "int": {"min": 1, "max": 10_000}},
        {"name": "epochs", "int": {"min": 1, "max": 10_000}},
    ]
    body = changed(BASES["grid"], "spec.space.parameters", large)

    assert check_spec(spec_of(body))
    assert check_spec(spec_of(changed(body, "spec.budget.maxTrials", 100))) == []


@given(JSON)
def test_nothing_in_a_pod_template_makes_the_checks_raise(content: Any) -> None:
    for path in (
        "spec.podTemplate.spec",
        "spec.podTemplate.metadata",
        "spec.podTemplate.spec.containers.0",
        "spec.podTemplate.spec.containers.0.env",
    ):
        sentences = check_spec(spec_of(changed(BASES["pod"], path, content)))

        assert all(sentence.startswith("spec.podTemplate") for sentence in sentences)


@given(st.text(min_size=1, max_size=20).filter(lambda name: name not in POD_FIELDS))
def test_any_field_that_is_not_in_the_allow_list_is_refused(name: str) -> None:
    template = {"spec": {name: True}}

    (sentence,) = check_spec(spec_of(changed(BASES["task"], "spec.podTemplate", template)))

    assert "is not allowed" in sentence


def test_each_check_of_the_chain_says_what_it_holds() -> None:
    assert all(check.__doc__ for check in CHAIN)
