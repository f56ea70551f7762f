"""What is decided of trials that run: each once at each rung, whatever the order of the answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import ACCURACY, record_of, spec_of
from winnow_contract.rungscores import RungScores
from winnow_contract.stopping import ASHA, MEDIAN, StoppingRule, Verdict
from winnow_operator.api.early_stopping import RungProgress
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.checks.stopping import check_early_stopping, most_epochs
from winnow_operator.domain.ledger import Ledger, read_trial, rungs_of
from winnow_operator.domain.searches.early_stopping import (
    decide,
    empty_scores,
    is_decided_here,
    read_passed,
    rule_of,
    show_passed,
)
from winnow_operator.domain.settlements import Run, stopped

RULES = st.builds(
    StoppingRule,
    st.sampled_from([ASHA, MEDIAN]),
    minimum=st.just(1),
    eta=st.integers(2, 3),
    min_trials=st.integers(2, 4),
)
CLIMBS = st.dictionaries(
    st.integers(1, 12),
    st.integers(1, 3).flatmap(
        lambda count: st.lists(st.floats(-1, 1), min_size=count, max_size=count)
    ),
    max_size=8,
)


def rungs(rule: StoppingRule, climbs: dict[int, list[float]]) -> dict[int, dict[int, float]]:
    ladder = rule.rungs(rule.eta**3)
    return {n: dict(zip(ladder, scores, strict=False)) for n, scores in climbs.items()}


@given(RULES, CLIMBS, CLIMBS)
def test_what_was_recorded_is_never_decided_again(
    rule: StoppingRule, first: dict[int, list[float]], more: dict[int, list[float]]
) -> None:
    """As a look after a restart sees it: stopped trials have ended, more have come."""
    running = rungs(rule, first)
    made = decide(rule, RungScores(), running, {})
    ended = RungScores()
    for number in made.stopped:
        ended.add(running.pop(number))

    assert decide(rule, ended, running, made.passed).stopped == {}
    later = {**rungs(rule, more), **running}
    for number in made.passed:
        verdict = decide(rule, ended, later, made.passed).stopped.get(number)
        assert verdict is None or verdict.rung > made.passed[number]


@given(RULES, CLIMBS)
def test_the_order_in_which_trials_are_told_does_not_matter(
    rule: StoppingRule, climbs: dict[int, list[float]]
) -> None:
    running = rungs(rule, climbs)

    assert decide(rule, RungScores(), running, {}) == decide(
        rule, RungScores(), dict(reversed(running.items())), {}
    )


@given(RULES, CLIMBS)
def test_nobody_is_let_go_on_and_stopped_at_once(
    rule: StoppingRule, climbs: dict[int, list[float]]
) -> None:
    made = decide(rule, RungScores(), rungs(rule, climbs), {})

    assert made.passed.keys() | made.stopped.keys() == {n for n, s in climbs.items() if s}
    assert not made.passed.keys() & made.stopped.keys()


@given(st.dictionaries(st.integers(1, 99_999), st.sampled_from([1, 3, 9, 27])))
def test_what_a_status_remembers_is_read_as_it_was_written(passed: dict[int, int]) -> None:
    shown = show_passed(passed, frozenset(passed))

    assert read_passed(shown) == passed
    assert show_passed(passed, frozenset()) == ()


def test_of_a_thousand_pods_a_status_stays_small() -> None:
    odd = {n: 3 ** (n % 4) for n in range(90_001, 92_001, 2)}

    assert sum(len(entry.passed) for entry in show_passed(odd, frozenset(odd))) < 7_000


def test_an_edited_status_is_decided_anew() -> None:
    edited = (RungProgress(rung=1, passed="all"), RungProgress(rung=3, passed="2-3"))

    assert read_passed(edited) == {2: 3, 3: 3}


def test_a_stopped_trial_is_recorded_with_what_it_reached() -> None:
    verdict = Verdict(3, stops=True, reason="ASHA at 3 epochs: place 4 of 6, ...")

    made = stopped(7, verdict, {1: 0.5, 3: 0.25, 9: 0.75}, Run("digits-b0001", 1), ACCURACY)

    status = made.status
    assert (status.outcome, status.cause, status.score) == (
        Outcome.STOPPED,
        "EarlyStopping",
        "-0.25",
    )
    assert rungs_of(status) == ((1, 0.5), (3, 0.25))
    body = {"spec": {"number": 7}, "status": status.model_dump(by_alias=True, mode="json")}
    assert read_trial(body).rungs == ((1, 0.5), (3, 0.25))


@pytest.mark.parametrize("comes", ["before", "after"])
def test_what_trials_have_recorded_counts_as_a_score_once(comes: str) -> None:
    ledger, ended = Ledger(), record_of(1, Outcome.SUCCEEDED, rungs=((1, 0.5), (3, 0.75)))
    ledger.put(record_of(2))
    if comes == "before":
        ledger.put(ended)
    ledger.compare_by((ACCURACY,), at_rungs := RungScores())
    ledger.put(ended)
    ledger.compare_by((ACCURACY,), RungScores())

    assert (at_rungs.count(1), at_rungs.count(3)) == (1, 1)
    assert [at_rungs.better(3, score) for score in (-0.75, -0.7)] == [0, 1]


@pytest.mark.parametrize(
    ("packed", "algorithm", "has_means"),
    [(1, "ASHA", False), (1, "Median", True), (2, "Median", None)],
)
def test_only_what_the_rule_reads_is_kept(
    packed: int, algorithm: str, *, has_means: bool | None
) -> None:
    rule = {"algorithm": algorithm, "resource": "Epochs"}
    made = empty_scores(spec_of({"earlyStopping": rule, "trialsPerPod": packed}))

    assert (None if made is None else made.has_means) == has_means
    assert empty_scores(spec_of()) is None


def test_those_of_a_shared_pod_are_their_trainers_business() -> None:
    rule = {"algorithm": "Median", "resource": "Steps", "minimum": 9, "eta": 2, "minTrials": 5}

    assert rule_of(spec_of()) is None
    assert not is_decided_here(spec_of())
    assert is_decided_here(spec_of({"earlyStopping": rule}))
    assert not is_decided_here(spec_of({"earlyStopping": rule, "trialsPerPod": 2}))
    assert rule_of(spec_of({"earlyStopping": rule})) == StoppingRule(MEDIAN, "Steps", 9, 2, 5)


SEARCHED = [{"name": "epochs", "int": {"min": 10, "max": 30, "step": 10}}]


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, 20),
        ({"space": {"parameters": SEARCHED}}, 30),
        (
            {
                "task": {
                    "model": {"family": "MLP", "settings": [{"name": "epochs", "value": "7"}]},
                    "data": {"uri": "builtin://digits"},
                }
            },
            7,
        ),
    ],
)
def test_the_first_rung_lies_below_the_longest_training(changes: dict[str, Any], most: int) -> None:
    spec = spec_of(changes)
    assert most_epochs(spec) == most

    early = {"earlyStopping": {"minimum": most - 1}}
    assert list(check_early_stopping(spec_of({**changes, **early}))) == []
    late = spec_of({**changes, "earlyStopping": {"minimum": most}})
    (complaint,) = check_early_stopping(late)
    assert f"minimum is {most} and no trial trains longer than {most} epochs" in complaint
