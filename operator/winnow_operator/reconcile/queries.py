"""Label selectors of what belongs to a job."""

from __future__ import annotations

from collections.abc import Iterable

from winnow_operator.api.names import LABEL_BATCH
from winnow_operator.domain.kinds import Kind


def of_job(kind: Kind, name: str) -> str:
    """Everything that was made for this job, or for a namesake before it."""
    return f"{kind.label}={name}"


def of_jobs(kind: Kind, names: Iterable[str]) -> str:
    """Everything that was made for any of these jobs, or for namesakes before them."""
    return f"{kind.label} in ({','.join(names)})"


def of_cluster_job(name: str) -> str:
    """The pods of a Job, as the Job controller marks them."""
    return f"batch.kubernetes.io/job-name={name}"


def of_batches(kind: Kind, job: str, batches: Iterable[str]) -> str:
    """Everything that was made for some batches of a job."""
    return f"{kind.label}={job},{LABEL_BATCH} in ({','.join(batches)})"
