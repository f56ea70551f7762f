"""What becomes of objects that an older CRD let in, under the CRD of today."""

from __future__ import annotations

import copy
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contract.bad_specs import ADMISSION
from tests.contract.base_specs import Body
from tests.support.api import Api, eventually
from tests.support.namespace import Namespace
from winnow_operator.api.crd import SEARCHJOB, crd_document
from winnow_operator.api.rules import VALIDATIONS
from winnow_operator.errors import RefusedError

pytestmark = pytest.mark.control_plane

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BROKEN = [row for row in ADMISSION if row.what in {"a range backwards", "no time"}]


def without_rules(node: Any) -> Any:
    if isinstance(node, list):
        return [without_rules(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: without_rules(value) for key, value in node.items() if key != VALIDATIONS}


def crd_of(group: str) -> Body:
    """The CRD of SearchJobs under a group of the test's own, as other tests use the real one."""
    crd = copy.deepcopy(crd_document(SEARCHJOB))
    names = crd["spec"]["names"]
    del names["categories"], names["shortNames"]
    crd["spec"]["group"] = group
    crd["metadata"]["name"] = f"{names['plural']}.{group}"
    return crd


@pytest.fixture
async def group(api: Api) -> AsyncIterator[str]:
    """A group with a CRD like ours, but without rules."""
    name = f"old{secrets.token_hex(3)}.example.com"
    await api.create(CRDS, without_rules(crd_of(name)))
    yield name
    await api.delete(f"{CRDS}/searchjobs.{name}")


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.what)
async def test_the_operator_can_write_the_status_of_a_job_that_todays_rules_refuse(
    row: Any, group: str, namespace: Namespace
) -> None:
    api = namespace.api
    jobs = f"/apis/{group}/v1alpha1/namespaces/{namespace.name}/searchjobs"
    body = {**row.document(), "apiVersion": f"{group}/v1alpha1"}
    await eventually(lambda: api.create(jobs, body), what="the CRD without rules")
    await api.merge(f"{CRDS}/searchjobs.{group}", {"spec": crd_of(group)["spec"]})

    async def is_refused_now() -> bool:
        try:
            await api.create(jobs, {**body, "metadata": {"name": "other"}}, dryRun="All")
        except RefusedError:
            return True
        return False

    await eventually(is_refused_now, what="the CRD with rules")
    written = await api.merge(f"{jobs}/bad/status", {"status": {"state": "Failed"}})

    assert written["status"]["state"] == "Failed"
