"""Chooses again on a compression that has ended, when its goals or prefer were edited: no pod runs.

The choice follows from the recorded Trials alone, which are read once for it.
"""

from __future__ import annotations

from typing import Any

from winnow_contract.measuring.metrics import METRICS
from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.domain.checks.compressions import check_choice
from winnow_operator.domain.compressions.status import (
    choose_from,
    chosen_again,
    not_chosen_again,
)
from winnow_operator.domain.job_conditions import JobSituation, holds
from winnow_operator.manifests.objects import Owner
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.jobcontext import Tools
from winnow_operator.reconcile.trialbook import read_ledger


async def choose_again(
    tools: Tools, body: dict[str, Any], job: CompressionJob, owner: Owner
) -> CompressionJobStatus:
    """The status that the edited spec calls for, after an Event has said what was chosen."""
    generation = int(body["metadata"].get("generation", 0))
    now, status = tools.clock.now(), job.status
    situation = JobSituation(spec=job.spec, generation=generation, previous=status, now=now)
    obstacle = _obstacle(job)
    if obstacle is None:
        ledger = await read_ledger(tools.gateway, owner)
        chosen = choose_from(job.spec, ledger, owner.trial_name)
        if chosen is not None:
            name, why = chosen.selected.candidate, chosen.choice.reason
            await tools.recorder.record(body, notes.chosen_again(name, why, generation))
            return chosen_again(status, chosen, situation)
        words = "the Trial of the baseline is gone, so that nothing can be compared with it"
        obstacle = Reason.NOT_CHOSEN, words
    reason, words = obstacle
    await tools.recorder.record(body, notes.not_chosen_again(reason, words, generation))
    return not_chosen_again(status, reason, words, situation)


def _obstacle(job: CompressionJob) -> tuple[Reason, str] | None:
    """Why nothing can be chosen, as far as the job itself shows."""
    if holds(job.status, ConditionType.FAILED):
        return Reason.NOT_CHOSEN, "the compression has failed, there is nothing to choose from"
    quality = METRICS.get(job.status.metric or "")
    complaints = check_choice(job.spec, kind=quality.kind if quality else "")
    return (Reason.INVALID_GOALS, "; ".join(complaints)) if complaints else None
