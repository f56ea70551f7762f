"""Slots, lost indexes, surplus pods and what is swept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import CONTEXT, batch_of, ended_pod, message_of, pod_of, succeeded
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.pods import PodFact, Termination
from winnow_operator.domain.searches.planning import (
    SWEEP_AT,
    SWEEP_PODS,
    lingering_pods,
    lost_indexes,
    open_indexes,
    read_results,
    spent_batches,
    spread_slots,
    surplus_pods,
    swept_batches,
)

ALL = frozenset(range(1, 100))


def test_slots_go_to_batches_in_the_order_in_which_they_were_made() -> None:
    batches = [batch_of(2, [4, 5, 6], parallelism=3), batch_of(1, [1, 2, 3], parallelism=3)]

    slots = spread_slots(batches, frozenset(range(1, 7)), limit=4)

    assert slots.parallelism == {"digits-b0002": 1}
    assert slots.free == 0
    assert slots.unassigned == ()


def test_a_batch_that_drains_is_left_alone() -> None:
    batch = batch_of(1, [1, 2, 3, 4], parallelism=4, completed=frozenset({0, 1, 2}))

    slots = spread_slots([batch], frozenset({4}), limit=4)

    assert (slots.parallelism, slots.free) == ({}, 3)


def test_the_slot_of_a_recorded_trial_is_free_before_its_job_has_counted_it() -> None:
    assert spread_slots([batch_of(1, [1, 2], parallelism=2)], frozenset({2}), limit=2).free == 1


def test_a_higher_limit_reaches_the_batches_that_wait() -> None:
    batch = batch_of(1, range(1, 9), parallelism=2)

    assert spread_slots([batch], ALL, limit=6).parallelism == {"digits-b0001": 6}


def test_trials_of_ended_and_deleted_batches_run_again() -> None:
    batches = [
        batch_of(1, [1, 2], failed=frozenset({0})),
        batch_of(2, [3], deleting=True),
        batch_of(3, [4], finished=True),
    ]

    assert spread_slots(batches, frozenset({1, 2, 3, 4, 5}), limit=9).unassigned == (1, 3, 4, 5)


@pytest.mark.parametrize(("queued", "resumed"), [(False, ("digits-b0001",)), (True, ())])
def test_a_batch_that_someone_suspended_goes_on_unless_kueue_owns_it(
    *, queued: bool, resumed: tuple[str, ...]
) -> None:
    batch = batch_of(1, [1], suspended=True, queued=queued)

    assert spread_slots([batch], frozenset({1}), limit=1).resume == resumed


_batches = st.lists(
    st.builds(
        lambda count, per_pod, parallelism, done, bad, finished: (
            count,
            per_pod,
            parallelism,
            done,
            bad,
            finished,
        ),
        st.integers(1, 9),
        st.integers(1, 3),
        st.integers(0, 5),
        st.frozensets(st.integers(0, 8), max_size=4),
        st.frozensets(st.integers(0, 8), max_size=2),
        st.booleans(),
    ),
    max_size=5,
)


@given(_batches, st.frozensets(st.integers(1, 45)), st.integers(1, 12))
def test_slots_never_exceed_the_budget_and_no_trial_is_forgotten(
    kinds: list[tuple[int, int, int, frozenset[int], frozenset[int], bool]],
    active: frozenset[int],
    limit: int,
) -> None:
    batches, first = list[BatchFact](), 1
    for number, (count, per_pod, parallelism, done, bad, finished) in enumerate(kinds, 1):
        batches.append(
            batch_of(
                number,
                range(first, first + count),
                trials_per_pod=per_pod,
                parallelism=parallelism,
                completed=done,
                failed=bad - done,
                finished=finished,
            )
        )
        first += count

    slots = spread_slots(batches, active, limit=limit)

    used, covered = 0, set[int]()
    for batch in batches:
        waiting = open_indexes(batch, active)
        used += min(slots.parallelism.get(batch.name, batch.parallelism), len(waiting))
        covered |= {n for i in waiting for n in batch.trials_of(i)}
    assert used + slots.free == limit
    assert set(slots.unassigned) == active - covered


def test_an_ended_index_without_a_pod_that_ended_so_is_lost() -> None:
    batch = batch_of(1, [1, 2, 3, 4], completed=frozenset({0, 1}), failed=frozenset({2}))
    crashed = ended_pod(batch, 1, index=1)
    seen = ended_pod(batch, 0, message_of(succeeded(1)))

    lost = lost_indexes([batch], [seen, crashed], ALL)

    assert [index for _, index in lost] == [1, 2]
    assert lost_indexes([batch], [], frozenset({4})) == []


def test_an_index_whose_trials_a_later_batch_runs_is_not_looked_for_again() -> None:
    old = batch_of(1, [1], failed=frozenset({0}))

    assert lost_indexes([old, batch_of(2, [1])], [], ALL) == []


def test_a_trial_that_runs_again_is_not_released_again_by_its_old_pod() -> None:
    old = batch_of(1, [1, 2], trials_per_pod=2, failed=frozenset({0}))
    pod = ended_pod(old, 3)

    assert read_results([pod], [old], frozenset({1, 2}), CONTEXT).released == {1, 2}
    again = read_results([pod], [old, batch_of(2, [1])], frozenset({1, 2}), CONTEXT)
    assert again.released == {2}


def test_two_pods_with_a_result_settle_their_trial_once_and_the_newer_one_counts() -> None:
    old, new = batch_of(9_999, [1]), batch_of(10_000, [1])
    pods = [
        ended_pod(old, 0, message_of(succeeded(1, 0.5))),
        ended_pod(new, 0, message_of(succeeded(1, 0.6))),
    ]

    (settlement,) = read_results(pods, [old, new], frozenset({1}), CONTEXT).settlements

    assert settlement.status.score == "-0.6"


def done_pod(batch: BatchFact, index: int, code: int = 0) -> PodFact:
    """A pod whose containers have ended, and which has not ended itself."""
    said = message_of(*(succeeded(n) for n in batch.trials_of(index)))
    return replace(
        pod_of(batch, index), termination=Termination(code, "", said), containers_ended=True
    )


def test_a_pod_that_is_done_gives_its_result_before_it_has_ended() -> None:
    batch = batch_of(1, [1, 2])

    reading = read_results([done_pod(batch, 0), pod_of(batch, 1)], [batch], ALL, CONTEXT)

    assert [s.number for s in reading.settlements] == [1]
    assert reading.released == frozenset()


def test_a_pod_whose_container_failed_says_nothing_before_it_has_ended() -> None:
    batch = batch_of(1, [1])

    assert read_results([done_pod(batch, 0, code=65)], [batch], ALL, CONTEXT).settlements == ()


def test_a_pod_that_is_done_holds_its_slot_until_it_has_ended() -> None:
    batch = batch_of(1, [1, 2], parallelism=2)
    pods, active = [done_pod(batch, 0), pod_of(batch, 1)], frozenset({2})

    assert lingering_pods(pods, [batch], active) == 1
    assert lingering_pods(pods, [batch], frozenset({1, 2})) == 0  # its trial holds the slot still
    assert lingering_pods([replace(pods[0], phase="Succeeded")], [batch], active) == 0
    assert spread_slots([batch], active, limit=2, lingering=1).free == 0
    assert spread_slots([batch], active, limit=1, lingering=1).free == 0


def test_a_pod_that_is_done_is_left_to_end_by_itself() -> None:
    batch = batch_of(1, [1, 2])
    pods = [done_pod(batch, 0), done_pod(batch, 1)]

    assert surplus_pods(pods, [batch], frozenset({2})) == []
    assert spent_batches(pods, [batch], frozenset()) == []


def test_a_pod_that_runs_for_nothing_is_surplus_while_others_of_its_batch_are_not() -> None:
    batch = batch_of(1, [1, 2])
    pods = [pod_of(batch, 0, attempt=2), pod_of(batch, 1)]

    assert surplus_pods(pods, [batch], frozenset({2})) == [pods[0]]
    assert spent_batches(pods, [batch], frozenset({2})) == []


def test_a_batch_that_only_runs_for_nothing_is_spent() -> None:
    batch = batch_of(1, [1])
    retried = pod_of(batch, attempt=2)

    assert spent_batches([retried], [batch], frozenset()) == [batch]
    assert surplus_pods([retried], [batch], frozenset()) == []
    assert spent_batches([ended_pod(batch, 0)], [batch], frozenset()) == []


def test_finished_batches_are_swept_once_there_are_many() -> None:
    done = [batch_of(n, [n], finished=True) for n in range(1, SWEEP_AT + 1)]
    kept = [batch_of(90, [90], finished=True), batch_of(91, [91])]

    assert swept_batches([*done, *kept], frozenset({90})) == done
    assert swept_batches([*done[1:], *kept], frozenset({90})) == []


def test_a_few_large_batches_are_swept_by_the_pods_that_they_hold() -> None:
    half = SWEEP_PODS // 2
    large = [
        batch_of(1, range(1, half + 1), finished=True),
        batch_of(2, range(half + 1, SWEEP_PODS + 1), finished=True),
    ]

    assert swept_batches(large, frozenset()) == large
    assert swept_batches(large[:1], frozenset()) == []
