"""What the watch begins with: ended jobs need no look, all others do, and what is kept of them is whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.facts import record_of, spec_of
from tests.support.loop_clock import START, LoopClock
from tests.support.tools import tools_over
from winnow_operator.api.searchjob import SearchJob
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.job_conditions import is_at_rest
from winnow_operator.domain.kinds import Kind
from winnow_operator.kube.gateway import Bodies
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.trials import trial_object
from winnow_operator.metrics.objects import ObjectSeries
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.searches.searchjob import SearchJobReconciler
from winnow_operator.reconcile.searches.trialfeed import TrialFeed

pytestmark = pytest.mark.looptime

KEY = Key("team", "digits")
ENDED = {"type": "Complete", "status": "True", "reason": "BudgetSpent", "message": ""}


def search(*conditions: dict[str, str], name: str = "digits", **changes: Any) -> dict[str, Any]:
    """A search, looked at since its last edit; `changes` are of metadata, spec or status."""
    since = format_time(START)
    told = [{**c, "lastTransitionTime": since, "observedGeneration": 1} for c in conditions]
    status = {
        "observedGeneration": 1,
        "state": "Complete",
        "conditions": told,
        "completionTime": since,
    }
    metadata = {"namespace": "team", "name": name, "uid": f"uid-of-{name}", "generation": 1}
    spec = spec_of().model_dump(by_alias=True, mode="json", exclude_none=True)
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "SearchJob",
        "metadata": {**metadata, **changes.get("metadata", {})},
        "spec": {**spec, **changes.get("spec", {})},
        "status": {**status, **changes.get("status", {})},
    }


def test_a_job_that_has_ended_as_it_stands_is_at_rest() -> None:
    assert is_at_rest(search(ENDED))
    assert is_at_rest(search({**ENDED, "type": "Failed"}))


@pytest.mark.parametrize(
    "body",
    [
        search(),
        search({**ENDED, "status": "False"}),
        search(ENDED, metadata={"generation": 2}),
        search(ENDED, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        search(ENDED, spec={"ttlSecondsAfterFinished": 0}),
        search(ENDED, status={"observedGeneration": -1}),
        {"metadata": {}},
    ],
    ids=["runs", "not ended", "edited", "being deleted", "has a time to live", "never seen", "new"],
)
def test_a_job_that_runs_was_edited_or_is_to_go_is_not_at_rest(body: dict[str, Any]) -> None:
    assert not is_at_rest(body)


class Trials:
    """An API server that holds two Trials of each search, and counts the lists of them."""

    def __init__(self) -> None:
        self.lists: list[str] = []

    async def pages(self, *_: Any, labels: str) -> AsyncIterator[Bodies]:
        self.lists.append(labels)
        names = labels.partition(" in (")[2].rstrip(")").split(",")
        for name in names:
            owner = Owner("team", name, f"uid-of-{name}")
            yield [trial_object(owner, record_of(number)) for number in (1, 2)]


def reconciler(server: Trials) -> SearchJobReconciler:
    clock = LoopClock()
    tools = replace(tools_over(server, clock), shown=ObjectSeries(10, clock=clock))
    return SearchJobReconciler(tools, TrialFeed(None, clock, lambda _: None))


def shown(reconciler: SearchJobReconciler) -> list[tuple[str, float]]:
    families = {family.name: family for family in reconciler.tools.shown.collect()}
    return [(s.labels["state"], s.value) for s in families["winnow_job_state"].samples]


async def test_an_ended_job_is_shown_and_needs_no_look() -> None:
    met = reconciler(Trials())

    assert not met.meet(KEY, search(ENDED))

    assert shown(met) == [("Complete", 1)]


async def test_a_job_that_cannot_be_read_and_one_that_is_held_are_looked_at() -> None:
    met = reconciler(Trials())
    unreadable = search(ENDED, spec={"algorithm": {"name": "Annealing"}})
    assert met.meet(KEY, unreadable)

    body = search()
    await met._context(KEY, body, SearchJob.model_validate(body))
    assert met.meet(KEY, search(ENDED))


async def test_searches_that_run_are_read_in_one_list() -> None:
    server = Trials()
    met = reconciler(server)
    bodies = [search(name=name) for name in "abc"]
    keys = [Key("team", name, Kind.SEARCH) for name in "abc"]

    assert all(met.meet(key, body) for key, body in zip(keys, bodies, strict=True))
    for key, body in zip(keys, bodies, strict=True):
        context = await met._context(key, body, SearchJob.model_validate(body))
        assert context.state.ledger.active == {1, 2}

    assert server.lists == ["winnow.dev/searchjob in (a,b,c)"]


async def test_a_trial_that_left_the_watch_is_not_taken_from_an_older_list() -> None:
    server = Trials()
    met = reconciler(server)
    first, second = Key("team", "a"), Key("team", "b")
    for key in (first, second):
        met.meet(key, search(name=key.name))
    body = search(name="a")
    await met._context(first, body, SearchJob.model_validate(body))

    assert not met.mark_stale(second, 1)
    body = search(name="b")
    await met._context(second, body, SearchJob.model_validate(body))

    assert server.lists[1:] == ["winnow.dev/searchjob in (b)"]
