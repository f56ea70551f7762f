"""Text beyond the basic plane survives the way from a space to the winner."""

from __future__ import annotations

import pytest

from tests.support.namespace import Namespace, holds
from tests.support.proofs import proofs
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]


@pytest.mark.parametrize("word", ["🦆", *proofs("\U000fac16É", "a\u2028b", "\ufeff", "'\"\\")])
async def test_a_winner_with_any_word_is_written(namespace: Namespace, word: str) -> None:
    space = {"parameters": [{"name": "word", "choice": {"values": [word]}}]}
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(space=space, budget={"maxTrials": 1}))
        body = await namespace.ended("search")

    assert holds(body, "Complete")
    assert body["status"]["winner"]["parameters"] == [{"name": "word", "value": word}]
