"""A Trial that an earlier SearchJob of the same name has left: it never counts for the new one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import ledger_of, record_of, spec_of
from tests.support.loop_clock import LoopClock
from tests.support.tools import tools_over
from winnow_operator.api.searchjob import SearchJob
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.errors import AlreadyExistsError
from winnow_operator.kube.resources import Resource
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.trials import trial_object
from winnow_operator.reconcile.recording import create_trial
from winnow_operator.reconcile.searches.searching import SearchContext
from winnow_operator.reconcile.searches.searchstate import SearchState


def owner(uid: str) -> Owner:
    return Owner("team", "digits", uid)


class Taken:
    """An API server that has a Trial of every name, made for the job with one uid."""

    def __init__(self, uid: str) -> None:
        self.found = trial_object(owner(uid), record_of(1))

    async def create(self, *_: Any) -> dict[str, Any]:
        raise AlreadyExistsError("there is one")

    async def get(self, _resource: Resource, _namespace: str, _name: str) -> dict[str, Any]:
        return self.found


def context(server: Taken) -> SearchContext:
    spec, clock = spec_of(), LoopClock()
    state = SearchState("new", ledger_of(), spec=spec, space=parse_space(spec.space))
    return SearchContext(tools_over(server, clock), {}, owner("new"), SearchJob(spec=spec), state)


async def test_a_trial_of_a_deleted_namesake_is_waited_for_and_does_not_count() -> None:
    search = context(Taken("old"))

    with pytest.raises(AlreadyExistsError, match="digits-t00001 belongs to a deleted SearchJob"):
        await create_trial(search, record_of(1))

    assert len(search.state.ledger) == 0


async def test_a_trial_that_this_job_made_before_a_crash_counts_as_made() -> None:
    search = context(Taken("new"))

    await create_trial(search, record_of(1))

    assert search.state.ledger.active == {1}
