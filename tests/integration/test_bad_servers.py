"""ModelServers that cannot work, on a real API server: refused with a sentence."""

from __future__ import annotations

import pytest

from tests.contract.servers import (
    BAD_SERVERS,
    GOOD_SERVERS,
    SERVER_CHECKS,
    BadServer,
    GoodServer,
)
from tests.support.api import Api
from winnow_operator.errors import RefusedError
from winnow_operator.kube.resources import MODELSERVERS

pytestmark = pytest.mark.control_plane

DRY = {"dryRun": "All", "fieldValidation": "Strict"}
PATH = MODELSERVERS.path("default")


@pytest.mark.parametrize("row", BAD_SERVERS, ids=lambda row: row.what)
async def test_the_api_server_refuses_with_a_sentence(row: BadServer, api: Api) -> None:
    with pytest.raises(RefusedError) as refused:
        await api.create(PATH, row.document(), **DRY)

    sentence = str(refused.value)
    assert [word for word in row.words if word not in sentence] == [], sentence
    assert "evaluating rule" not in sentence


@pytest.mark.parametrize("row", [*GOOD_SERVERS, *SERVER_CHECKS], ids=lambda row: row.what)
async def test_the_api_server_takes_what_it_cannot_find_fault_with(
    row: GoodServer | BadServer, api: Api
) -> None:
    taken = await api.create(PATH, row.document(), **DRY)

    assert taken["spec"]["rollout"]["progressDeadline"]
    assert taken["status"]["observedGeneration"] == -1
