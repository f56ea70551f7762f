"""What all kinds of bounded jobs have in common, as far as batches, status and time need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from winnow_operator.api.conditions import Condition


class JobBudget(Protocol):
    """How much a job may spend."""

    @property
    def parallelism(self) -> int:
        """Pods at one time."""
        ...

    @property
    def max_failed_trials(self) -> int:
        """The job fails once more trials than this have failed."""
        ...

    @property
    def max_duration(self) -> str | None:
        """Unsuspended time from the first batch."""
        ...

    @property
    def max_trial_duration(self) -> str | None:
        """Time of one trial."""
        ...

    @property
    def retries_per_trial(self) -> int:
        """How often a pod that crashed is started again."""
        ...


class JobStorage(Protocol):
    """Where artifacts are written."""

    @property
    def uri(self) -> str:
        """`pvc://CLAIM/PATH`."""
        ...


class JobSpec(Protocol):
    """What the user asks for."""

    @property
    def budget(self) -> JobBudget:
        """How much may be spent."""
        ...

    @property
    def suspend(self) -> bool:
        """Whether no pod may run."""
        ...

    @property
    def storage(self) -> JobStorage | None:
        """Where artifacts go, if the user says."""
        ...

    @property
    def pod_template(self) -> Mapping[str, Any] | None:
        """Fields that are laid over the pods."""
        ...

    @property
    def ttl_seconds_after_finished(self) -> int | None:
        """How long the job stays after its end."""
        ...


class JobStatus(Protocol):
    """What has come of it so far."""

    @property
    def observed_generation(self) -> int:
        """Generation of the spec that it speaks of."""
        ...

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All known conditions."""
        ...

    @property
    def start_time(self) -> str | None:
        """When the first batch was made."""
        ...

    @property
    def completion_time(self) -> str | None:
        """When the job ended."""
        ...

    @property
    def suspended_seconds(self) -> int:
        """Time spent suspended since the first batch, up to the last resume."""
        ...

    @property
    def trainer_image(self) -> str | None:
        """The image of the trials' pods."""
        ...

    @property
    def pod_template_hash(self) -> str | None:
        """Hash of the pod template at the first batch."""
        ...


class Job(Protocol):
    """A bounded job."""

    @property
    def spec(self) -> JobSpec:
        """What the user asks for."""
        ...

    @property
    def status(self) -> JobStatus:
        """What has come of it so far."""
        ...
