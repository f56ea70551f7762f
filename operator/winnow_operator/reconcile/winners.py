"""The winner of a search, read from its Trial only when another one has become the best."""

from __future__ import annotations

from typing import Any

from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import ParetoTrial, Winner
from winnow_operator.api.trial import TrialStatus
from winnow_operator.domain.finals import final_of
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.pareto import reason_of
from winnow_operator.domain.winner import best_record, margin_warning, shown_front, winner_of
from winnow_operator.errors import NotFoundError
from winnow_operator.kube.resources import TRIALS
from winnow_operator.reconcile.searching import SearchContext


def known_winner(context: SearchContext) -> Winner | None:
    """The best trial so far, if the status names it already; nothing is read for it."""
    best, previous = best_record(context.state.ledger), context.job.status.winner
    if best is None or previous is None:
        return None
    final = final_of(context.state.ledger, best)
    final_name = None if final is None else context.owner.trial_name(final.number)
    if previous.trial != context.owner.trial_name(best.number):
        return None
    if previous.final_trial != final_name:
        return None
    return previous.model_copy(update=_said_of(context, best))


async def winner_so_far(context: SearchContext) -> Winner | None:
    """The best trial so far, as its Trial says."""
    best = best_record(context.state.ledger)
    if best is None:
        return None
    final = final_of(context.state.ledger, best)
    try:
        body = await _read(context, best)
        final_body = None if final is None else await _read(context, final)
    except NotFoundError:
        context.state.stale = True
        return None
    status, said = TrialStatus.model_validate(body.get("status") or {}), _said_of(context, best)
    return winner_of(body, status, said["warning"], said["reason"], final_body)


def _said_of(context: SearchContext, best: TrialRecord) -> dict[str, str | None]:
    """What is said of a winner that its Trial does not say."""
    ledger, objectives = context.state.ledger, context.job.spec.objectives
    if len(objectives) > 1:
        return {"warning": None, "reason": reason_of(ledger.front, best, objectives)}
    return {"warning": margin_warning(ledger, best, objectives[0].metric), "reason": None}


def pareto_of(context: SearchContext) -> tuple[ParetoTrial, ...]:
    """The Pareto set as a status shows it; empty with one objective."""
    ledger = context.state.ledger
    return tuple(
        ParetoTrial(
            trial=context.owner.trial_name(record.number),
            values=tuple(decimal_text(v) for v in record.values[: len(ledger.objectives)]),
        )
        for record in shown_front(ledger, best_record(ledger))
    )


async def _read(context: SearchContext, record: TrialRecord) -> dict[str, Any]:
    name = context.owner.trial_name(record.number)
    return await context.gateway.get(TRIALS, context.owner.namespace, name)
