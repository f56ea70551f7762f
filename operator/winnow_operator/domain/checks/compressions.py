"""Whether a CompressionJob can work at all: sentences about all that admission could not see.

The chain covers what CEL cannot reach (most orders of steps, contradicting goals, what stands in
podTemplate) and, once more, what it can, because a job may have come in under an older CRD or
without rules. A job with any complaint ends as InvalidSpec before it starts a pod. Once the source
is known, its family and kind of task are held against steps and goals too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.choosing.goals import MAX_BATCH_SIZE, MAX_GOALS, check_goals
from winnow_contract.steps.chains import check_candidate_name, check_chain
from winnow_contract.uris import UriError, parse_claim
from winnow_operator.api.compressionjob import CompressionJobSpec, SourceModel
from winnow_operator.api.task import DataKind, Task
from winnow_operator.domain.checks.pod_templates import check_pod_template, check_resources
from winnow_operator.domain.checks.searches import durations_in_range, one_line, storage_is_a_claim
from winnow_operator.domain.checks.tasks import check_fixed_task
from winnow_operator.domain.checks.trainer_facts import BUILTIN
from winnow_operator.domain.compressions.chains import goal_documents, step_documents

__all__ = ["CHAIN", "Subject", "check_choice", "check_compression", "kind_of_task"]

_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Subject:
    """A spec, and what is known of the source."""

    spec: CompressionJobSpec
    family: str = ""
    """Model family; empty if it is not known."""
    kind: str = ""
    """Classification or Regression; empty if it is not known."""


Check = Callable[[Subject], Iterator[str]]


def check_compression(spec: CompressionJobSpec, *, family: str = "", kind: str = "") -> list[str]:
    """All that is wrong with a spec, a sentence each; empty if the job can run.

    Args:
        spec: what the user asks for.
        family: model family of the source; without it, that of `spec.task`.
        kind: Classification or Regression; without it, that of `spec.task`, if it says it.
    """
    task = spec.task
    known = Subject(
        spec,
        family=family or (str(task.model.family) if task else ""),
        kind=kind or (kind_of_task(task) if task else ""),
    )
    return [one_line(sentence) for check in CHAIN for sentence in check(known)]


def check_choice(spec: CompressionJobSpec, *, kind: str = "") -> list[str]:
    """What is wrong with goals and prefer alone, which may be edited when a job has ended."""
    return [one_line(sentence) for sentence in goals_can_hold(Subject(spec, kind=kind))]


def kind_of_task(task: Task) -> str:
    """Classification or Regression, or empty where only the data shows it."""
    if task.data.kind is not DataKind.AUTO:
        return str(task.data.kind)
    builtin = BUILTIN.get(task.data.uri.removeprefix("builtin://"))
    return str(builtin.kind) if builtin else ""


def source_is_named(subject: Subject) -> Iterator[str]:
    """A SearchJob, or an artifact with its digest."""
    model = subject.spec.model
    if (model.search_job is None) == (model.uri is None):
        given = "both are given" if model.uri is not None else "neither is given"
        yield (
            f"spec.model: {given} of searchJob and uri; give the name of a SearchJob, or uri and "
            "digest of an artifact"
        )
    if (model.uri is None) != (model.digest is None):
        yield (
            f"spec.model: uri and digest belong together, only "
            f"{'digest' if model.uri is None else 'uri'} is given"
        )
    yield from _uri_is_a_folder(model)


def _uri_is_a_folder(model: SourceModel) -> Iterator[str]:
    if model.uri is None:
        return
    try:
        claim = parse_claim(model.uri)
    except UriError as error:
        yield f"spec.model.uri: {error}"
        return
    if not claim.path:
        yield (
            f"spec.model.uri is {model.uri}, which names no folder: write pvc://CLAIM/PATH of an "
            "artifact"
        )


def something_is_made(subject: Subject) -> Iterator[str]:
    """Named candidates, or auto."""
    spec = subject.spec
    if spec.auto is None and not spec.candidates:
        yield (
            "spec.candidates is empty and spec.auto is missing: name chains of steps, or give "
            "auto to have them written"
        )
    if spec.auto is not None and spec.auto.max_candidates < len(spec.candidates):
        yield (
            f"spec.auto.maxCandidates is {spec.auto.max_candidates}, there are "
            f"{len(spec.candidates)} candidates by name, which count too: make it at least as many"
        )


def names_differ(subject: Subject) -> Iterator[str]:
    """Each candidate has a name of its own."""
    names = [candidate.name for candidate in subject.spec.candidates]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.candidates names {name} more than once: give each a name of its own"
    for index, name in enumerate(names):
        yield from (f"spec.candidates[{index}]: {f}" for f in check_candidate_name(name))


def chains_can_run(subject: Subject) -> Iterator[str]:
    """Options, order, and whether the family has what a step is about."""
    for candidate in subject.spec.candidates:
        faults = check_chain(step_documents(candidate), subject.family)
        yield from (f"candidate {candidate.name}: {fault}" for fault in faults)


def goals_can_hold(subject: Subject) -> Iterator[str]:
    """Goals and prefer name what is measured, and do not contradict each other."""
    spec = subject.spec
    documents, prefer = goal_documents(spec), spec.prefer
    sizes = spec.measurement.batch_sizes
    if sizes:
        faults = check_goals(documents, prefer, sizes, subject.kind)
        yield from (f"spec.{fault}" for fault in faults)
    for name, count in (("goals", len(documents)), ("prefer", len(prefer))):
        if count > MAX_GOALS:
            yield f"spec.{name} has {count} entries, allowed are at most {MAX_GOALS}"


def measurement_fits(subject: Subject) -> Iterator[str]:
    """Batch sizes, and a pod that has the processors for its threads."""
    measurement = subject.spec.measurement
    for size in measurement.batch_sizes:
        if not 1 <= size <= MAX_BATCH_SIZE or measurement.batch_sizes.count(size) > 1:
            yield (
                f"spec.measurement.batchSizes has {size}, allowed are whole numbers from 1 to "
                f"{MAX_BATCH_SIZE}, each once"
            )
    if not measurement.batch_sizes:
        yield "spec.measurement.batchSizes is empty, one is needed"
    resources = measurement.resources or {}
    path = "spec.measurement.resources"
    for name in resources:
        if name not in {"requests", "limits"}:
            yield f"{path}.{name} is not allowed, allowed are requests, limits"
    faults = list(check_resources(resources, path))
    yield from faults
    if not faults:
        yield from _threads_have_processors(resources, measurement.threads)


def _threads_have_processors(resources: Mapping[str, Any], threads: int) -> Iterator[str]:
    amount = (resources.get("limits") or {}).get("cpu")
    processors = None if amount is None else _processors(str(amount))
    if processors is not None and processors < threads:
        yield (
            f"spec.measurement.threads is {threads}, spec.measurement.resources.limits.cpu is "
            f"{amount}: threads that wait for a processor are measured as slow; make the limit "
            f"{threads}, or threads less"
        )


def _processors(amount: str) -> float | None:
    try:
        return float(amount[:-1]) / _MILLI if amount.endswith("m") else float(amount)
    except ValueError:  # an amount in another unit; the API server knows what it is
        return None


def task_can_be_done(subject: Subject) -> Iterator[str]:
    """The task, where one is given."""
    if subject.spec.task is not None:
        yield from check_fixed_task(subject.spec.task)


def job_can_run(subject: Subject) -> Iterator[str]:
    """What all kinds of jobs have in common."""
    yield from durations_in_range(subject.spec)
    yield from storage_is_a_claim(subject.spec)
    yield from check_pod_template(subject.spec)


CHAIN: tuple[Check, ...] = (
    source_is_named,
    something_is_made,
    names_differ,
    chains_can_run,  # options, order, family
    goals_can_hold,  # metrics, bounds, contradictions
    measurement_fits,
    task_can_be_done,
    job_can_run,  # durations, storage, pod template
)
