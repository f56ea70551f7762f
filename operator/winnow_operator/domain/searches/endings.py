"""Why a search ends: a chain of pure checks, one reason each, the first that holds wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import Goal, SearchJobSpec
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.jobs import JobSpec
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.searches.finals import (
    FinalPlan,
    are_whole,
    final_plan,
    leading,
    leaves_no_models,
)
from winnow_operator.domain.searches.outcome_constraints import describe
from winnow_operator.domain.searches.outcomes import CONTRACT_CAUSE
from winnow_operator.domain.searches.pareto import meets_targets
from winnow_operator.domain.searches.standings import Standing
from winnow_operator.domain.searches.winner import best_record


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What checks look at that are the same for all kinds of jobs."""

    spec: JobSpec
    ledger: Ledger
    elapsed_seconds: float
    """Unsuspended time since the first batch."""
    max_duration_seconds: float | None

    @property
    def is_over_time(self) -> bool:
        """Whether the budget's time is spent."""
        limit = self.max_duration_seconds
        return limit is not None and self.elapsed_seconds >= limit


@dataclass(frozen=True, slots=True)
class Progress(JobProgress):
    """What the checks of a search look at."""

    spec: SearchJobSpec
    planned: int
    """How many trials the budget and the space allow."""
    exhausted: bool
    """Whether the engine has nothing left to suggest."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a search ends."""

    reason: Reason
    message: str
    failed: bool = False


Check = Callable[[Progress], Ending | None]


def contract_mismatch(progress: JobProgress) -> Ending | None:
    """The trial image speaks another version of the trial contract."""
    first = progress.ledger.job_fault
    if first is None or first.cause != CONTRACT_CAUSE:
        return None
    return Ending(Reason.CONTRACT_MISMATCH, first.message, failed=True)


def fault_of_the_job(progress: JobProgress) -> Ending | None:
    """A trial failed for a reason that is the same for all trials."""
    first = progress.ledger.job_fault
    if first is None or first.cause == CONTRACT_CAUSE:
        return None
    return Ending(Reason.JOB_FAULT, f"{first.cause}: {first.message}", failed=True)


def too_many_failures(progress: JobProgress) -> Ending | None:
    """More trials failed than the budget allows."""
    failed, limit = progress.ledger.count(Outcome.FAILED), progress.spec.budget.max_failed_trials
    if failed <= limit:
        return None
    last = max(
        (r for r in progress.ledger.finished() if r.outcome is Outcome.FAILED),
        key=lambda r: r.number,
    )
    words = (
        f"{failed} trials failed and spec.budget.maxFailedTrials is {limit}; "
        f"the last, number {last.number}: {last.cause}: {last.message}"
    )
    return Ending(Reason.TOO_MANY_FAILURES, words, failed=True)


def target_reached(progress: Progress) -> Ending | None:
    """A trial is at least as good as the objective's target."""
    if len(progress.spec.objectives) > 1:
        return _all_targets_reached(progress)
    objective = progress.spec.objectives[0]
    best = best_record(progress.ledger)
    if objective.target is None or best is None or best.score is None:
        return None
    sign = 1 if objective.goal is Goal.MINIMIZE else -1
    if best.score > sign * float(objective.target):
        return None
    words = (
        f"trial number {best.number} reached {objective.metric} {sign * best.score:g}, "
        f"the target is {objective.target}"
    )
    return Ending(Reason.TARGET_REACHED, words)


def _all_targets_reached(progress: Progress) -> Ending | None:
    """Of several objectives only all targets together end a search."""
    objectives, best = progress.spec.objectives, best_record(progress.ledger)
    if best is None or any(o.target is None for o in objectives):
        return None
    if not meets_targets(best, objectives):
        return None
    values = ", ".join(f"{o.metric} {v:g}" for o, v in zip(objectives, best.values, strict=False))
    words = f"trial number {best.number} reached the targets of all objectives: {values}"
    return Ending(Reason.TARGET_REACHED, words)


