"""CompressionJobs at the edge of what is allowed, against schema, model and checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from tests.contract.bad_compressions import ADMISSION, EDITS, OPERATOR
from tests.contract.compressions import (
    COMPRESSIONS,
    GOOD_COMPRESSIONS,
    BadCompression,
    GoodCompression,
)
from tests.support.schema_samples import samples
from winnow_contract.measuring.metrics import METRICS
from winnow_contract.steps.options import OPTIONS, Option, OptionKind
from winnow_operator.api.compressionjob import CompressionJob, CompressionJobSpec, MetricName
from winnow_operator.api.crd import COMPRESSIONJOB, crd_document
from winnow_operator.api.schema_tree import Schema, structural_schema
from winnow_operator.domain.checks.compressions import check_compression

SCHEMA = structural_schema(COMPRESSIONJOB.model)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
SPEC = SCHEMA["properties"]["spec"]
ODD = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("row", GOOD_COMPRESSIONS, ids=lambda row: row.what)
def test_a_good_document_passes_schema_model_and_checks(row: GoodCompression) -> None:
    document = row.document()

    VALIDATOR.validate(document)
    assert check_compression(CompressionJob.model_validate(document).spec) == []


@pytest.mark.parametrize(
    "row", [row for row in ADMISSION if not row.only_admission], ids=lambda row: row.what
)
def test_what_admission_refuses_the_model_or_the_checks_refuse_too(row: BadCompression) -> None:
    try:
        job = CompressionJob.model_validate(row.document())
    except ValidationError:
        return

    assert check_compression(job.spec) != []


@pytest.mark.parametrize("row", OPERATOR, ids=lambda row: row.what)
def test_what_admission_cannot_see_the_checks_refuse_in_words(row: BadCompression) -> None:
    VALIDATOR.validate(row.document())

    sentences = check_compression(CompressionJob.model_validate(row.document()).spec)

    said = "; ".join(sentences)
    assert [word for word in row.words if word not in said] == [], said


@ODD
@given(samples(SPEC))
def test_no_document_of_the_schema_makes_the_checks_raise(document: dict[str, Any]) -> None:
    sentences = check_compression(CompressionJobSpec.model_validate(document))

    assert all(sentence and "\n" not in sentence for sentence in sentences)


def test_the_tables_are_long_enough_and_name_each_row_once() -> None:
    assert len(ADMISSION) >= 60
    assert len(OPERATOR) >= 15
    names = [row.what for row in (*ADMISSION, *OPERATOR, *EDITS)]
    assert len(set(names)) == len(names)


def test_every_base_document_names_what_it_needs_and_no_more() -> None:
    for body in COMPRESSIONS.values():
        VALIDATOR.validate(body)


def test_kubectl_get_shows_the_columns_of_the_design() -> None:
    (version,) = crd_document(COMPRESSIONJOB)["spec"]["versions"]
    shown = [c["name"].upper() for c in version["additionalPrinterColumns"] if "priority" not in c]

    assert shown == ["STATUS", "CANDIDATES", "SELECTED", "ACCURACY", "SPEEDUP", "SIZE", "AGE"]


def test_a_goal_may_name_exactly_what_is_measured() -> None:
    assert [str(name) for name in MetricName] == list(METRICS)


def options() -> Iterator[tuple[str, Option, Schema]]:
    step = SPEC["properties"]["candidates"]["items"]["properties"]["steps"]["items"]
    for kind, listed in OPTIONS.items():
        fields = step["properties"][kind]["properties"]
        assert list(fields) == list(dict.fromkeys(fields)), kind
        assert set(fields) == {option.name for option in listed}, kind
        for option in listed:
            yield kind, option, fields[option.name]


@pytest.mark.parametrize(
    ("option", "field"),
    [pytest.param(option, field, id=f"{kind}.{option.name}") for kind, option, field in options()],
)
def test_an_option_of_the_contract_is_the_same_in_the_schema(option: Option, field: Schema) -> None:
    if option.kind is OptionKind.WORD:
        assert tuple(field["enum"]) == option.words
    if option.kind is OptionKind.WORDS:
        assert tuple(field["items"]["enum"]) == option.words
    if option.kind is OptionKind.INT:
        assert (field["minimum"], field["maximum"]) == (option.minimum, option.maximum)
    if "default" in field:
        assert str(field["default"]) == option.default
    elif option.default and option.kind is not OptionKind.WORDS:
        said = (f"{option.default} by default", f" Default: {option.default}.")
        assert any(words in field["description"] for words in said)
