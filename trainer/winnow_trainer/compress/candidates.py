"""The life of one candidate: open the source, run its chain of steps, export, measure, keep.

The counterpart of `winnow_trainer.trials` for a CompressionJob. What is wrong with the source or
its data is wrong for all candidates and ends the job; what goes wrong in a chain fails that
candidate alone. How the models are served is measured later, by a pod without torch.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import replace
from datetime import UTC, datetime

from winnow_contract.assignments import TrialAssignment
from winnow_contract.log import say
from winnow_contract.pod import Pod
from winnow_contract.results import TrialResult
from winnow_measure.quality import quality_metrics
from winnow_trainer.artifacts import commit_artifact
from winnow_trainer.bench import Bench, Quality, lay_out, without_errors
from winnow_trainer.compress.artifact import Candidate
from winnow_trainer.compress.chain import Chained, check_steps, run_chain
from winnow_trainer.compress.delivery import deliver
from winnow_trainer.compress.origin import Origin, rebuild
from winnow_trainer.compress.source import SourceArtifact, check_splits
from winnow_trainer.compress.workshop import Work, Workshop
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.determinism import seed_everything
from winnow_trainer.errors import TaskError
from winnow_trainer.isolation import check_size, run_alone
from winnow_trainer.progress import Limits, TrialWatch
from winnow_trainer.resources import memory_limit_bytes, reset_peak_memory
from winnow_trainer.training import Part, outputs_of


def set_up(
    pod: Pod, source: SourceArtifact, dataset: Dataset, stop: threading.Event
) -> tuple[Bench, Origin]:
    """Split the data as it was for the source, and build the source's model.

    Raises:
        SourceError: if its weights are damaged.
        TaskError: if the splits are others, or the objective is no quality metric.
        DataError: if a split would be empty.
    """
    bench = lay_out(pod, source.task, dataset, stop)
    check_splits(source, bench.splits)
    known = quality_metrics(dataset.kind)
    if bench.objective not in known:
        raise TaskError(
            f"objective {bench.objective!r} is not a quality of {dataset.kind.lower()}, by which "
            f"the best epochs are kept, allowed: {', '.join(known)}"
        )
    origin = rebuild(source, bench.train.targets.device)
    say(f"{source.name}: {bench.task.family} of {origin.work.model.parameter_count} parameters")
    return bench, origin


def run_candidate(origin: Origin, bench: Bench, assignment: TrialAssignment) -> TrialResult:
    """Build one candidate to its outcome; only what ends the whole pod is raised.

    Raises:
        StorageError, DeniedError: if the artifact cannot be written.
        Stopping: when SIGTERM has come.
    """
    return run_alone(bench, assignment, lambda: _build_and_save(origin, bench, assignment))


def _build_and_save(origin: Origin, bench: Bench, assignment: TrialAssignment) -> TrialResult:
    check_steps(assignment.steps, bench.task.family)
    if assignment.steps:
        check_size(origin.work.architecture, memory_limit_bytes(), "compress a smaller source")
    seed_everything(assignment.seed)
    reset_peak_memory()
    limits = Limits(seconds=bench.seconds_per_trial)
    watch = TrialWatch(assignment.name, bench.objective, bench.page, bench.stop, limits=limits)
    workshop = Workshop(
        bench.train,
        bench.validation,
        bench.dataset.kind,
        bench.objective,
        origin.settings,
        assignment.seed,
        watch,
    )
    chained = run_chain(origin.work, assignment.steps, workshop, watch)
    candidate = _measured(origin, bench, assignment, chained)
    values = {**candidate.validation, **without_errors(candidate.metrics)}
    folder = bench.pod.environment.artifacts
    result = bench.pod.judge(assignment.number, values, candidate.test, None)
    if folder is None or result.outcome != "Succeeded":
        return result
    watch.before_batch()  # the last moment at which a stop leaves nothing half done
    manifest = candidate.manifest(datetime.now(UTC).isoformat(timespec="seconds"))
    committed = commit_artifact(
        folder / assignment.name / bench.pod.environment.attempt,
        candidate.files(manifest),
        manifest,
    )
    return bench.pod.judge(assignment.number, values, candidate.test, committed)


def _measured(
    origin: Origin, bench: Bench, assignment: TrialAssignment, chained: Chained
) -> Candidate:
    validation, test = (_quality(bench, chained, part) for part in (bench.validation, bench.test))
    # A copy: of the baseline it is the source itself, which the next candidate needs on the device.
    model = copy.deepcopy(chained.work.model).cpu().eval()
    delivery = chained.integers or deliver(model, bench.validation.features)
    chained = replace(chained, work=Work(model, chained.work.architecture))
    return Candidate(bench, origin, assignment, chained, delivery, validation, test)


def _quality(bench: Bench, chained: Chained, part: Part) -> Quality:
    if chained.integers is None:
        return bench.quality(chained.work.model, part)
    return bench.judge(outputs_of(chained.integers.run, part.features.cpu()), part)
