"""Rollouts: which revision serves, which is on its way, and how many pods each has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.servers import ended, facts, model, pod, pods
from winnow_operator.api.conditions import Reason
from winnow_operator.api.modelserver_status import (
    MAX_HISTORY,
    AgreementStatus,
    RevisionOutcome,
)
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.agreement import Probed
from winnow_operator.domain.servers.loads import Load, Loads
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.domain.servers.rollouts import (
    ServerFacts,
    advance,
    fault_of,
    replicas_of,
    unknown_pin,
)
from winnow_operator.domain.servers.served_models import Model

WAITS = Blockage(Reason.WAITING_FOR_SOURCE, "no selection yet")


def serving(*names: str, replicas: int = 1) -> Revisions:
    """A server through whose rollouts all these models have gone, the last one serves."""
    known = Revisions()
    for number, name in enumerate(names, start=1):
        ready = pods(**{f"r{number}": replicas})
        known = advance(known, with_replicas(facts(model(name), ready), replicas))
    return known


def with_replicas(observed: ServerFacts, replicas: int) -> ServerFacts:
    return replace(observed, spec=observed.spec.model_copy(update={"replicas": replicas}))


def outcomes(revisions: Revisions) -> dict[int, str]:
    return {r.number: str(r.outcome) for r in revisions.history}


def test_nothing_is_begun_while_nothing_is_chosen() -> None:
    known = advance(Revisions(), facts(WAITS))

    assert known == Revisions()
    assert replicas_of(known, facts(WAITS)) == {}


def test_the_first_choice_is_rolled_out_in_one_go() -> None:
    observed = with_replicas(facts(model()), 3)
    known = advance(Revisions(), observed)

    assert outcomes(known) == {1: "RollingOut"}
    assert replicas_of(known, observed) == {1: 3}


def test_a_revision_serves_once_all_its_pods_are_ready() -> None:
    known = serving("a", replicas=2)

    assert known.serving == 1
    assert known.rollout is None
    assert outcomes(known) == {1: "Serving"}


def test_what_is_chosen_already_is_no_new_revision() -> None:
    known = serving("a")

    assert advance(known, facts(model("a"), pods(r1=1), seconds=60)) == known


def test_a_source_that_goes_away_changes_nothing_of_what_serves() -> None:
    known = serving("a")

    assert advance(known, facts(WAITS, pods(r1=1))) == known
    assert replicas_of(known, facts(WAITS, pods(r1=1))) == {1: 1}


def test_a_new_pod_is_ready_before_an_old_one_goes() -> None:
    known = advance(serving("a", replicas=3), facts(model("b"), pods(r1=3), replicas={1: 3}))

    def step(ready: int) -> dict[int, int]:
        told = {1: 3 - ready, 2: ready}
        observed = facts(model("b"), pods(r1=3 - ready, r2=ready), replicas=told)
        return replicas_of(known, with_replicas(observed, 3))

    assert [step(n) for n in range(3)] == [{1: 3, 2: 1}, {1: 2, 2: 2}, {1: 1, 2: 3}]


def test_a_pod_that_was_made_is_not_taken_back_because_another_is_not_ready() -> None:
    known = advance(serving("a", replicas=3), facts(model("b"), pods(r1=3)))
    observed = facts(model("b"), pods(r1=3), replicas={1: 3, 2: 2})

    assert replicas_of(known, with_replicas(observed, 3)) == {1: 3, 2: 2}


@pytest.mark.parametrize(
    ("broken", "reason", "words"),
    [
        (
            pod(2, ready=False, ended=ended(65, "the digest is another")),
            Reason.MODEL_REFUSED,
            "the digest is another (exit code 65)",
        ),
        (
            pod(2, ready=False, restarts=3, ended=ended(137, reason="OOMKilled")),
            Reason.CRASHING,
            "started again 3 times, allowed are 2 (rollout.maxRestarts): OOMKilled, exit code 137",
        ),
    ],
    ids=["refused", "crashing"],
)
def test_a_fault_aborts_and_the_one_before_goes_on(
    broken: object, reason: Reason, words: str
) -> None:
    known = advance(serving("a"), facts(model("b"), pods(r1=1)))
    observed = facts(model("b"), [*pods(r1=1), broken])  # type: ignore[list-item]
    assert known.rollout is not None
    fault = fault_of(known.rollout, observed)

    after = advance(known, observed)

    assert fault is not None
    assert fault.reason is reason
    assert words in fault.message
    assert outcomes(after) == {2: "Aborted", 1: "Serving"}
    assert replicas_of(after, observed) == {1: 1}
    assert advance(after, observed) == after, "it is not tried again"


def test_storage_that_is_away_for_a_moment_is_no_fault() -> None:
    known = advance(serving("a"), facts(model("b"), pods(r1=1)))
    waits = pod(2, ready=False, ended=ended(75, "the claim is away"))

    after = advance(known, facts(model("b"), [*pods(r1=1), waits], seconds=60))

    assert outcomes(after) == {2: "RollingOut", 1: "Serving"}


def test_the_deadline_counts_from_the_last_pod_that_became_ready() -> None:
    known = advance(serving("a", replicas=2), facts(model("b"), pods(r1=2)))
    half = with_replicas(facts(model("b"), pods(r1=2, r2=1), seconds=500), 2)
    known = advance(known, half)
    stuck = facts(
        model("b"),
        [*pods(r1=1, r2=1), pod(2, 9, ready=False, blockage=WAITS)],
        seconds=1000,
    )

    assert advance(known, with_replicas(stuck, 2)) == known
    late = with_replicas(replace(stuck, now=facts(model("b"), seconds=1101).now), 2)
    after = advance(known, late)

    assert outcomes(after)[2] == "Aborted"
    assert "1 of 2 pods are ready, and for 10m" in after.history[0].message
    assert "no selection yet" in after.history[0].message, "what the pods say"


def test_the_first_revision_is_never_aborted_since_nothing_else_serves() -> None:
    known = advance(Revisions(), facts(model("a")))
    refused = facts(model("a"), [pod(1, ready=False, ended=ended(65, "damaged"))], seconds=9999)

    assert advance(known, refused) == known
    assert replicas_of(known, refused) == {1: 1}


def test_a_later_choice_takes_the_place_of_one_on_its_way() -> None:
    known = advance(serving("a"), facts(model("b"), pods(r1=1)))

    known = advance(known, facts(model("c"), pods(r1=1)))

    assert outcomes(known) == {3: "RollingOut", 2: "Superseded", 1: "Serving"}
    assert replicas_of(known, facts(model("c"), pods(r1=1))) == {1: 1, 3: 1}


def test_a_choice_that_is_taken_back_ends_the_rollout() -> None:
    known = advance(serving("a"), facts(model("b"), pods(r1=1)))

    known = advance(known, facts(model("a"), pods(r1=1)))

    assert outcomes(known) == {2: "Superseded", 1: "Serving"}
    assert known.rollout is None


def test_a_model_that_served_before_is_a_new_revision_when_it_is_chosen_again() -> None:
    known = advance(serving("a", "b"), facts(model("a"), pods(r2=1)))

    assert outcomes(known) == {3: "RollingOut", 2: "Serving", 1: "Retired"}


def test_the_history_keeps_the_last_revisions_and_those_that_are_live() -> None:
    known = serving("a")
    for number in range(2, 30):
        name = f"{number:x}"[-1] + str(number)
        known = advance(known, facts(Model(name, name, name, ""), pods(r1=1)))

    assert len(known.history) == MAX_HISTORY + 1
    assert known.history[-1].number == 1
    assert known.history[0].number == 29


def test_scaled_to_zero_a_choice_is_taken_over_without_a_pod() -> None:
    known = advance(serving("a"), with_replicas(facts(model("b")), 0))

    assert known.serving == 2


CHOICES = st.sampled_from([model("a"), model("b"), model("c"), WAITS])
WORLD = st.lists(
    st.tuples(CHOICES, st.sampled_from(["ready", "slow", "refused"])),
    max_size=25,
)


@given(WORLD)
def test_whatever_happens_what_answers_is_never_less_than_what_was_asked_for(
    world: list[tuple[Model | Blockage, str]],
) -> None:
    """Pods follow the plan, and only those of revisions that get ready count."""
    known, told, wanted = Revisions(), dict[int, int](), 2
    ready: dict[int, int] = {}
    for turn, (choice, fares) in enumerate(world):
        for number, count in told.items():
            is_new = number != known.serving
            ready[number] = count if not is_new or fares == "ready" else ready.get(number, 0)
        ready = {n: min(count, told.get(n, 0)) for n, count in ready.items()}
        broken = [
            pod(n, 99, ready=False, ended=ended(65))
            for n in told
            if fares == "refused" and n != known.serving
        ]
        found = [*(p for n, c in ready.items() for p in pods(**{f"r{n}": c})), *broken]
        observed = with_replicas(facts(choice, found, replicas=told, seconds=turn), wanted)
        known = advance(known, observed)
        plan = replicas_of(known, observed)

        if known.serving is not None:
            after = sum(min(ready.get(n, 0), count) for n, count in plan.items())
            assert after >= min(wanted, sum(ready.values()))
        assert plan.keys() == known.live
        assert advance(known, observed) == known, "what is written down settles"
        numbers = [r.number for r in known.history]
        assert numbers == sorted(numbers, reverse=True)
        rolling = [r for r in known.history if r.outcome is RevisionOutcome.ROLLING_OUT]
        assert len(rolling) == (known.rollout is not None)
        told = plan


CANARY: dict[str, Any] = {
    "rollout": {
        "strategy": "Canary",
        "canary": {"steps": [{"replicas": 1, "pause": "30s"}, {"replicas": 2, "pause": "1m"}]},
    }
}


SAME = Probed(AgreementStatus(rows=256, equal=256))
NOTHING = Probed(words="the canary does not answer")


def canary(
    *, seconds: float = 0, ready: int = 0, probed: Probed = SAME, **changes: Any
) -> ServerFacts:
    """Model b as a canary beside three pods of model a."""
    found = [*pods(r1=3, r2=ready), *changes.pop("more", ())]
    told = changes.pop("told", {})
    observed = facts(model("b"), found, replicas=told, seconds=seconds, **CANARY)
    return replace(with_replicas(observed, 3), probed=probed)


def begun_canary() -> Revisions:
    return advance(serving("a", replicas=3), canary(probed=NOTHING))


def test_a_canary_stands_beside_all_pods_that_serve() -> None:
    known = begun_canary()

    assert known.rollout is not None
    assert known.rollout.step == 0
    assert replicas_of(known, canary()) == {1: 3, 2: 1}


def test_the_pause_counts_from_when_all_pods_of_the_step_are_ready() -> None:
    known = advance(begun_canary(), canary(seconds=100, ready=1))

    assert advance(known, canary(seconds=129, ready=1)) == known
    after = advance(known, canary(seconds=130, ready=1))
    assert after.rollout is not None
    assert (after.rollout.step, after.rollout.step_since) == (1, None)
    assert replicas_of(after, canary(seconds=130, ready=1)) == {1: 3, 2: 2}


def test_after_the_last_step_the_canary_takes_over_pod_by_pod() -> None:
    known = advance(begun_canary(), canary(seconds=1, ready=1))
    known = advance(known, canary(seconds=31, ready=1))
    known = advance(known, canary(seconds=40, ready=2))
    known = advance(known, canary(seconds=100, ready=2))
    assert known.rollout is not None
    assert known.rollout.step is None
    assert replicas_of(known, canary(ready=2, told={1: 3, 2: 2})) == {1: 1, 2: 3}

    after = advance(known, canary(seconds=110, ready=3))
    assert after.serving == 2


def test_a_canary_that_restarts_once_is_aborted_with_the_reason() -> None:
    known = advance(begun_canary(), canary(seconds=1, ready=1))
    crashed = pod(2, restarts=1, ended=ended(139, reason="Error"))

    after = advance(known, canary(seconds=5, more=[crashed]))

    assert outcomes(after) == {2: "Aborted", 1: "Serving"}
    assert "check Restarts has failed" in after.history[0].message
    assert "exit code 139" in after.history[0].message
    assert replicas_of(after, canary()) == {1: 3}


def test_a_canary_whose_pods_are_not_ready_in_the_end_is_inconclusive_and_waits() -> None:
    known = advance(begun_canary(), canary(seconds=1, ready=1))

    waits = advance(known, canary(seconds=60, ready=0))
    late = advance(waits, canary(seconds=632, ready=0))

    assert waits.rollout is not None
    assert waits.rollout.step == 0
    assert outcomes(late)[2] == "Aborted"
    assert "checks were inconclusive: 0 of 1 pods are ready" in late.history[0].message


def test_a_canary_that_answers_otherwise_is_aborted_with_the_figures() -> None:
    known = advance(begun_canary(), canary(seconds=1, ready=1, probed=NOTHING))
    other = Probed(AgreementStatus(rows=256, equal=97))

    after = advance(known, canary(seconds=5, ready=1, probed=other))

    assert outcomes(after) == {2: "Aborted", 1: "Serving"}
    assert "check Agreement has failed: 97 of 256 recorded rows" in after.history[0].message


def test_what_was_found_about_the_answers_is_remembered_for_the_step_alone() -> None:
    known = advance(begun_canary(), canary(seconds=1, ready=1, probed=NOTHING))
    known = advance(known, canary(seconds=5, ready=1))
    assert known.rollout is not None
    assert known.rollout.agreement == SAME.agreement

    known = advance(known, canary(seconds=32, ready=1, probed=Probed()))
    assert known.rollout is not None
    assert (known.rollout.step, known.rollout.agreement) == (1, None)

    known = advance(known, canary(seconds=40, ready=2, probed=NOTHING))
    late = advance(known, canary(seconds=140, ready=2, probed=NOTHING))
    assert late.rollout is not None
    assert late.rollout.step == 1


def test_a_canary_that_cannot_be_compared_in_time_is_aborted_and_says_why() -> None:
    known = advance(begun_canary(), canary(seconds=1, ready=1, probed=NOTHING))

    late = advance(known, canary(seconds=632, ready=1, probed=NOTHING))

    assert outcomes(late)[2] == "Aborted"
    assert "checks were inconclusive" in late.history[0].message
    assert "the canary does not answer" in late.history[0].message


LOADS = {
    "good": Loads(Load(900, 0, 0.01), Load(300, 0, 0.01)),
    "few": Loads(Load(900, 0, 0.01), Load(99, 0, 0.01)),
    "failing": Loads(Load(900, 0, 0.01), Load(300, 30, 0.01)),
    "slow": Loads(Load(900, 0, 0.01), Load(300, 0, 0.03)),
    "away": Loads(problem="Prometheus does not answer"),
}
ANSWERS = {
    "same": SAME,
    "other": Probed(AgreementStatus(rows=256, equal=97)),
    "incomparable": Probed(AgreementStatus(rows=0, equal=0, message="other inputs")),
    "unknown": NOTHING,
}
LOOKS = st.tuples(
    st.sampled_from([0, 1, 2, 2, 2]),
    st.sampled_from(["good", *LOADS]),
    st.sampled_from(["same", *ANSWERS]),
    st.sampled_from([1, 30, 61]),
)


@given(st.lists(LOOKS, max_size=12))
def test_no_step_is_left_but_with_every_check_passed(
    looks: list[tuple[int, str, str, int]],
) -> None:
    known, seconds = begun_canary(), 0
    for ready, load, answers, later in looks:
        seconds += later
        seen = replace(
            canary(seconds=seconds, ready=ready, probed=ANSWERS[answers]), loads=LOADS[load]
        )
        before, known = known, advance(known, seen)
        if before.rollout is None or before.rollout.step is None or known.rollout is None:
            continue
        if known.rollout.step != before.rollout.step:
            assert {str(c.verdict) for c in known.rollout.checks} == {"Passed"}
            assert len(known.rollout.checks) == 5
            assert (load, ready >= 1) == ("good", True)
    assert known.serving == 1 or known.rollout is None


def test_the_first_revision_needs_no_canary() -> None:
    known = advance(Revisions(), facts(model("a"), **CANARY))

    assert known.rollout is not None
    assert known.rollout.step is None


def manual(name: str, *, revision: int | None = None, **ready: int) -> ServerFacts:
    pinned: dict[str, Any] = {} if revision is None else {"revision": revision}
    return facts(model(name), pods(**ready), promotion="Manual", **pinned)


def test_with_manual_promotion_a_choice_waits_until_it_is_named() -> None:
    known = advance(serving("a"), manual("b", r1=1))
    waits = advance(known, manual("c", r1=1))

    assert outcomes(waits) == {3: "Waiting", 2: "Waiting", 1: "Serving"}
    assert replicas_of(waits, manual("c", r1=1)) == {1: 1}
    promoted = advance(waits, manual("c", revision=2, r1=1))
    assert outcomes(promoted) == {3: "Waiting", 2: "RollingOut", 1: "Serving"}


def test_with_manual_promotion_the_first_choice_serves_at_once() -> None:
    assert outcomes(advance(Revisions(), manual("a", r1=1))) == {1: "Serving"}


def test_taking_the_number_out_again_changes_nothing_with_manual_promotion() -> None:
    known = advance(advance(serving("a"), manual("b", r1=1)), manual("b", revision=2, r1=1, r2=1))
    assert known.serving == 2

    after = advance(known, manual("b", r2=1))

    assert (after.serving, after.rollout) == (2, None)


def pinned(name: str, revision: int, **ready: int) -> ServerFacts:
    return facts(model(name), pods(**ready), revision=revision, **CANARY)


def test_going_back_skips_the_canary_and_stays_whatever_is_chosen() -> None:
    known = advance(serving("a", "b"), pinned("b", 1, r2=1))

    assert known.rollout is not None
    assert known.rollout.step is None
    assert known.rollout.revision == 1
    back = advance(known, pinned("b", 1, r2=1, r1=1))
    assert back.serving == 1
    later = advance(back, pinned("c", 1, r1=1))
    assert outcomes(later) == {3: "Waiting", 2: "Retired", 1: "Serving"}


def test_without_the_number_the_last_choice_is_rolled_out_again() -> None:
    known = advance(serving("a", "b"), pinned("b", 1, r2=1, r1=1))
    assert known.serving == 1

    after = advance(known, facts(model("b"), pods(r1=1)))

    assert outcomes(after) == {2: "RollingOut", 1: "Serving"}


def test_an_aborted_revision_is_tried_again_once_for_each_time_it_is_named() -> None:
    refused = pod(2, ready=False, ended=ended(65, "damaged"))
    aborted = advance(
        advance(serving("a"), facts(model("b"), pods(r1=1))),
        facts(model("b"), [*pods(r1=1), refused]),
    )

    named = facts(model("b"), [*pods(r1=1)], revision=2)
    again = advance(aborted, named)
    failed = advance(again, replace(named, pods=[*pods(r1=1), refused]))

    assert outcomes(again)[2] == "RollingOut"
    assert outcomes(failed)[2] == "Aborted"
    assert advance(failed, named) == failed
    taken_out = advance(failed, facts(model("b"), pods(r1=1)))
    assert outcomes(advance(taken_out, named))[2] == "RollingOut"


def test_a_number_that_is_not_known_is_said_and_what_serves_goes_on() -> None:
    observed = pinned("a", 7, r1=1)
    known = advance(serving("a"), observed)

    assert known.serving == 1
    problem = unknown_pin(known, observed)
    assert problem is not None
    assert "spec.revision is 7, known revisions (status.history) are: 1" in problem.message


def test_a_revision_that_is_named_is_never_forgotten() -> None:
    known = serving("a", "b")
    for number in range(30):
        known = advance(known, replace(pinned(f"{number:02d}", 1, r1=1), spec=pinned("b", 1).spec))

    assert known.get(1) is not None
    assert len(known.history) <= MAX_HISTORY + 2


def test_a_choice_that_went_back_to_what_serves_is_no_new_revision_after_going_back_further() -> (
    None
):
    refused = pod(3, ready=False, ended=ended(65))
    known = advance(serving("a", "b"), facts(model("c"), pods(r2=1)))
    known = advance(known, facts(model("c"), [*pods(r2=1), refused]))
    known = advance(known, facts(model("b"), pods(r2=1)))

    back = advance(known, pinned("b", 1, r2=1, r1=1))

    assert back.serving == 1
    assert outcomes(advance(back, pinned("b", 1, r1=1))) == {
        3: "Aborted",
        2: "Retired",
        1: "Serving",
    }


def test_an_aborted_model_that_is_chosen_anew_is_tried_as_a_new_revision() -> None:
    refused = pod(2, ready=False, ended=ended(65))
    known = advance(serving("a"), facts(model("b"), pods(r1=1)))
    known = advance(known, facts(model("b"), [*pods(r1=1), refused]))
    known = advance(known, facts(model("a"), pods(r1=1)))

    again = advance(known, facts(model("b"), pods(r1=1)))

    assert outcomes(again) == {3: "RollingOut", 2: "Aborted", 1: "Serving"}


def test_a_source_that_goes_away_does_not_stop_a_rollout() -> None:
    known = advance(serving("a"), facts(model("b"), pods(r1=1)))

    after = advance(known, facts(WAITS, pods(r1=1, r2=1)))

    assert after.serving == 2