def deadline_reached(progress: Progress) -> Ending | None:
    """The budget's time is spent."""
    if not progress.is_over_time:
        return None
    words = f"the search ran for spec.budget.maxDuration, {progress.spec.budget.max_duration}"
    return _with_winner(progress, Reason.DEADLINE_REACHED, words)


def everything_tried(progress: Progress) -> Ending | None:
    """The budget's trials, or all points of the space, have an outcome."""
    ledger = progress.ledger
    made = ledger.searched
    if ledger.searching or (made < progress.planned and not progress.exhausted):
        return None
    limit = progress.spec.budget.max_trials
    if limit is not None and made >= limit:
        words = f"all {made} trials of spec.budget.maxTrials have an outcome"
        return _with_winner(progress, Reason.BUDGET_SPENT, words)
    words = f"all {made} points of the space have been tried"
    if made < progress.planned and progress.spec.space.constraints:
        words = f"after {made} trials no further point was found that keeps spec.space.constraints"
    return _with_winner(progress, Reason.SPACE_EXHAUSTED, words)


def _with_winner(progress: Progress, reason: Reason, words: str) -> Ending:
    if best_record(progress.ledger) is not None:
        return Ending(reason, words)
    return Ending(Reason.NO_WINNER, f"{words}, and none of them {_fate(progress)}", failed=True)


def _fate(progress: Progress) -> str:
    """What no trial did, for a search without a winner."""
    ledger = progress.ledger
    if ledger.finals:  # so some trial could have won
        return "could be trained once more"
    missed = [r for r in ledger.finished() if r.outcome is Outcome.SUCCEEDED and r.violation]
    if not missed:
        return "succeeded"
    nearest = min(missed, key=lambda r: (r.violation, r.number))
    limits = describe(progress.spec.constraints)
    return f"keeps spec.constraints ({limits}); number {nearest.number} comes nearest"


CHAIN: tuple[Check, ...] = (
    contract_mismatch,  # nothing that runs can be read
    fault_of_the_job,  # every further trial would fail in the same way
    too_many_failures,  # the user's limit
    target_reached,  # good enough: what runs is not needed
    deadline_reached,  # no time left
    everything_tried,  # nothing left to do
)


def search_ending(progress: Progress) -> Ending | None:
    """The first ending of the chain that holds, or None while the search goes on."""
    return next((ending for check in CHAIN if (ending := check(progress))), None)


def find_ending(progress: Progress) -> Ending | None:
    """How the job ends, or None while the search goes on or a final training does."""
    ending, plan = search_ending(progress), final_plan(progress.spec)
    if ending is None or ending.failed or plan is None:
        return ending
    winner = leading(progress.ledger, plan)
    if winner is not None and are_whole(progress.ledger, plan):
        return replace(ending, message=f"{ending.message}; {_trained_again(winner, plan)}")
    return _too_late(progress, winner) if progress.is_over_time else None


def _trained_again(winner: Standing, plan: FinalPlan) -> str:
    if not plan.names_winner:
        return f"trial number {winner.number} was trained once more"
    return (
        f"of the best trials, at most {plan.count}, which were trained {plan.repeats} times more, "
        f"number {winner.number} is the best"
    )


def _too_late(progress: Progress, winner: Standing | None) -> Ending:
    words = (
        f"the search ran for spec.budget.maxDuration, {progress.spec.budget.max_duration}, which "
    )
    if winner is not None and winner.finals:
        words += (
            "left no time to train all finalists again: the winner is the best of those that were"
        )
    elif leaves_no_models(progress.spec):
        words += "left no time to train the winner once more: it has no model"
    else:
        words += "left no time to train the finalists again: the winner is the best of the search"
    return Ending(Reason.DEADLINE_REACHED, words)


def is_after_search(progress: Progress) -> bool:
    """Whether the search is over and only its final training may be missing."""
    ending = None if final_plan(progress.spec) is None else search_ending(progress)
    return ending is not None and not ending.failed
