"""Has the candidates of a round measured by one pod, once all of them are built, and reads it.

all built --> Job --> pod with a result --> outcomes --> next round
              ^  |
              +--+ lost by nobody's fault
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from winnow_contract.assignments import ObjectiveSpec
from winnow_contract.measuring.measured import MeasurementResult
from winnow_contract.measuring.measurements import (
    Earlier,
    MeasuredModel,
    Measurement,
    encode_measurement,
)
from winnow_operator.api.conditions import Reason
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.batches import QUEUE_LABEL
from winnow_operator.domain.blockages import (
    LOOK_SECONDS,
    blockage_from_words,
    is_old,
    job_blockage,
    stuck_pods,
)
from winnow_operator.domain.compressions.chains import goals_of, prefer_of
from winnow_operator.domain.compressions.choosing import measured_of, values_of
from winnow_operator.domain.compressions.measured_outcomes import MeasuredRound, measured_outcomes
from winnow_operator.domain.compressions.measuring import (
    Lost,
    MeasurementFact,
    covers,
    find_measured,
    lost_too_often,
)
from winnow_operator.domain.compressions.rounds import BASELINE_NUMBER
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.pods import MEASUREMENT, Blockage, PodFact
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.searches.outcomes import MAX_ATTEMPTS
from winnow_operator.errors import (
    AlreadyExistsError,
    ForbiddenError,
    InvalidSpecError,
    RefusedError,
)
from winnow_operator.kube.resources import JOBS
from winnow_operator.manifests.jobs import PodSettings, measurement_job
from winnow_operator.reconcile.compressions.building import CompressionContext
from winnow_operator.reconcile.explaining import latest_event, tell_of
from winnow_operator.reconcile.finishing import expire
from winnow_operator.reconcile.jobcontext import Step
from winnow_operator.reconcile.observing import see_ended_pods
from winnow_operator.reconcile.queries import of_batches
from winnow_operator.reconcile.recording import record_outcomes
from winnow_operator.reconcile.starting import delete_jobs

COMMAND = ("python", "-m", "winnow_measure")
WAIT_SECONDS = 1.0
"""How soon to look again whether a Job that is being deleted is gone."""


async def read_measurements(context: CompressionContext, step: Step) -> Ending | None:
    """Record what the measurement of the current round has found; gives why the job must end."""
    waiting = built_numbers(context)
    job = current_measurement(context, step)
    if job is None or job.deleting or not waiting:
        return None
    finding = find_measured(job, _pods(context))
    if isinstance(finding, Lost):
        # The watch may not have brought the pod yet.
        await see_ended_pods(
            context, of_batches(context.owner.kind, context.owner.name, [job.name])
        )
        finding = find_measured(job, _pods(context))
    if isinstance(finding, MeasurementResult):
        if covers(finding, waiting):
            return await _record(context, job, finding)
        finding = Lost()  # a candidate was built again after it was measured
    if isinstance(finding, Lost):
        return await _measure_again(context, job)
    return finding


def built_numbers(context: CompressionContext) -> list[int]:
    """Numbers of the candidates that wait for their measurement."""
    records = context.state.ledger.records
    return sorted(n for n in context.state.ledger.active if records[n].is_built)


def current_measurement(context: CompressionContext, step: Step) -> MeasurementFact | None:
    """The Job that measures the current round, if there is one."""
    return next((m for m in step.measurements if m.number == context.round), None)


def _pods(context: CompressionContext) -> list[PodFact]:
    pods = context.tools.pods
    return pods.pods(context.key, context.owner.uid, component=MEASUREMENT)


async def _record(
    context: CompressionContext, job: MeasurementFact, result: MeasurementResult
) -> Ending | None:
    ledger = context.state.ledger
    baseline = next((c for c in result.candidates if c.number == BASELINE_NUMBER), None)
    if baseline is None or (baseline.outcome != Outcome.SUCCEEDED and job.number > 1):
        why = "" if baseline is None else f": {baseline.cause}: {baseline.message}"
        words = f"round {job.number} gave no figures of the baseline{why}"
        return Ending(Reason.MEASUREMENT_FAILED, words, failed=True)
    measured = MeasuredRound(
        number=job.number,
        objective=context.origin.objective,
        artifacts_uri=context.artifacts_uri,
        names={n: context.owner.trial_name(n) for n in ledger.active},
    )
    outcomes = measured_outcomes(result, ledger, measured)
    await record_outcomes(context, outcomes)
    context.state.lost_measurements = 0
    return None


async def _measure_again(context: CompressionContext, job: MeasurementFact) -> Ending | None:
    state = context.state
    state.lost_measurements += 1
    if state.lost_measurements >= MAX_ATTEMPTS:
        return lost_too_often(state.lost_measurements)
    await delete_jobs(context, [job.name])
    return None


async def measure(context: CompressionContext, step: Step) -> Step:
    """Make the measurement Job of the round, once nothing of it is left to build."""
    if step.blockage is not None or not _is_due(context):
        return step
    job = current_measurement(context, step)
    if job is None:
        return await _start(context, step)
    if job.deleting:
        return replace(step, look_again=WAIT_SECONDS)
    if job.suspended and QUEUE_LABEL not in context.owner.labels:
        change = {"spec": {"suspend": False}}
        await context.gateway.merge(JOBS, context.owner.namespace, job.name, change)
    return await _explain(context, step, job)


def is_measuring(context: CompressionContext) -> bool:
    """Whether all candidates of the round are built, so that they are being measured."""
    return _is_due(context)


def _is_due(context: CompressionContext) -> bool:
    ledger, index = context.state.ledger, context.round
    if index is None or ledger.open or not built_numbers(context):
        return False
    missing = [n for n in context.rounds.numbers(index) if n not in ledger.records]
    return not missing or context.state.exhausted


async def _start(context: CompressionContext, step: Step) -> Step:
    index = context.round
    assert index is not None  # noqa: S101 -- there are candidates to measure
    earlier = [m.name for m in step.measurements if not m.deleting]
    if earlier:  # their outcomes are recorded
        await delete_jobs(context, earlier)
    text = encode_measurement(measurement_of(context, index))
    manifest = measurement_job(context.owner, index, text, measuring_pod(context))
    try:
        await context.gateway.create(JOBS, context.owner.namespace, manifest)
    except ForbiddenError as error:
        refusal = Blockage(blockage_from_words(str(error)).reason, str(error))
        await tell_of(context, refusal)
        return replace(step, blockage=refusal, look_again=LOOK_SECONDS)
    except AlreadyExistsError:
        return replace(step, look_again=WAIT_SECONDS)  # one that is being deleted, or a lost answer
    except RefusedError as error:
        raise _invalid(error) from error
    return replace(step, active_pods=step.active_pods + 1)


def _invalid(error: RefusedError) -> InvalidSpecError:
    words = str(error).replace("spec.template.", "spec.podTemplate.")
    return InvalidSpecError(
        f"spec.measurement.resources or podTemplate makes no valid pod: {words}"
    )


async def check_measurable(context: CompressionContext, step: Step) -> None:
    """Let the API server check the measuring pod before anything is built.

    Raises:
        InvalidSpecError: if it refuses it.
    """
    if context.state.ledger.records or step.batches or context.state.checked:
        return
    manifest = measurement_job(context.owner, 1, "{}", measuring_pod(context))
    try:
        await context.gateway.create(JOBS, context.owner.namespace, manifest, dry_run=True)
    except RefusedError as error:
        raise _invalid(error) from error
    except (ForbiddenError, AlreadyExistsError):
        return  # a quota that is spent now, or an earlier one that is being removed


def measuring_pod(context: CompressionContext) -> PodSettings:
    """The pod that measures: the server's image with the resources of serving."""
    spec, pinned = context.job.spec, context.job.status.server_image
    threads = str(spec.measurement.threads)
    return PodSettings(
        image=pinned or context.tools.settings.server_image,
        command=COMMAND,
        artifacts_uri=context.artifacts_uri,
        template=spec.pod_template,
        resources=spec.measurement.resources or {"requests": {"cpu": threads}},
        retries=spec.budget.retries_per_trial,
    )


