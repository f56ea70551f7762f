"""The status of a ModelServer: conditions, the one word, and the figures of the columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.servers import facts, model, pod, pods
from winnow_operator.api.conditions import Reason
from winnow_operator.api.modelserver_status import ModelServerStatus
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.domain.servers.rollouts import ServerFacts, advance
from winnow_operator.domain.servers.status import ServerSituation, make_server_status

WAITS = Blockage(Reason.WAITING_FOR_SOURCE, "CompressionJob small has no selection yet")


def status(observed: ServerFacts, revisions: Revisions, **changes: Any) -> ModelServerStatus:
    fields = {"previous": ModelServerStatus(), "obstacle": None, **changes}
    situation = ServerSituation("digits", "team", 3, facts=observed, revisions=revisions, **fields)
    return make_server_status(situation)


def verdicts(found: ModelServerStatus) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in found.conditions}


def serving() -> Revisions:
    return advance(Revisions(), facts(model("a"), pods(r1=1)))


def test_a_server_that_waits_for_its_first_model_says_for_what() -> None:
    found = status(facts(WAITS), Revisions())

    assert found.state == "WaitingForSource"
    assert found.ready == "0/1"
    assert verdicts(found) == {
        "Ready": ("False", "WaitingForSource"),
        "Progressing": ("False", "WaitingForSource"),
        "Degraded": ("False", "AsExpected"),
        "Reconciling": ("True", "WaitingForSource"),
        "Stalled": ("False", "AsExpected"),
    }


def test_a_server_that_waits_for_its_next_model_is_ready() -> None:
    found = status(facts(WAITS, pods(r1=1)), serving())

    assert found.state == "Ready"
    assert verdicts(found)["Ready"] == ("True", "Serving")
    assert verdicts(found)["Progressing"] == ("False", "WaitingForSource")
    assert verdicts(found)["Reconciling"] == ("False", "AsExpected")


def test_during_a_rollout_both_revisions_count_as_answering() -> None:
    revisions = advance(serving(), facts(model("b"), pods(r1=1)))
    found = status(facts(model("b"), pods(r1=1, r2=1), replicas={}), revisions)

    assert found.state == "RollingOut"
    assert found.revision == 1
    assert found.conditions[0].message == "revision 1 (small/a) and revision 2 (small/b) answer"
    assert verdicts(found)["Reconciling"] == ("True", "RollingOut")


def test_a_server_that_lost_its_pods_is_degraded_and_says_what_the_pods_say() -> None:
    quota = Blockage(Reason.QUOTA_EXCEEDED, "exceeded quota: pods")
    found = status(facts(model("a"), [pod(1, ready=False, blockage=quota)]), serving())

    assert verdicts(found)["Degraded"] == ("True", "ReplicasNotReady")
    assert found.conditions[0].message == "no pod is ready yet: exceeded quota: pods"
    assert found.state == "ReplicasNotReady"


def scaled_to_zero() -> ServerFacts:
    observed = facts(model("a"))
    return replace(observed, spec=observed.spec.model_copy(update={"replicas": 0}))


def test_scaled_to_zero_nothing_answers_and_nothing_is_wrong() -> None:
    found = status(scaled_to_zero(), serving())

    assert found.state == "ScaledToZero"
    assert verdicts(found)["Degraded"] == ("False", "AsExpected")
    assert found.ready == "0/0"


def test_an_obstacle_is_what_a_person_must_see_first() -> None:
    taken = Blockage(Reason.NAME_TAKEN, "there is a Service digits")
    found = status(facts(model("a"), pods(r1=1)), serving(), obstacle=taken)

    assert found.state == "NameTaken"
    assert verdicts(found)["Ready"] == ("True", "Serving")
    assert verdicts(found)["Stalled"] == ("True", "NameTaken")


def test_pods_that_are_going_count_neither_as_ready_nor_as_there() -> None:
    found = status(facts(model("a"), [pod(1), pod(1, 2, ready=False, deleting=True)]), serving())

    assert found.replicas == 1
    assert found.ready == "1/1"


def test_a_condition_that_has_not_flipped_keeps_its_time() -> None:
    before = status(facts(model("a"), pods(r1=1)), serving())
    after = status(facts(model("a"), pods(r1=1), seconds=60), serving(), previous=before)

    assert after == before
