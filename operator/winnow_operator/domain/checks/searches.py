"""Whether a SearchJob can work at all: sentences about all that admission could not see.

The chain covers what CEL cannot reach (settings of a family, sums, what stands in podTemplate)
and, once more, what it can, because a job may have come in under an older CRD or without rules.
A job with any complaint ends as InvalidSpec before it starts a pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from winnow_contract.uris import UriError, parse_claim
from winnow_operator.api.algorithms import WITH_SEVERAL_OBJECTIVES, those_that_can
from winnow_operator.api.fields import DURATION_EXAMPLE, duration_seconds
from winnow_operator.api.searchjob import AlgorithmName, SearchJobSpec
from winnow_operator.api.searchjob_rules import (
    MAX_DURATION_HOURS,
    MAX_PACKED_CONSTRAINED,
    MAX_PACKED_WITH_SEVERAL,
    MAX_SEARCHED,
)
from winnow_operator.api.spread_rules import MAX_PACKED_TESTED
from winnow_operator.domain.checks.architectures import check_architecture
from winnow_operator.domain.checks.pod_templates import check_pod_template
from winnow_operator.domain.checks.spaces import (
    check_choices,
    check_conditions,
    check_grid,
    check_limits,
    check_parameters,
)
from winnow_operator.domain.checks.starts import check_start, check_warm_start
from winnow_operator.domain.checks.stopping import check_early_stopping
from winnow_operator.domain.checks.tasks import check_task
from winnow_operator.domain.jobs import JobSpec
from winnow_operator.domain.searches.finals import final_plan

Check = Callable[[SearchJobSpec], Iterator[str]]

_YEAR_SECONDS = MAX_DURATION_HOURS * 3600


def check_spec(spec: SearchJobSpec) -> list[str]:
    """All that is wrong with a spec, a sentence each; empty if the job can run."""
    return [one_line(sentence) for check in CHAIN for sentence in check(spec)]


def one_line(sentence: str) -> str:
    """A sentence as it fits a condition: what a user wrote may hold anything, a message is one line."""
    return "".join(char if char.isprintable() else "?" for char in sentence)


def one_kind_of_work(spec: SearchJobSpec) -> Iterator[str]:
    """A task or an image of the user's own, not both."""
    if (spec.task is None) == (spec.trial is None):
        given = "both are given" if spec.task is not None else "neither is given"
        yield (
            f"spec.task and spec.trial: {given}; give task to train with the shared trainer "
            "image, or trial to run an image of your own"
        )


def trials_have_an_end(spec: SearchJobSpec) -> Iterator[str]:
    """Only a Grid ends by itself."""
    name = spec.algorithm.name
    if spec.budget.max_trials is None and name is not AlgorithmName.GRID:
        yield (
            f"spec.budget.maxTrials is missing, algorithm {name} needs it, a whole number from 1 "
            "to 99999: only a Grid ends by itself"
        )


def objectives_fit(spec: SearchJobSpec) -> Iterator[str]:
    """The algorithm takes so many objectives, and so do the results of its pods."""
    count, name = len(spec.objectives), spec.algorithm.name
    if count == 1:
        return
    metrics = [objective.metric for objective in spec.objectives]
    for metric in sorted({m for m in metrics if metrics.count(m) > 1}):
        yield f"spec.objectives names {metric} more than once: keep one"
    if name not in WITH_SEVERAL_OBJECTIVES:
        yield (
            f"spec.objectives are {count}, and algorithm {name} takes one: use "
            f"{those_that_can(WITH_SEVERAL_OBJECTIVES)}"
        )
    if spec.trials_per_pod > MAX_PACKED_WITH_SEVERAL:
        yield (
            f"spec.trialsPerPod is {spec.trials_per_pod}, with {count} objectives it must be at most "
            f"{MAX_PACKED_WITH_SEVERAL}: the result of a pod holds 4096 bytes"
        )


