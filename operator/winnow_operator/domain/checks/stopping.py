"""Whether early stopping can work: it compares one measure of quality, at rungs that trials reach."""

from __future__ import annotations

from collections.abc import Iterator

from winnow_contract.models.settings import SETTINGS
from winnow_operator.api.early_stopping import Resource
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.domain.checks.spaces import readable_dimensions
from winnow_operator.domain.checks.tasks import ends_of
from winnow_operator.domain.checks.trainer_facts import EXTRA_METRICS

EPOCHS = "epochs"


def check_early_stopping(spec: SearchJobSpec) -> Iterator[str]:
    """All about `spec.earlyStopping`."""
    if spec.early_stopping is None:
        return
    if len(spec.objectives) > 1:
        yield (
            f"spec.earlyStopping compares trials by one objective, and spec.objectives are "
            f"{len(spec.objectives)}: leave earlyStopping out, or keep one objective and limit the "
            "others in constraints"
        )
    if spec.task is None:
        return
    metric = spec.objectives[0].metric
    if metric in EXTRA_METRICS:
        yield (
            f"spec.earlyStopping compares trials while they train, and spec.objectives[0].metric is "
            f"{metric}, which is known at their end alone: use a metric of quality, or leave "
            "earlyStopping out"
        )
    yield from _check_rungs(spec)


def _check_rungs(spec: SearchJobSpec) -> Iterator[str]:
    """Some trial must train longer than to the first rung."""
    stopping = spec.early_stopping
    most = most_epochs(spec)
    if stopping is None or stopping.resource is Resource.STEPS or most is None:
        return
    if most <= stopping.minimum:
        yield (
            f"spec.earlyStopping.minimum is {stopping.minimum} and no trial trains longer than {most} "
            "epochs: the first rung must lie below that"
        )


def most_epochs(spec: SearchJobSpec) -> int | None:
    """The most epochs that a trial of the shared trainer has; None if that cannot be said."""
    if spec.task is None:
        return None
    family = str(spec.task.model.family)
    values = [end for d in readable_dimensions(spec) if d.name == EPOCHS for end in ends_of(d)]
    values += [s.value for s in spec.task.model.settings if s.name == EPOCHS]
    try:
        return max(map(int, values), default=int(SETTINGS[EPOCHS].default_of(family)))
    except (ValueError, OverflowError):
        return None  # check_task says so