def measurement_of(context: CompressionContext, index: int) -> Measurement:
    """What the pod of a round measures, and how."""
    spec, records = context.job.spec, context.state.ledger.records
    objective = context.origin.objective
    recorded = measured_of(context.state.ledger).get(BASELINE_NUMBER)
    others = [n for n in built_numbers(context) if n != BASELINE_NUMBER]
    return Measurement(
        job=context.identity,
        round=index,
        baseline=_model(context, records[BASELINE_NUMBER]),
        candidates=tuple(_model(context, records[n]) for n in others),
        objective=ObjectiveSpec(objective.metric, str(objective.goal)),
        batch_sizes=spec.measurement.batch_sizes,
        threads=spec.measurement.threads,
        repetitions=spec.measurement.repetitions,
        goals=goals_of(spec),
        prefer=prefer_of(spec),
        earlier=tuple(_earlier(context)),
        recorded=None if recorded is None else recorded.values,
        recorded_round=1 if recorded is None else recorded.round,
    )


def _model(context: CompressionContext, record: TrialRecord) -> MeasuredModel:
    artifact = record.status.artifact if record.status else None
    assert artifact is not None  # noqa: S101 -- it is built
    return MeasuredModel(
        number=record.number,
        name=context.owner.trial_name(record.number),
        candidate=record.candidate.name if record.candidate else "",
        uri=artifact.uri,
        digest=artifact.digest.removeprefix("sha256:"),
    )


