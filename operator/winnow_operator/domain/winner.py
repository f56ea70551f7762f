"""The winner of a search, chosen on validation values alone; the test split is never read."""

from __future__ import annotations

from typing import Any

from winnow_operator.api.searchjob import Winner
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.ledger import Ledger, TrialRecord, rank


def best_record(ledger: Ledger) -> TrialRecord | None:
    """The succeeded trial with the lowest score; of equal ones the one suggested first.

    One that could not be trained once more has no model to keep, so the next best takes its place.
    """
    lost = {final.final_of for final in ledger.finals.values() if final.outcome is Outcome.FAILED}
    if not lost:
        return next(iter(ledger.leaders), None)
    succeeded = (r for r in ledger.finished() if r.outcome is Outcome.SUCCEEDED)
    ranked = (r for r in succeeded if r.score is not None and r.number not in lost)
    return min((r for r in ranked if not r.final_of), key=rank, default=None)


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
    final: dict[str, Any] | None = None,
) -> Winner:
    """The status field of a winner.

    Args:
        body: its Trial as the API server holds it.
        status: of that Trial.
        warning: what the user should know of it.
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
        }
    )