def constraints_can_hold(spec: SearchJobSpec) -> Iterator[str]:
    """Each constraint has a limit, and all of them fit into the results of a pod."""
    metrics = [constraint.metric for constraint in spec.constraints]
    for metric in sorted({m for m in metrics if metrics.count(m) > 1}):
        yield f"spec.constraints names {metric} more than once: keep one"
    for constraint in spec.constraints:
        low, high = constraint.min, constraint.max
        if low is None and high is None:
            yield (
                f"spec.constraints: the constraint on {constraint.metric} has no limit: give min, max "
                "or both"
            )
        elif low is not None and high is not None and float(low) > float(high):
            yield f"spec.constraints: min is {low}, it must be at most max, {high}"
    if metrics and spec.trials_per_pod > MAX_PACKED_CONSTRAINED:
        yield (
            f"spec.trialsPerPod is {spec.trials_per_pod}, with constraints it must be at most "
            f"{MAX_PACKED_CONSTRAINED}: the result of a pod holds 4096 bytes"
        )


def room_for_finals(spec: SearchJobSpec) -> Iterator[str]:
    """What trains the winner once more has numbers of its own."""
    limit = spec.budget.max_trials
    if limit is not None and limit > MAX_SEARCHED and final_plan(spec) is not None:
        yield (
            f"spec.budget.maxTrials is {limit}, with evaluation.folds or finalists it must be at most "
            f"{MAX_SEARCHED}: the numbers above are for what is trained once more"
        )


def folds_can_be_spread(spec: SearchJobSpec) -> Iterator[str]:
    """A pod that runs a part of a trial runs nothing else, and to its end."""
    evaluation = None if spec.task is None else spec.task.evaluation
    if evaluation is not None and evaluation.paired_test is not None:
        yield from _folds_can_be_tested(spec)
    if evaluation is None or evaluation.folds_per_pod is None:
        return
    if spec.trials_per_pod > 1:
        yield (
            f"spec.trialsPerPod is {spec.trials_per_pod}, with evaluation.foldsPerPod it must be 1: a "
            "pod runs a part of a trial"
        )
    if spec.early_stopping is not None:
        yield (
            "spec.earlyStopping must be left out with evaluation.foldsPerPod: pods of a trial do not "
            "know of each other"
        )


def _folds_can_be_tested(spec: SearchJobSpec) -> Iterator[str]:
    if spec.trials_per_pod > MAX_PACKED_TESTED:
        yield (
            f"spec.trialsPerPod is {spec.trials_per_pod}, with evaluation.pairedTest it must be at most "
            f"{MAX_PACKED_TESTED}: the result of a pod holds 4096 bytes"
        )
    if len(spec.objectives) > 1:
        yield (
            f"spec.objectives are {len(spec.objectives)}, and evaluation.pairedTest takes one: leave it "
            "out, or keep one of them"
        )


def durations_in_range(spec: JobSpec) -> Iterator[str]:
    """Limits of time are more than nothing and no more than a year."""
    limits = {
        "maxDuration": spec.budget.max_duration,
        "maxTrialDuration": spec.budget.max_trial_duration,
    }
    for name, text in limits.items():
        if text is not None and not 1 <= duration_seconds(text) <= _YEAR_SECONDS:
            yield (
                f"spec.budget.{name} is {text}, allowed are durations from 1s to "
                f"{MAX_DURATION_HOURS}h, such as {DURATION_EXAMPLE}"
            )


def storage_is_a_claim(spec: JobSpec) -> Iterator[str]:
    """Artifacts go to a path inside a claim."""
    if spec.storage is None:
        return
    try:
        parse_claim(spec.storage.uri)
    except UriError as error:
        yield f"spec.storage.uri: {error}"


CHAIN: tuple[Check, ...] = (
    one_kind_of_work,
    check_architecture,  # nets, and that there is something to search
    check_task,  # family, settings, data, split, metric
    check_parameters,  # each dimension by itself
    check_grid,  # algorithm and space together
    check_choices,  # the same
    check_limits,  # constraints between parameters
    check_conditions,  # what belongs to some trials only
    check_start,  # points to begin with
    check_warm_start,  # searches to learn from
    check_early_stopping,  # objective and rungs
    trials_have_an_end,
    objectives_fit,
    constraints_can_hold,
    room_for_finals,
    folds_can_be_spread,
    durations_in_range,
    storage_is_a_claim,
    check_pod_template,
)