def _earlier(context: CompressionContext) -> Sequence[Earlier]:
    records = sorted(context.state.ledger.finished(), key=lambda record: record.number)
    return [_entry(context, record) for record in records if record.number != BASELINE_NUMBER]


def _entry(context: CompressionContext, record: TrialRecord) -> Earlier:
    status = record.status or TrialStatus()
    artifact = status.artifact
    return Earlier(
        number=record.number,
        name=context.owner.trial_name(record.number),
        candidate=record.candidate.name if record.candidate else "",
        round=status.round or 0,
        outcome=str(record.outcome),
        cause=record.cause,
        message=record.message,
        uri="" if artifact is None else artifact.uri,
        digest="" if artifact is None else artifact.digest.removeprefix("sha256:"),
        values=values_of(status.values) or None,
        baseline=values_of(status.baseline) or None,
    )


async def _explain(context: CompressionContext, step: Step, job: MeasurementFact) -> Step:
    """The step with what keeps the measuring pod from starting."""
    now = context.tools.clock.now()
    live = [p for p in _pods(context) if p.batch_uid == job.uid and not p.is_terminal]
    blockage = job_blockage(live, now=now)
    if blockage is None and not live and job.is_live and is_old(job.created, now):
        blockage = await _told(context, "Job", job.name)
    if blockage is None and (stuck := stuck_pods(live, now=now)):
        blockage = await _told(context, "Pod", stuck[0].name)
    if blockage is not None:
        await tell_of(context, blockage)
    waiting = blockage is not None or any(p.is_waiting for p in live) or not live
    return replace(
        step,
        blockage=blockage,
        active_pods=step.active_pods + len(live),
        look_again=LOOK_SECONDS if waiting else step.look_again,
    )


async def _told(context: CompressionContext, kind: str, name: str) -> Blockage | None:
    event = await latest_event(context, kind, name)
    if event.warning:
        return blockage_from_words(event.warning)
    return Blockage(Reason.PULLING_IMAGE, event.message) if event.reason == "Pulling" else None


def server_image(context: CompressionContext) -> str | None:
    """The image of the measuring pods, by digest as soon as a node has resolved it."""
    pinned, state = context.job.status.server_image, context.state
    if pinned and "@sha256:" in pinned:
        return pinned
    if not state.server_image:
        state.server_image = next((p.image for p in _pods(context) if p.image), "")
    return state.server_image or pinned


async def end_measurements(context: CompressionContext, step: Step) -> None:
    """Stop a measurement that goes on; let an ended pod stay for a while."""
    ended = {pod.batch_uid for pod in _pods(context) if pod.phase == "Succeeded"}
    here = [m for m in step.measurements if not m.deleting]
    running = [m for m in here if m.is_live and m.uid not in ended]
    if running:
        await delete_jobs(context, [m.name for m in running])
    await expire(context, (m for m in here if m not in running))
