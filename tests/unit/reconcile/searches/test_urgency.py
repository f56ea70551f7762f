"""Whether the end of a pod is looked at soon: only where something may have to be started."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.reconcile.searches.searchstate import SearchState


def search(active: int, **spec: Any) -> SearchState:
    """A search with so many trials that have no outcome, after three that have one."""
    made = spec_of({"budget": {"maxTrials": 60, "parallelism": 4}, **spec})
    ended = (record_of(n, Outcome.SUCCEEDED, score=1.0) for n in (1, 2, 3))
    records = (*ended, *(record_of(n) for n in range(4, 4 + active)))
    return SearchState("uid", ledger_of(*records), spec=made, space=parse_space(made.space))


@pytest.mark.parametrize("name", ["Random", "Grid"])
@pytest.mark.parametrize(("active", "urgent"), [(0, True), (4, True), (5, False), (50, False)])
def test_a_batch_that_starts_its_own_pods_is_not_urgent_until_the_last_of_them_run(
    name: str, active: int, *, urgent: bool
) -> None:
    assert search(active, algorithm={"name": name}).may_start_more is urgent


def test_a_pod_of_several_trials_is_one_slot() -> None:
    assert search(32, trialsPerPod=8).may_start_more
    assert not search(33, trialsPerPod=8).may_start_more


def test_every_result_is_urgent_to_an_algorithm_that_learns() -> None:
    assert search(50, algorithm={"name": "TPE"}).may_start_more


@pytest.mark.parametrize("name", ["Random", "TPE"])
def test_no_result_is_urgent_once_all_trials_are_made(name: str) -> None:
    assert not search(57, algorithm={"name": name}).may_start_more
    assert not search(
        2, algorithm={"name": name}, budget={"maxTrials": 5, "parallelism": 4}
    ).may_start_more
