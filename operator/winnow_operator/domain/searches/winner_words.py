"""What is said of a winner that its Trial does not say: why it is this one, and what one should know.

The words speak of what has named it: of its final trainings where finalists name the winner, else
of the search, also where the winner was trained once more for its model.
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.searches.finals import final_plan, standings
from winnow_operator.domain.searches.outcome_constraints import describe
from winnow_operator.domain.searches.pareto import front_of, reason_of
from winnow_operator.domain.searches.standings import Standing, close_finish
from winnow_operator.domain.searches.winner import margin_warning


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences of the status."""

    warning: str | None = None
    """What should be known of the winner."""
    reason: str | None = None
    """Why it is this one, where there are several objectives."""


def said_of(ledger: Ledger, spec: SearchJobSpec, best: Standing) -> Said:
    """What is said of who wins as things are."""
    plan, objectives = final_plan(spec), spec.objectives
    is_named_by_finals = bool(best.finals) and plan is not None and plan.names_winner
    found = standings(ledger, plan) if is_named_by_finals else ()
    missed = _missed(spec, best) if is_named_by_finals else None
    if len(objectives) > 1:
        if found:
            return Said(missed, reason_of(front_of(found, objectives), best, objectives))
        return Said(None, reason_of(ledger.front, best.record, objectives))
    if len(found) > 1:
        return Said(missed or close_finish(found, best, objectives[0].metric))
    return Said(missed or margin_warning(ledger, best.record, objectives[0].metric))


def _missed(spec: SearchJobSpec, best: Standing) -> str | None:
    """A sentence where a finalist has missed constraints that it kept in the search."""
    if not best.violation:
        return None
    limits = describe(spec.constraints)
    return f"trained again, it misses spec.constraints ({limits}), as do all other finalists"
