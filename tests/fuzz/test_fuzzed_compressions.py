"""Odd CompressionJobs: the API server and the operator's own checks never disagree."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tests.fuzz.odd_compressions import some_odd_compressions
from tests.support.api import Api, Body
from tests.support.namespace import Namespace
from tests.support.proofs import proofs
from winnow_contract.steps.chains import resolve_chain
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.domain.checks.compressions import check_compression
from winnow_operator.domain.compressions.chains import goals_of, prefer_of, step_documents
from winnow_operator.errors import RefusedError
from winnow_operator.kube.resources import COMPRESSIONJOBS

pytestmark = pytest.mark.control_plane

FEWEST = 0.15
"""Share of the specs that must be taken, and that must be refused, or this tests one side only."""


def refused_by_checks(spec: Body) -> str:
    """Why model or checks refuse a spec; empty if they do not."""
    try:
        parsed = CompressionJobSpec.model_validate(spec)
    except ValidationError as error:
        return str(error)
    return "; ".join(check_compression(parsed))


def usable(spec: Body) -> bool:
    """Whether all that a spec says can be turned into what pods get."""
    parsed = CompressionJobSpec.model_validate(spec)
    chains = [resolve_chain(step_documents(candidate)) for candidate in parsed.candidates]
    return (len(goals_of(parsed)), len(prefer_of(parsed)), len(chains)) == (
        len(parsed.goals),
        len(parsed.prefer),
        len(parsed.candidates),
    )


async def refused_by_server(namespace: Namespace, spec: Body) -> str:
    body = {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "CompressionJob",
        "metadata": {"name": "odd"},
        "spec": spec,
    }
    try:
        await namespace.api.create(namespace.path(COMPRESSIONJOBS), body, dryRun="All")
    except RefusedError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("count", [100, *proofs(400)])
async def test_what_admission_refuses_the_checks_refuse_and_what_they_take_can_be_used(
    api: Api, count: int
) -> None:
    namespace, wrong, counts = Namespace(api, "default"), [], {"taken": 0, "refused": 0}

    for spec in some_odd_compressions(count):
        server, checks = await refused_by_server(namespace, spec), refused_by_checks(spec)
        counts["refused" if server or checks else "taken"] += 1
        shown = json.dumps(spec)
        if server and not checks:
            wrong.append(f"only admission refuses it: {server}: {shown}")
        if server and "spec" not in server:
            wrong.append(f"refused without naming a field: {server}: {shown}")
        if not server and not checks and not usable(spec):
            wrong.append(f"taken, and cannot be used: {shown}")

    assert wrong == []
    assert min(counts.values()) >= count * FEWEST, counts
