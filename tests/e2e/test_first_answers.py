"""How long it takes from the apply of a ModelServer to its first right answer, with everything warm."""

from __future__ import annotations

import statistics
import time
from functools import partial

import pytest

from tests.crash.figures import note
from tests.e2e.cluster import Cluster
from tests.e2e.models_on_a_claim import Stock
from tests.e2e.serving_client import Client, small_server
from tests.support.api import Api, eventually
from tests.support.bad_models import good_model
from tests.support.modelservers import Servers
from tests.support.namespace import Namespace
from tests.support.onnx_graphs import blobs, run

pytestmark = [pytest.mark.cluster, pytest.mark.prove, pytest.mark.quiet, pytest.mark.timeout(900)]

TIMES = 3
MOST_SECONDS = 15.0
"""Three times what it takes on two cores that others use too."""


async def test_a_server_answers_right_within_seconds_of_its_apply(
    cluster: Cluster, api: Api, stock: Stock
) -> None:
    servers, rows = Servers(Namespace(api, stock.namespace)), blobs(8, seed=3).rows
    right = run(good_model("first"), rows).argmax(axis=1).tolist()
    taken: list[float] = []
    for number in range(TIMES):
        name = f"quick-{number}"
        asker = Client(cluster, stock.namespace, name)
        begun = time.monotonic()
        await servers.create(small_server(name, model=stock.models["first"]))
        await eventually(partial(answers, asker, rows.tolist(), right), seconds=120, what=name)
        taken.append(time.monotonic() - begun)
        await servers.delete(name)
        await servers.has_pods(0, name)

    shown = ", ".join(f"{seconds:.1f}" for seconds in sorted(taken))
    median = statistics.median(taken)
    note(f"from apply to the first right answer, warm: {median:.1f} s (median of {shown})")
    assert median < MOST_SECONDS


async def answers(asker: Client, rows: list[list[float]], right: list[int]) -> bool:
    """Whether it answers already, and right."""
    try:
        return asker.infer(rows) == right
    except AssertionError:  # kubectl's words: no such Service, or no endpoints yet
        return False
