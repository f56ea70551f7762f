"""Names that last: the API group, labels and annotations; `domain.kinds` has those of jobs.

Everything else in the operator takes these from here, so that a name is written once.
"""

from __future__ import annotations

GROUP = "winnow.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FIELD_MANAGER = "winnow"

LABEL_BATCH = f"{GROUP}/batch"
LABEL_MODELSERVER = f"{GROUP}/modelserver"
LABEL_REVISION = f"{GROUP}/revision"
"""On what serves one revision of a model: its number."""
LABEL_PROBE = f"{GROUP}/probe"
"""On what compares a canary with the revision that serves: the name of their ModelServer."""
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = f"{LABEL_MANAGED_BY}=winnow"
"""Selects everything that the operator makes."""

ANNOTATION_ASSIGNMENTS = f"{GROUP}/assignments"
"""On a pod template: the assignment file (JSON, at most 16 KB) for the downward API."""
ANNOTATION_TRIALS = f"{GROUP}/trials"
"""On a pod template: the numbers of the Job's trials in index order, as intervals (`1-8,12`)."""
ANNOTATION_TRIALS_PER_POD = f"{GROUP}/trials-per-pod"
"""On a pod template: how many of the Job's trials one index runs."""
ANNOTATION_PODS_PER_TRIAL = f"{GROUP}/pods-per-trial"
"""On a pod template: over how many indexes the folds of each trial are spread."""
ANNOTATION_ATTEMPTS = f"{GROUP}/previous-attempts"
"""On a pod template: runs of the Job's trials in earlier batches (`7:2,9:1`), for those that run again."""

MAX_JOB_NAME = 40


def standard_labels(*, instance: str, component: str) -> dict[str, str]:
    """The recommended labels that stand on everything the operator makes."""
    return {
        "app.kubernetes.io/name": "winnow",
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "winnow",
        LABEL_MANAGED_BY: "winnow",
    }
