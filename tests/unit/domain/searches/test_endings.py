"""How a search ends: each ending by itself, and which one wins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.conditions import Reason
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.searches.endings import CHAIN, Progress, find_ending
from winnow_operator.domain.searches.outcomes import CONTRACT_CAUSE

GOOD = record_of(1, Outcome.SUCCEEDED, score=-0.9)
BETTER = record_of(2, Outcome.SUCCEEDED, score=-0.95)
BAD = record_of(3, Outcome.FAILED, cause="Crash", message="exit code 1")
FAULT = record_of(4, Outcome.FAILED, cause="BadData", message="no column y", job_fault=True)
MISMATCH = record_of(5, Outcome.FAILED, cause=CONTRACT_CAUSE, message="speaks 9", job_fault=True)
OPEN = record_of(6)


def _progress(*records: TrialRecord, **facts: Any) -> Progress:
    defaults: dict[str, Any] = {
        "spec": spec_of({"budget": {"maxTrials": 3, "maxFailedTrials": 0}}),
        "ledger": ledger_of(*records),
        "planned": 3,
        "exhausted": False,
        "elapsed_seconds": 10.0,
        "max_duration_seconds": None,
    }
    return Progress(**{**defaults, **facts})


def _target(goal: str, target: str) -> Any:
    return spec_of({"objectives": [{"metric": "accuracy", "goal": goal, "target": target}]})


_LIMITED = spec_of(
    {
        "constraints": [{"metric": "accuracy", "min": "0.97"}, {"metric": "f1", "max": "0.5"}],
        "budget": {"maxTrials": 2},
    }
)
_MISSED = [
    record_of(n, Outcome.SUCCEEDED, score=-0.9, violation=v) for n, v in ((1, 0.4), (2, 0.3))
]
_LATE = {"max_duration_seconds": 10.0}
_ENDINGS: list[tuple[str, Progress, Reason | None, bool, str]] = [
    ("new", _progress(), None, False, ""),
    ("running", _progress(GOOD, OPEN), None, False, ""),
    ("not-all-made", _progress(GOOD, BETTER), None, False, ""),
    (
        "spent",
        _progress(GOOD, BETTER, record_of(7, Outcome.STOPPED)),
        Reason.BUDGET_SPENT,
        False,
        "all 3 trials",
    ),
    ("spent-but-active", _progress(GOOD, BETTER, OPEN), None, False, ""),
    ("exhausted", _progress(GOOD, exhausted=True), Reason.SPACE_EXHAUSTED, False, "all 1 points"),
    ("small-space", _progress(GOOD, planned=1), Reason.SPACE_EXHAUSTED, False, "all 1 points"),
    (
        "no-winner",
        _progress(record_of(7, Outcome.STOPPED), planned=1),
        Reason.NO_WINNER,
        True,
        "none of them succeeded",
    ),
    (
        "failures",
        _progress(GOOD, BAD),
        Reason.TOO_MANY_FAILURES,
        True,
        "number 3: Crash: exit code 1",
    ),
    (
        "constraints",
        _progress(*_MISSED, spec=_LIMITED, planned=2),
        Reason.NO_WINNER,
        True,
        "keeps spec.constraints (accuracy >= 0.97 and f1 <= 0.5); number 2 comes nearest",
    ),
    ("job-fault", _progress(GOOD, FAULT), Reason.JOB_FAULT, True, "BadData: no column y"),
    ("contract", _progress(GOOD, MISMATCH), Reason.CONTRACT_MISMATCH, True, "speaks 9"),
    (
        "late",
        _progress(GOOD, OPEN, **_LATE),
        Reason.DEADLINE_REACHED,
        False,
        "spec.budget.maxDuration",
    ),
    (
        "late-without-winner",
        _progress(OPEN, **_LATE),
        Reason.NO_WINNER,
        True,
        "none of them succeeded",
    ),
    ("not-late", _progress(GOOD, max_duration_seconds=10.5), None, False, ""),
    (
        "target",
        _progress(GOOD, spec=_target("Maximize", "0.9")),
        Reason.TARGET_REACHED,
        False,
        "number 1 reached accuracy 0.9",
    ),
    ("below-target", _progress(GOOD, spec=_target("Maximize", "0.91")), None, False, ""),
    (
        "low-target",
        _progress(record_of(1, Outcome.SUCCEEDED, score=0.1), spec=_target("Minimize", "0.1")),
        Reason.TARGET_REACHED,
        False,
        "accuracy 0.1",
    ),
    (
        "above-low-target",
        _progress(record_of(1, Outcome.SUCCEEDED, score=0.2), spec=_target("Minimize", "0.1")),
        None,
        False,
        "",
    ),
    (
        "stopped-is-no-target",
        _progress(record_of(1, Outcome.STOPPED, score=-1.0), spec=_target("Maximize", "0.9")),
        None,
        False,
        "",
    ),
]


@pytest.mark.parametrize(
    ("progress", "reason", "failed", "words"),
    [row[1:] for row in _ENDINGS],
    ids=[row[0] for row in _ENDINGS],
)
def test_a_search_ends(
    progress: Progress, reason: Reason | None, words: str, *, failed: bool
) -> None:
    ending = find_ending(progress)

    assert (None if ending is None else ending.reason) == reason
    if ending is not None:
        assert ending.failed is failed
        assert words in ending.message


def test_a_failed_trial_within_the_limit_does_not_end_the_search() -> None:
    spec = spec_of({"budget": {"maxTrials": 9, "maxFailedTrials": 1}})

    assert find_ending(_progress(GOOD, BAD, spec=spec, planned=9)) is None


def test_the_chain_names_what_no_further_trial_would_change_first() -> None:
    spec = spec_of(
        {
            "objectives": [{"metric": "accuracy", "goal": "Maximize", "target": "0.5"}],
            "budget": {"maxTrials": 3, "maxFailedTrials": 0},
        }
    )
    records, found = [GOOD, BETTER, BAD], list[str]()
    for more in ([], [FAULT], [record_of(2, Outcome.FAILED, cause=CONTRACT_CAUSE, job_fault=True)]):
        ending = find_ending(_progress(*more, *records, spec=spec, **_LATE))
        assert ending is not None
        found.append(ending.reason)

    assert found == [Reason.TOO_MANY_FAILURES, Reason.JOB_FAULT, Reason.CONTRACT_MISMATCH]


def test_a_budget_that_was_lowered_below_what_was_made_ends_once_all_have_an_outcome() -> None:
    spec = spec_of({"budget": {"maxTrials": 1}})

    assert find_ending(_progress(GOOD, OPEN, spec=spec, planned=1)) is None
    ended = find_ending(_progress(GOOD, BETTER, spec=spec, planned=1))
    assert ended is not None
    assert ended.reason is Reason.BUDGET_SPENT


def test_every_check_of_the_chain_gives_its_own_reasons() -> None:
    reasons = [
        {e.reason for _, progress, *_ in _ENDINGS if (e := check(progress)) is not None}
        for check in CHAIN
    ]

    assert all(reasons)
    own = [r - {Reason.NO_WINNER} for r in reasons]
    assert sum(map(len, own)) == len(set().union(*own))
