"""The step `distill`: a network learns from its teacher's outputs, parameters, or both.

The teacher is the source of the job. The student is the model of the chain so far, or a smaller
network of the same family. Beside it a twin is trained in the same way (start, batches, epochs,
seed) on plain cross-entropy alone, and beside a student that starts from its teacher stands one
that starts at random: what a transfer is worth is the difference, whichever sign it has.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from winnow_contract.models.settings import SettingError
from winnow_trainer.architectures import (
    Architecture,
    Model,
    count_parameters,
    student_of,
    student_with,
)
from winnow_trainer.compress.distilling.lessons import answers_of, lesson
from winnow_trainer.compress.distilling.students import inherit, random_student
from winnow_trainer.compress.pruning.masks import held, masks_of, zero_share
from winnow_trainer.compress.workshop import Made, Work, Workshop
from winnow_trainer.determinism import seed_everything
from winnow_trainer.errors import TrialError
from winnow_trainer.task import DataKind

OUTPUTS, PARAMETERS = "Outputs", "Parameters"


def distil(work: Work, teacher: Work, options: Mapping[str, Any], workshop: Workshop) -> Made:
    """Distil as a resolved step says.

    Args:
        work: what the chain has made so far, the student where the step names none; it stays as
            it is.
        teacher: the source of the job.
        options: transfer, student, temperature, alpha, epochs and learningRate.
        workshop: data, settings and seed.

    Raises:
        TrialError: if there is no such student, or a loss is not finite.
        Stopping: when the watch says so.
    """
    metric, transfer = workshop.metric, options["transfer"]
    start, report = _start(work, teacher, options, workshop)
    values = {"teacher": workshop.quality(teacher.model), "initial": workshop.quality(start.model)}
    twin = copy.deepcopy(start.model) if OUTPUTS in transfer else None
    _learn(start.model, teacher.model, options, workshop)
    values["after"] = workshop.quality(start.model)
    if twin is not None:
        _learn(twin, None, options, workshop)
        values["twin"] = workshop.quality(twin)
    report = {
        **{f"{name}_{metric}": value for name, (value, _) in values.items()},
        "standardError": values["after"][1],
        "parameters": {
            "teacher": teacher.model.parameter_count,
            "student": start.model.parameter_count,
        },
        **report,
    }
    report["sentences"] = list(_sentences(report, options, workshop))
    is_smaller = options["student"] is not None
    claims = {"smallerThanParent": is_smaller, "masked": zero_share(masks_of(start.model)) > 0}
    return Made(start.model, start.architecture, report, claims)


def _start(
    work: Work, teacher: Work, options: Mapping[str, Any], workshop: Workshop
) -> tuple[Work, dict[str, Any]]:
    """The student before its first step, and what there is to say about it."""
    if options["student"] is None:
        return Work(copy.deepcopy(work.model), work.architecture), {}
    architecture = student_architecture(teacher, options["student"])
    features = workshop.training.features
    seed_everything(workshop.seed)
    student = Model(architecture).to(features.device)
    random = random_student(teacher.model, copy.deepcopy(student), features)
    if PARAMETERS not in options["transfer"]:
        return Work(random, architecture), {}
    pair = (teacher.model, teacher.architecture), (student, architecture)
    try:
        got = inherit(*pair, workshop.evidence(teacher.model))
    except SettingError as error:
        raise TrialError("BadParameters", f"distill.student: {error}") from error
    control = workshop.quality(random)[0]
    return Work(got.student, architecture), {
        f"initial_random_{workshop.metric}": control,
        "layers": [{"layer": mine, "from": theirs} for mine, theirs in got.taken.items()],
        "randomLayers": list(got.left),
    }


def student_architecture(teacher: Work, student: Mapping[str, Any]) -> Architecture:
    """The student that a step names, by shares of the teacher or by settings of its own.

    Raises:
        TrialError: if the family has no such network, or it is not smaller than the teacher.
    """
    try:
        if "settings" in student:
            given = {setting["name"]: setting["value"] for setting in student["settings"]}
            architecture = student_with(teacher.architecture, given)
        else:
            architecture = student_of(teacher.architecture, student["width"], student["depth"])
    except SettingError as error:
        raise TrialError("BadParameters", f"distill.student: {error}") from error
    size, most = count_parameters(architecture), teacher.model.parameter_count
    if size >= most:
        raise TrialError(
            "BadParameters",
            f"distill.student has {size:.10g} parameters, its teacher {most}: make it smaller",
        )
    return architecture


def _learn(
    student: Model, teacher: Model | None, options: Mapping[str, Any], workshop: Workshop
) -> None:
    """Train a student in place, with its teacher if the step says so; a mask is kept."""
    taught = None
    if teacher is not None and OUTPUTS in options["transfer"]:
        taught = lesson(
            student,
            workshop.settings,
            answers_of(teacher, workshop.training.features),
            temperature=options["temperature"],
            alpha=options["alpha"],
        )
    with held(student, masks_of(student)):
        workshop.retrain(student, options["epochs"], options["learningRate"], taught)


def _sentences(
    report: Mapping[str, Any], options: Mapping[str, Any], workshop: Workshop
) -> Iterator[str]:
    metric = workshop.metric
    after = report[f"after_{metric}"]
    if f"twin_{metric}" in report:
        twin = report[f"twin_{metric}"]
        yield (
            f"Taught by its teacher {metric} is {after:.4g}; the twin that learnt the targets "
            f"alone, from the same start in the same {options['epochs']} epochs, has {twin:.4g}."
        )
        if workshop.kind is DataKind.REGRESSION:
            yield "Values have no temperature: the student learns the teacher's values as they are."
    if f"initial_random_{metric}" in report:
        yield (
            f"Before the first training step {metric} was {report[f'initial_{metric}']:.4g} with "
            f"the teacher's parameters and {report[f'initial_random_{metric}']:.4g} with random "
            "ones."
        )
    if report.get("randomLayers"):
        yield (
            f"{', '.join(report['randomLayers'])} started at random: the sizes do not allow a copy."
        )
