"""The phase after a search: its best trials are trained again, and the winner is named from that.

    search ends --> the best few are trained again ----> all have Succeeded: the job is Complete
                          ^                               one failed: the next best takes its place
                          +-------------------------------+

How many, and how often, `spec.finalists` says. Without it a search with folds, whose trials leave no
model, trains its best one once more.

Such trainings are Trials like all others and run in batches like all others, outside of maxTrials and
inside maxDuration. Their numbers start above those of any search, so that a budget that is raised
meanwhile finds the numbers of its trials free. An edit of the budget that makes the search go on
is followed by final trainings of the new best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.searchjob_rules import MAX_SEARCHED
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.searches.pareto import compromise, front_of
from winnow_operator.domain.searches.standings import Standing, standing_of
from winnow_operator.domain.searches.winner import best_record, best_records


@dataclass(frozen=True, slots=True)
class FinalPlan:
    """What is trained again after the search."""

    count: int = 1
    """How many of the best trials."""
    repeats: int = 1
    """How often each of them."""
    names_winner: bool = False
    """Whether the winner is named from these trainings; else they only give its model."""


def final_plan(spec: SearchJobSpec) -> FinalPlan | None:
    """What is trained again after this search; None if nothing is."""
    if spec.finalists is not None:
        return FinalPlan(spec.finalists.count, spec.finalists.repeats, names_winner=True)
    return FinalPlan() if leaves_no_models(spec) else None


def leaves_no_models(spec: SearchJobSpec) -> bool:
    """Whether the trials of this search leave no model to keep."""
    return spec.task is not None and spec.task.evaluation.folds is not None


@dataclass(frozen=True, slots=True)
class Finalist:
    """A trial of the search and what has been trained again of it."""

    record: TrialRecord
    done: tuple[TrialRecord, ...]
    """Trainings that have succeeded."""
    begun: int
    """Trainings that were made, with an outcome or without."""


def finalists(ledger: Ledger, plan: FinalPlan) -> tuple[Finalist, ...]:
    """The best trials, the best first, none of which could not be trained again."""
    return tuple(_finalist(ledger, best) for best in best_records(ledger, plan.count))


def _finalist(ledger: Ledger, record: TrialRecord) -> Finalist:
    own = [f for f in ledger.finals.values() if f.final_of == record.number]
    done = tuple(f for f in own if f.outcome is Outcome.SUCCEEDED)
    return Finalist(record, done, len(own))


def missing_finals(ledger: Ledger, plan: FinalPlan) -> list[TrialRecord]:
    """The trials of the search to train again now, each as often as it is to be."""
    found = finalists(ledger, plan)
    return [f.record for f in found for _ in range(plan.repeats - f.begun)]


def are_whole(ledger: Ledger, plan: FinalPlan) -> bool:
    """Whether all that is to be trained again has been."""
    found = finalists(ledger, plan)
    return bool(found) and all(len(f.done) >= plan.repeats for f in found)


def standings(ledger: Ledger, plan: FinalPlan | None) -> tuple[Standing, ...]:
    """What the finalists have come to whose trainings are all there; the best of the search first."""
    if plan is None or not ledger.finals:
        return ()
    whole = (f for f in finalists(ledger, plan) if len(f.done) >= plan.repeats)
    return tuple(standing_of(f.record, f.done) for f in whole)


def leading(ledger: Ledger, plan: FinalPlan | None) -> Standing | None:
    """Who wins as things are: the best of the finalists, or else of the search.

    Of several objectives it is the best compromise of what no finalist beats. Where all finalists miss
    the constraints this time, it is the one that misses them least.
    """
    found = standings(ledger, plan)
    if not found:
        best = best_record(ledger)
        return None if best is None else standing_of(best, ())
    if plan is not None and not plan.names_winner:  # the search has named it: they give its model
        return replace(standing_of(found[0].record, ()), finals=found[0].finals)
    return _best_of(found, ledger)


def _best_of(found: Sequence[Standing], ledger: Ledger) -> Standing | None:
    least = min(standing.violation for standing in found)
    able = [standing for standing in found if standing.violation == least]
    if ledger.objectives:
        return compromise(front_of(able, ledger.objectives), ledger.objectives)
    return min(able, key=lambda s: (s.score if s.score is not None else float("inf"), s.number))


def final_number(ledger: Ledger) -> int:
    """The number of the next one."""
    return max(ledger.finals, default=MAX_SEARCHED) + 1
