"""What an ended pod means for its trials; the letters are those of domain/searches/outcomes.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.facts import CONTEXT, DIGEST, batch_of, ended_pod, message_of, pod_of, succeeded
from winnow_contract.results import TrialResult
from winnow_operator.api.searchjob import Constraint, Goal, Objective
from winnow_operator.api.trial import FaultScope, Outcome
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.ledger import several_values
from winnow_operator.domain.pods import PodFact
from winnow_operator.domain.searches.outcomes import (
    MAX_ATTEMPTS,
    PodVerdict,
    TrialContext,
    judge_orphan,
    judge_pod,
)
from winnow_operator.domain.settlements import MAX_MESSAGE, fit, tail

ALL = frozenset(range(1, 100))
LIVE = batch_of(1, [1, 2, 3], trials_per_pod=3)
FAILED = batch_of(1, [1, 2, 3], trials_per_pod=3, failed=frozenset({0}))
GONE = batch_of(1, [1, 2, 3], trials_per_pod=3, deleting=True)
ONE_DONE = message_of(succeeded(1))


def _told(verdict: PodVerdict) -> dict[int, str]:
    """Outcome or cause by trial, and `again` for those that are released."""
    settled = {s.number: s.status.cause or str(s.status.outcome) for s in verdict.settlements}
    assert len(settled) == len(verdict.settlements), "a trial was settled twice"
    assert not settled.keys() & set(verdict.released), "a trial was settled and released"
    return settled | dict.fromkeys(verdict.released, "again")


# Scenario, batch, exit code, what the pod says, facts of the pod, and what follows.
_TABLE: list[tuple[str, BatchFact, int, str, dict[str, Any], dict[int, str]]] = [
    (
        "A-all",
        LIVE,
        0,
        message_of(*map(succeeded, (1, 2, 3))),
        {},
        dict.fromkeys((1, 2, 3), "Succeeded"),
    ),
    ("A-some", LIVE, 0, ONE_DONE, {}, {1: "Succeeded", 2: "NoResult", 3: "NoResult"}),
    ("A-garbage", LIVE, 0, "hello", {}, dict.fromkeys((1, 2, 3), "NoResult")),
    ("A-deleted", GONE, 0, ONE_DONE, {"deleting": True}, {1: "Succeeded", 2: "again", 3: "again"}),
    (
        "A-stopped",
        LIVE,
        0,
        message_of(TrialResult(2, "Stopped")),
        {},
        {1: "NoResult", 2: "Stopped", 3: "NoResult"},
    ),
    ("B-live", LIVE, 3, ONE_DONE, {}, {1: "Succeeded"}),
    ("B-counted", FAILED, 3, ONE_DONE, {}, {1: "Succeeded", 2: "again", 3: "again"}),
    (
        "B-stopped",
        FAILED,
        3,
        message_of(TrialResult(1, "Stopped", objective=0.5)),
        {},
        dict.fromkeys((1, 2, 3), "again"),
    ),
    ("C", LIVE, 64, "speaks 9", {}, dict.fromkeys((1, 2, 3), "ContractMismatch")),
    ("D", LIVE, 65, ONE_DONE, {}, {1: "Succeeded", 2: "Permanent", 3: "Permanent"}),
    (
        "D-cause",
        LIVE,
        65,
        message_of(cause="MissingTarget", message="no column y"),
        {},
        dict.fromkeys((1, 2, 3), "MissingTarget"),
    ),
    (
        "E-live",
        LIVE,
        137,
        ONE_DONE,
        {"container_reason": "OOMKilled"},
        {1: "Succeeded", 2: "OOMKilled"},
    ),
    (
        "E-counted",
        FAILED,
        137,
        "",
        {"container_reason": "OOMKilled"},
        {1: "OOMKilled", 2: "again", 3: "again"},
    ),
    ("E-deleted", LIVE, 137, "", {"container_reason": "OOMKilled", "deleting": True}, {}),
    (
        "F-live",
        LIVE,
        137,
        ONE_DONE,
        {"reason": "DeadlineExceeded"},
        {1: "Succeeded", 2: "DeadlineExceeded"},
    ),
    (
        "F-stopped",
        FAILED,
        3,
        ONE_DONE,
        {"reason": "DeadlineExceeded"},
        {1: "Succeeded", 2: "DeadlineExceeded", 3: "again"},
    ),
    ("G-live", LIVE, 137, ONE_DONE, {"disrupted": True}, {1: "Succeeded"}),
    ("G-gone", GONE, 137, ONE_DONE, {"disrupted": True}, {1: "Succeeded", 2: "again", 3: "again"}),
    ("H-retried", LIVE, 1, "boom", {}, {}),
    ("H-spent", FAILED, 1, "boom", {}, {1: "Crash", 2: "again", 3: "again"}),
    ("H-after-one", FAILED, 1, ONE_DONE, {}, {1: "Succeeded", 2: "Crash", 3: "again"}),
    ("H-storage", FAILED, 75, "", {}, {1: "StorageUnavailable", 2: "again", 3: "again"}),
    ("H-deleted", LIVE, 143, "", {"deleting": True}, {}),
    ("H-suspended", GONE, 1, "", {}, dict.fromkeys((1, 2, 3), "again")),
    (
        "H-not-started",
        FAILED,
        128,
        "exec: no such file",
        {"container_reason": "StartError"},
        {1: "StartError", 2: "again", 3: "again"},
    ),
    (
        "H-evicted",
        FAILED,
        137,
        "",
        {"reason": "Evicted", "message": "disk"},
        {1: "Evicted", 2: "again", 3: "again"},
    ),
]


@pytest.mark.parametrize(
    ("batch", "code", "said", "facts", "expected"),
    [row[1:] for row in _TABLE],
    ids=[row[0] for row in _TABLE],
)
def test_an_ended_pod_means(
    batch: BatchFact,
    code: int,
    said: str,
    facts: dict[str, Any],
    expected: dict[int, str],
) -> None:
    pod = ended_pod(batch, code, said, **facts)

    assert _told(judge_pod(pod, batch, ALL, CONTEXT)) == expected


@pytest.mark.parametrize(
    ("batch", "facts", "expected"),
    [
        (LIVE, {}, {}),
        (FAILED, {"reason": "OutOfcpu"}, dict.fromkeys((1, 2, 3), "again")),
        (GONE, {"deleting": True}, dict.fromkeys((1, 2, 3), "again")),
        (LIVE, {"reason": "DeadlineExceeded"}, {1: "DeadlineExceeded"}),
        (LIVE, {"disrupted": True}, {}),
    ],
    ids=["retried", "counted", "suspended", "too-long", "disrupted"],
)
def test_a_pod_that_never_started_means(
    batch: BatchFact, facts: dict[str, Any], expected: dict[int, str]
) -> None:
    pod = pod_of(batch, phase="Failed", **facts)

    assert _told(judge_pod(pod, batch, ALL, CONTEXT)) == expected


def test_a_trial_that_failed_before_is_not_blamed_on_the_next_one() -> None:
    """Trial 1 ran out of memory; its Job runs the index again and it does so again."""
    again = ended_pod(FAILED, 137, "", container_reason="OOMKilled", attempt=2)

    told = _told(judge_pod(again, FAILED, ALL - {1}, CONTEXT))

    assert told == {2: "again", 3: "again"}


def test_only_the_latest_pod_of_an_index_decides_without_a_result() -> None:
    pod = ended_pod(FAILED, 1, ONE_DONE)

    assert _told(judge_pod(pod, FAILED, ALL, CONTEXT, is_latest=False)) == {1: "Succeeded"}


def test_a_trial_that_a_later_batch_runs_is_neither_blamed_nor_released_again() -> None:
    pod = ended_pod(FAILED, 1, message_of(succeeded(2)))

    told = _told(judge_pod(pod, FAILED, ALL, CONTEXT, moved=frozenset({1, 2})))

    assert told == {2: "Succeeded", 3: "again"}


def test_trials_with_an_outcome_are_left_alone() -> None:
    pod = ended_pod(LIVE, 0, message_of(*map(succeeded, (1, 2, 3))))

    assert _told(judge_pod(pod, LIVE, frozenset({2}), CONTEXT)) == {2: "Succeeded"}
    assert judge_pod(pod, LIVE, frozenset(), CONTEXT) == PodVerdict()


def test_a_result_for_a_trial_of_another_pod_is_not_believed() -> None:
    pod = ended_pod(LIVE, 0, message_of(succeeded(50)))

    assert 50 not in _told(judge_pod(pod, LIVE, ALL, CONTEXT))


def test_a_trial_that_was_ended_too_often_has_failed() -> None:
    batch = batch_of(4, [7], failed=frozenset({0}), previous_attempts={7: MAX_ATTEMPTS - 1})
    pod = ended_pod(batch, 3, reason="Preempting", message="by a daemon")

    (settlement,) = judge_pod(pod, batch, ALL, CONTEXT).settlements

    assert settlement.status.cause == "Lost"
    assert settlement.status.attempts == MAX_ATTEMPTS
    assert "10 times" in (settlement.status.message or "")
    assert "Preempting: by a daemon" in (settlement.status.message or "")


def test_attempts_count_the_runs_of_earlier_batches() -> None:
    batch = batch_of(4, [7], previous_attempts={7: 3})
    pod = ended_pod(batch, 0, message_of(succeeded(7)), attempt=2)

    (settlement,) = judge_pod(pod, batch, ALL, CONTEXT).settlements

    assert settlement.status.attempts == 5
    assert settlement.status.batch == "digits-b0004"


@pytest.mark.parametrize(
    ("job_fault", "scope"), [(True, FaultScope.JOB), (False, FaultScope.TRIAL)]
)
def test_a_failure_says_whose_fault_it_is(*, job_fault: bool, scope: FaultScope) -> None:
    said = message_of(cause="MissingTarget", message="no column y", job_fault=job_fault)

    verdict = judge_pod(ended_pod(LIVE, 65, said), LIVE, ALL, CONTEXT)

    assert {s.status.scope for s in verdict.settlements} == {scope}
    assert {s.status.message for s in verdict.settlements} == {"no column y"}


def test_the_failure_of_a_trial_that_its_own_result_tells_is_recorded() -> None:
    trial = TrialResult(1, "Failed", cause="Diverged", message="loss is NaN", job_fault=True)

    (first, *_) = judge_pod(ended_pod(LIVE, 0, message_of(trial)), LIVE, ALL, CONTEXT).settlements

    assert (first.status.cause, first.status.message) == ("Diverged", "loss is NaN")
    assert first.status.scope is FaultScope.JOB
    assert first.status.score is None


def test_a_success_without_the_objective_is_a_failure_that_names_it() -> None:
    pod = ended_pod(LIVE, 0, message_of(TrialResult(1, "Succeeded", metrics={"f1": 0.5})))

    (first, *_) = judge_pod(pod, LIVE, ALL, CONTEXT).settlements

    assert first.status.cause == "NoObjective"
    assert "accuracy" in (first.status.message or "")


def _status(trial: TrialResult, context: TrialContext = CONTEXT) -> Any:
    batch = batch_of(1, [trial.number])
    (settlement,) = judge_pod(
        ended_pod(batch, 0, message_of(trial)), batch, ALL, context
    ).settlements
    return settlement.status


@pytest.mark.parametrize(
    ("goal", "score"), [(Goal.MAXIMIZE, "-0.00001"), (Goal.MINIMIZE, "0.00001")]
)
def test_a_score_is_lower_for_the_better_trial_and_fixed_point(goal: Goal, score: str) -> None:
    context = TrialContext("digits", Objective(metric="loss", goal=goal), "pvc://m", own_image=True)

    assert _status(succeeded(1, 1e-5), context).score == score


def test_of_several_objectives_all_are_recorded_in_their_order_and_there_is_no_score() -> None:
    more = (
        Objective(metric="size", goal=Goal.MINIMIZE),
        Objective(metric="f1", goal=Goal.MAXIMIZE),
    )
    context = replace(CONTEXT, more=more)

    whole = _status(succeeded(1, 0.9, metrics={"loss": 0.3, "f1": 0.8, "size": 7.0}), context)
    part = _status(succeeded(1, 0.9, metrics={"size": 7.0}), context)

    assert whole.score is None
    assert [v.metric for v in whole.values] == ["accuracy", "size", "f1", "loss"]
    assert several_values(whole) == (0.9, 7.0, 0.8, 0.3)
    assert (part.outcome, part.cause) == (Outcome.FAILED, "NoObjective")
    assert "objective f1" in str(part.message)


@pytest.mark.parametrize(
    ("accuracy", "size", "violation"),
    [(0.98, 50.0, None), (0.97, 100.0, None), (0.873, 50.0, "0.1"), (0.873, 300.0, "2.1")],
)
def test_a_success_says_how_far_it_is_from_keeping_the_constraints(
    accuracy: float, size: float, violation: str | None
) -> None:
    limits = (Constraint(metric="accuracy", min="0.97"), Constraint(metric="size", max="100"))
    context = replace(CONTEXT, constraints=limits)

    status = _status(succeeded(1, accuracy, metrics={"size": size}), context)

    assert status.outcome is Outcome.SUCCEEDED
    assert (status.violation is None) is (violation is None)
    if violation is not None:
        assert float(status.violation or 0) == pytest.approx(float(violation))


def test_a_trial_without_a_metric_that_is_limited_has_failed() -> None:
    context = replace(CONTEXT, constraints=(Constraint(metric="size", max="100"),))

    status = _status(succeeded(1, 0.9), context)

    assert (status.outcome, status.cause) == (Outcome.FAILED, "NoObjective")
    assert "the constraint on size" in str(status.message)


def test_a_success_records_values_test_and_artifact() -> None:
    trial = succeeded(
        1,
        0.9861,
        standard_error=0.0031,
        test=0.98,
        test_standard_error=0.004,
        size_bytes=99_000,
        metrics={"accuracy": 0.1, "f1": 0.97},
    )

    status = _status(trial)

    assert status.outcome is Outcome.SUCCEEDED
    assert [(v.metric, v.value, v.standard_error) for v in status.values] == [
        ("accuracy", "0.9861", "0.0031"),
        ("f1", "0.97", None),
    ]
    assert [(v.metric, v.value, v.standard_error) for v in status.test] == [
        ("accuracy", "0.98", "0.004")
    ]
    assert status.artifact.uri == "pvc://models/team/searchjob/digits-1234/digits-t00001/0a1b2c3d"
    assert status.artifact.digest == f"sha256:{DIGEST}"
    assert status.artifact.format == "winnow/safetensors-v1"
    assert status.artifact.size_bytes == 99_000


def test_an_artifact_of_an_earlier_attempt_keeps_its_place() -> None:
    assert _status(succeeded(1, attempt="ffffffff")).artifact.uri.endswith("/ffffffff")


def test_of_a_pod_whose_job_is_gone_only_successes_count() -> None:
    said = message_of(succeeded(1), TrialResult(2, "Failed", cause="Diverged"), succeeded(3))

    verdict = judge_orphan(ended_pod(LIVE, 3, said), frozenset({1, 2}), CONTEXT)

    assert _told(verdict) == {1: "Succeeded"}
    assert judge_orphan(ended_pod(LIVE, 1, "boom"), ALL, CONTEXT) == PodVerdict()
    assert judge_orphan(pod_of(LIVE, phase="Failed"), ALL, CONTEXT) == PodVerdict()


def _crash_message(code: int, said: str) -> str | None:
    batch = batch_of(1, [1], failed=frozenset({0}))
    (settlement,) = judge_pod(ended_pod(batch, code, said), batch, ALL, CONTEXT).settlements
    return settlement.status.message


@pytest.mark.parametrize(
    ("code", "said", "message"),
    [
        (1, "", "exit code 1"),
        (
            1,
            "Traceback\n  line 3\nValueError: no\n",
            "exit code 1: Traceback | line 3 | ValueError: no",
        ),
        (139, "", "exit code 139 (SIGSEGV)"),
        (255, "", "exit code 255"),
        (1, message_of(), "exit code 1"),
        (1, message_of(cause="Crash", message="disk is full"), "exit code 1: disk is full"),
    ],
)
def test_a_crash_is_told_in_the_pods_own_words(code: int, said: str, message: str) -> None:
    assert _crash_message(code, said) == message


def test_a_long_log_is_told_by_its_last_lines() -> None:
    log = "\n".join(f"line {i}" for i in range(1000)) + "\nValueError: the end"

    message = tail(log)

    assert message.endswith("line 999 | ValueError: the end")
    assert len(message) < MAX_MESSAGE


def test_a_single_endless_line_is_told_by_its_end() -> None:
    assert tail("x" * 5000 + "the end").endswith("the end")


@pytest.mark.parametrize("message", ["ü" * 400, "\x1b[31mred\x1b[0m\x00", "\ud800 lone", "plain"])
def test_a_message_fits_and_cannot_steer_a_terminal(message: str) -> None:
    text = fit(message)

    assert len(text.encode()) <= MAX_MESSAGE
    assert text.isprintable()


def test_a_pod_of_a_later_index_speaks_of_its_own_trials() -> None:
    batch = batch_of(2, [4, 5, 9, 12], trials_per_pod=2)
    pod: PodFact = ended_pod(batch, 0, message_of(succeeded(9), succeeded(12)), index=1)

    assert _told(judge_pod(pod, batch, ALL, CONTEXT)) == {9: "Succeeded", 12: "Succeeded"}
