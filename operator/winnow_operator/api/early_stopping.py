"""When trials that are not worth going on are stopped, as a SearchJob says it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from winnow_operator.api.fields import ApiModel


class StoppingAlgorithm(StrEnum):
    """Rules by which trials are stopped."""

    ASHA = "ASHA"
    MEDIAN = "Median"


class Resource(StrEnum):
    """What training is counted in."""

    EPOCHS = "Epochs"
    STEPS = "Steps"


class EarlyStopping(ApiModel):
    """Stops trials at rungs: minimum, minimum * eta, minimum * eta^2 and so on, as far as a trial goes."""

    algorithm: StoppingAlgorithm = StoppingAlgorithm.ASHA
    """ASHA (at a rung the best 1/eta of those that have reached it go on), or Median (a trial stops
    whose best so far is worse than the median of the others' means so far)."""
    resource: Resource = Resource.EPOCHS
    """Epochs, or Steps of the optimizer; a program of your own counts the steps that it reports."""
    minimum: int = Field(default=1, ge=1, le=1_000_000)
    """The first rung: nothing is stopped before it."""
    eta: int = Field(default=3, ge=2, le=10)
    """Each rung is so many times the one before."""
    min_trials: int = Field(default=3, ge=2, le=1000)
    """Nothing is stopped at a rung that fewer trials have reached."""


class RungProgress(ApiModel):
    """Trials that run on after a rung."""

    rung: int = Field(ge=1)
    """Epochs or steps."""
    passed: str = Field(max_length=8192)
    """Numbers of the trials that were let go on at this rung, and were not decided at a later one
    (`3-5,8`)."""
