"""The operator's exception tree; every error that crosses a module is one of these.

WinnowError
├── SettingsError         (in `settings`) a variable cannot be used: the process ends with 2
├── PortError             (in `health`) a port is taken: the process ends with 1
├── InvalidSpecError      the user's document cannot work: a condition, never a retry
├── NoAnswerError         Prometheus did not answer: nothing is known (raised in `metrics` only)
└── KubernetesError       the API server said no (raised in `kube` only)
    ├── NotFoundError         404
    ├── AlreadyExistsError    409 on a create
    ├── ConflictError         409 on an update: observe again
    ├── RefusedError          422 or 400: this document will never be accepted
    ├── ForbiddenError        403: a quota, or a permission that is missing
    ├── UnavailableError      429, 5xx, no connection: try again later
    └── FencedError           this replica no longer leads and must not write
"""

from __future__ import annotations


class WinnowError(Exception):
    """Base of all errors that the operator raises itself."""


class InvalidSpecError(WinnowError):
    """The user's document cannot work; the message is a sentence for the user."""


class NoAnswerError(WinnowError):
    """Prometheus did not answer a query; the message says why."""


class KubernetesError(WinnowError):
    """The API server refused or did not answer a call."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(KubernetesError):
    """The object does not exist."""


class AlreadyExistsError(KubernetesError):
    """An object of that name exists already."""


class ConflictError(KubernetesError):
    """The object changed since it was read."""


class RefusedError(KubernetesError):
    """The API server will never accept this document."""


class ForbiddenError(KubernetesError):
    """Not allowed: a quota is spent, an admission rule refuses, or RBAC lacks a verb."""


class UnavailableError(KubernetesError):
    """The API server did not answer, or asked to come back later."""


class FencedError(KubernetesError):
    """This replica lost the Lease; it must not write any more."""
