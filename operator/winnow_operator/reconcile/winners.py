"""The winner of a search, read from its Trial only when another one has become the best."""

from __future__ import annotations

from winnow_operator.api.searchjob import Winner
from winnow_operator.api.trial import TrialStatus
from winnow_operator.domain.winner import best_record, margin_warning, winner_of
from winnow_operator.errors import NotFoundError
from winnow_operator.kube.resources import TRIALS
from winnow_operator.reconcile.searching import SearchContext


def known_winner(context: SearchContext) -> Winner | None:
    """The best trial so far, if the status names it already; nothing is read for it."""
    best, previous = best_record(context.state.ledger), context.job.status.winner
    if best is None or previous is None:
        return None
    if previous.trial != context.owner.trial_name(best.number):
        return None
    metric = context.job.spec.objectives[0].metric
    warning = margin_warning(context.state.ledger, best, metric)
    return previous.model_copy(update={"warning": warning})


async def winner_so_far(context: SearchContext) -> Winner | None:
    """The best trial so far, as its Trial says."""
    best = best_record(context.state.ledger)
    if best is None:
        return None
    name = context.owner.trial_name(best.number)
    try:
        body = await context.gateway.get(TRIALS, context.owner.namespace, name)
    except NotFoundError:
        context.state.stale = True
        return None
    metric = context.job.spec.objectives[0].metric
    status = TrialStatus.model_validate(body.get("status") or {})
    return winner_of(body, status, margin_warning(context.state.ledger, best, metric))
