"""The winner of a search, chosen on validation values alone; the test split is never read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from heapq import nsmallest
from typing import Any

from winnow_operator.api.searchjob import MAX_PARETO, Winner
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.ledger import Ledger, TrialRecord, rank
from winnow_operator.domain.searches.pareto import by_compromise, compromise, front_of, scores_of


def best_record(ledger: Ledger) -> TrialRecord | None:
    """The succeeded trial with the lowest score; of equal ones the one suggested first.

    One that could not be trained once more has no model to keep, so the next best takes its place.
    """
    lost = _lost(ledger)
    if ledger.objectives:
        return compromise(_front_without(ledger, lost), ledger.objectives)
    if not lost:
        return next(iter(ledger.leaders), None)
    return min(_able(ledger, lost), key=rank, default=None)


def best_records(ledger: Ledger, count: int) -> list[TrialRecord]:
    """The best few, the best first; of several objectives those of the Pareto set."""
    if count == 1:
        best = best_record(ledger)
        return [] if best is None else [best]
    lost = _lost(ledger)
    if ledger.objectives:
        front = _front_without(ledger, lost)
        return by_compromise(front, ledger.objectives)[:count]
    return nsmallest(count, _able(ledger, lost), key=rank)


def _lost(ledger: Ledger) -> set[int]:
    """Trials that could not be trained once more."""
    ends = {Outcome.FAILED, Outcome.STOPPED}
    return {final.final_of for final in ledger.finals.values() if final.outcome in ends}


def _able(ledger: Ledger, lost: Collection[int]) -> Iterator[TrialRecord]:
    able = (r for r in ledger.finished() if r.can_win and r.score is not None)
    return (r for r in able if r.number not in lost)


def _front_without(ledger: Ledger, lost: Collection[int]) -> tuple[TrialRecord, ...]:
    if not lost:
        return ledger.front
    left = (r for r in ledger.finished() if r.can_win and r.number not in lost)
    return front_of(sorted(left, key=lambda r: r.number), ledger.objectives)


def shown_front(ledger: Ledger, winner: TrialRecord | None) -> list[TrialRecord]:
    """The Pareto set as far as a status may hold it, the best in the first objective first.

    Of a larger one: both ends, some evenly between them, and the winner.
    """
    ordered = sorted(ledger.front, key=lambda r: (scores_of(r, ledger.objectives), r.number))
    last = len(ordered) - 1
    if last < MAX_PARETO:
        return ordered
    kept = {round(i * last / (MAX_PARETO - 1)) for i in range(MAX_PARETO)}
    place = next((i for i, r in enumerate(ordered) if r is winner), 0)
    if place not in kept:
        kept.remove(min(kept - {0, last}, key=lambda i: abs(i - place)))
        kept.add(place)
    return [ordered[i] for i in sorted(kept)]


def runner_up(ledger: Ledger, winner: TrialRecord) -> TrialRecord | None:
    """The best succeeded trial beside the winner."""
    return next((r for r in ledger.leaders if r.number != winner.number), None)


def margin_warning(ledger: Ledger, winner: TrialRecord, metric: str) -> str | None:
    """A sentence when the winner's lead is below one standard error, else None.

    The larger error of the two counts: a perfect score on a small split has an error of 0, which
    says nothing. Without any, only a lead of nothing is worth a sentence.
    """
    second = runner_up(ledger, winner)
    if second is None or second.score is None or winner.score is None:
        return None
    margin = second.score - winner.score
    error = max(winner.standard_error or 0.0, second.standard_error or 0.0)
    if margin > 0 and margin >= error:
        return None
    if not error:
        return f"trial number {second.number} has the same {metric}; the one suggested first won"
    return (
        f"the lead over trial number {second.number} is {margin:.4g} {metric}, less than one "
        f"standard error ({error:.4g}): the two cannot be told apart on this "
        "validation split"
    )


def winner_of(
    body: dict[str, Any],
    status: TrialStatus,
    warning: str | None,
    reason: str | None = None,
    final: dict[str, Any] | None = None,
) -> Winner:
    """The status field of a winner.

    Args:
        body: its Trial as the API server holds it.
        status: of that Trial.
        warning: what the user should know of it.
        reason: why it is this one, where there are several objectives.
        final: the Trial that trained it once more, whose model is the one to keep.
    """
    kept = status if final is None else TrialStatus.model_validate(final.get("status") or {})
    return Winner.model_validate(
        {
            "trial": body["metadata"]["name"],
            "parameters": body["spec"].get("parameters", ()),
            "values": status.values,
            "final_trial": None if final is None else final["metadata"]["name"],
            "test": kept.test,
            "artifact": kept.artifact,
            "warning": warning,
            "reason": reason,
        }
    )
