"""The winner of a search, read from its Trial only when another one has become the best."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import FinalistStanding, ParetoTrial, Winner
from winnow_operator.api.trial import TrialStatus
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.searches.finals import final_plan, leading, standings
from winnow_operator.domain.searches.standings import Standing, mean_values
from winnow_operator.domain.searches.status import values_of
from winnow_operator.domain.searches.winner import best_record, shown_front, winner_of
from winnow_operator.domain.searches.winner_words import said_of
from winnow_operator.errors import NotFoundError
from winnow_operator.kube.resources import TRIALS
from winnow_operator.reconcile.searches.searching import SearchContext


def known_winner(context: SearchContext) -> Winner | None:
    """The best trial so far, if the status names it already; nothing is read for it."""
    best, previous = leading_of(context), context.job.status.winner
    if best is None or previous is None:
        return None
    kept_name = None if best.kept is None else context.owner.trial_name(best.kept.number)
    if previous.trial != context.owner.trial_name(best.number):
        return None
    if previous.final_trial != kept_name:
        return None
    said = said_of(context.state.ledger, context.job.spec, best)
    return previous.model_copy(update=asdict(said))


async def winner_so_far(context: SearchContext) -> Winner | None:
    """The best trial so far, as its Trials say."""
    best = leading_of(context)
    if best is None:
        return None
    try:
        body = await _read(context, best.record)
        finals = [await _read(context, final) for final in best.finals]
    except NotFoundError:
        context.state.stale = True
        return None
    status = TrialStatus.model_validate(body.get("status") or {})
    said = said_of(context.state.ledger, context.job.spec, best)
    winner = winner_of(body, status, said.warning, said.reason, _kept(best, finals))
    plan = final_plan(context.job.spec)
    if not finals or plan is None or not plan.names_winner:
        return winner
    trained = [TrialStatus.model_validate(f.get("status") or {}).values for f in finals]
    return winner.model_copy(update={"values": mean_values(trained)})


def leading_of(context: SearchContext) -> Standing | None:
    """Who wins as things are."""
    return leading(context.state.ledger, final_plan(context.job.spec))


def _kept(best: Standing, finals: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The Trial whose model is kept, where the winner was trained again."""
    numbers = [final.number for final in best.finals]
    return None if best.kept is None else finals[numbers.index(best.kept.number)]


def finalists_of(context: SearchContext) -> tuple[FinalistStanding, ...]:
    """The finalists as a status shows them, where they name the winner."""
    spec, plan = context.job.spec, final_plan(context.job.spec)
    if plan is None or not plan.names_winner:
        return ()
    return tuple(
        FinalistStanding(
            trial=context.owner.trial_name(standing.number),
            values=values_of(standing, spec),
            standard_error=None
            if standing.standard_error is None
            else decimal_text(standing.standard_error),
            trainings=len(standing.finals),
        )
        for standing in standings(context.state.ledger, plan)
    )


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
