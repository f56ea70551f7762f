"""ModelServers at the edge of what is allowed, against schema, model and checks."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from tests.contract.servers import (
    BAD_SERVERS,
    GOOD_SERVERS,
    SERVER_CHECKS,
    SERVERS,
    BadServer,
    GoodServer,
)
from tests.support.schema_samples import samples
from winnow_operator.api.crd import MODELSERVER, crd_document
from winnow_operator.api.modelserver import ModelServer, ModelServerSpec
from winnow_operator.api.schema_tree import structural_schema
from winnow_operator.domain.checks.servers import check_server

SCHEMA = structural_schema(MODELSERVER.model)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
SPEC = SCHEMA["properties"]["spec"]
ODD = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("row", GOOD_SERVERS, ids=lambda row: str(row.what))
def test_a_good_document_passes_schema_model_and_checks(row: GoodServer) -> None:
    document = row.document()

    VALIDATOR.validate(document)
    assert check_server(ModelServer.model_validate(document).spec) == []


@pytest.mark.parametrize(
    "row",
    [row for row in BAD_SERVERS if not row.path.startswith("metadata")],
    ids=lambda row: row.what,
)
def test_what_admission_refuses_the_model_or_the_checks_refuse_too(row: BadServer) -> None:
    try:
        server = ModelServer.model_validate(row.document())
    except ValidationError:
        return

    assert check_server(server.spec) != []


@pytest.mark.parametrize("row", SERVER_CHECKS, ids=lambda row: str(row.what))
def test_what_admission_cannot_see_the_checks_refuse_in_words(row: BadServer) -> None:
    VALIDATOR.validate(row.document())

    said = "; ".join(check_server(ModelServer.model_validate(row.document()).spec))

    assert [word for word in row.words if word not in said] == [], said


@ODD
@given(samples(SPEC))
def test_no_document_of_the_schema_makes_the_checks_raise(document: dict[str, Any]) -> None:
    sentences = check_server(ModelServerSpec.model_validate(document))

    assert all(sentence and "\n" not in sentence for sentence in sentences)


def test_every_row_has_a_name_of_its_own_and_every_base_is_good() -> None:
    bad = (*BAD_SERVERS, *SERVER_CHECKS)
    names = [*(row.what for row in GOOD_SERVERS), *(row.what for row in bad)]

    assert len(set(names)) == len(names) >= 45
    for body in SERVERS.values():
        VALIDATOR.validate(body)


def test_kubectl_get_shows_the_columns_of_the_design() -> None:
    (version,) = crd_document(MODELSERVER)["spec"]["versions"]
    shown = [c["name"].upper() for c in version["additionalPrinterColumns"] if "priority" not in c]

    assert shown == ["STATUS", "REVISION", "MODEL", "READY", "AGE"]


def test_the_scale_subresource_names_fields_that_exist() -> None:
    (version,) = crd_document(MODELSERVER)["spec"]["versions"]

    for path in version["subresources"]["scale"].values():
        part, field = path.removeprefix(".").split(".")
        assert field in SCHEMA["properties"][part]["properties"]
