"""Models of real jobs served by real pods: right answers, a new choice, a bad one, a deleted Service."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import Cluster, Compressed
from tests.e2e.serving_client import Client, small_server
from tests.support.api import Api, Body, eventually
from tests.support.modelservers import Servers, outcomes, revision
from tests.support.namespace import RESTRICTED, Namespace, conditions, holds
from tests.support.real_jobs import SOURCE, source_search

pytestmark = pytest.mark.cluster


@dataclass(frozen=True, slots=True)
class Searched:
    """A search on real pods, each of whose trials has a model of its own."""

    namespace: str
    winner: Body
    """As the status of the search has it."""
    models: tuple[Body, ...]
    """URI and digest of each trial's artifact, that of the winner first."""


@pytest.fixture(scope="module")
def searched(cluster: Cluster) -> Iterator[Searched]:
    """Made once: a search of two trials needs no compression to give two models."""
    name = f"test-{secrets.token_hex(4)}"
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": RESTRICTED},
    }
    cluster.run("create", "-f", "-", stdin=json.dumps(namespace))
    try:
        cluster.run("-n", name, "create", "-f", "-", stdin=json.dumps(source_search()))
        ended = "--for=jsonpath={.status.completionTime}"
        cluster.run("-n", name, "wait", f"searchjob/{SOURCE}", ended, "--timeout=600s")
        winner = cluster.read(name, "searchjob", SOURCE)["status"]["winner"]
        trials = json.loads(cluster.run("-n", name, "get", "trials", "-o", "json"))["items"]
        found = [named(t["status"]["artifact"]) for t in trials if "artifact" in t["status"]]
        first = named(winner["artifact"])
        yield Searched(name, winner, (first, *(m for m in found if m != first)))
    finally:
        cluster.run("delete", "namespace", name, "--wait=false")


@pytest.fixture
def servers(api: Api, searched: Searched) -> Servers:
    """The servers of the namespace whose search made the models."""
    return Servers(Namespace(api, searched.namespace))


def named(artifact: Body, *, digest: str = "") -> Body:
    """An artifact as a ModelServer names it."""
    return {"uri": artifact["uri"], "digest": digest or artifact["digest"]}


async def test_the_selection_of_a_compression_is_served_and_names_digits(
    cluster: Cluster, compressed: Compressed, api: Api
) -> None:
    servers = Servers(Namespace(api, compressed.namespace))
    selected = compressed.job["status"]["selected"]
    await servers.create(small_server("chosen", model={"compressionJob": "small"}, replicas=2))
    body = await servers.serves(selected["artifact"], "chosen", replicas=2, seconds=180)

    assert body["status"]["model"] == f"small/{selected['candidate']}"
    assert Client(cluster, compressed.namespace, "chosen").accuracy() > 0.85


async def test_the_winner_of_a_search_is_served_as_it_was_trained(
    cluster: Cluster, searched: Searched, servers: Servers
) -> None:
    await servers.create(small_server("trained", model={"searchJob": SOURCE}))
    body = await servers.serves(searched.models[0], "trained", seconds=180)

    assert body["status"]["model"] == searched.winner["trial"]
    assert Client(cluster, searched.namespace, "trained").accuracy() > 0.85


async def test_another_model_takes_over_a_bad_one_does_not_and_what_is_deleted_comes_back(
    cluster: Cluster, searched: Searched, servers: Servers
) -> None:
    first, second = searched.models
    await servers.create(small_server("moving", model=first))
    await servers.serves(first, "moving", seconds=180)
    asker = Client(cluster, searched.namespace, "moving")
    assert asker.accuracy() > 0.85

    await servers.edit("moving", model=second)
    await servers.serves(second, "moving", seconds=180)
    assert asker.accuracy() > 0.85

    wrong = named(second, digest=f"sha256:{'0' * 64}")
    await servers.edit("moving", model=wrong)
    body = await servers.state("RolloutAborted", "moving", seconds=180)
    assert "refuses the model" in conditions(body)["Degraded"]["message"]
    assert revision(body, 3)["outcome"] == "Aborted"
    assert holds(body, "Ready")
    assert asker.accuracy() > 0.85

    await servers.delete_child("Service", "moving")
    await eventually(lambda: answers(asker), seconds=60, what="the Service again")
    await servers.edit("moving", revision=1, model=second)
    back = await servers.serves(first, "moving", seconds=180)
    assert outcomes(back) == {3: "Aborted", 2: "Retired", 1: "Serving"}
    assert asker.accuracy() > 0.85


async def answers(asker: Client) -> bool:
    """Whether there is a Service, with a pod that answers."""
    try:
        return asker.accuracy() > 0.85
    except AssertionError:  # kubectl's words: no such Service, or no endpoints yet
        return False


async def test_a_model_that_is_not_there_is_said_and_no_pod_ever_gets_ready(
    searched: Searched, servers: Servers
) -> None:
    (model, *_) = searched.models
    missing = {**model, "uri": f"{model['uri']}-elsewhere"}
    await servers.create(small_server("missing", model=missing))
    body = await servers.state("ModelRefused", "missing", seconds=180)

    assert conditions(body)["Ready"]["status"] == "False"
    assert "elsewhere" in conditions(body)["Ready"]["message"]
