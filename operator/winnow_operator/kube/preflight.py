"""What stands in the way of the first watch: CRDs that are missing or old, rights, no API server.

Asked before a replica tries to lead, since kopf would only say so in a traceback, or, where a CRD
is missing, watch nothing and stay silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from winnow_operator.errors import (
    ForbiddenError,
    KubernetesError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from winnow_operator.kube.resources import Resource

RETRY_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """A resource that is watched, and the selectors of the API server that narrow it."""

    resource: Resource
    labels: str = ""
    fields: str = ""


class Lists(Protocol):
    """What the preflight needs of the gateway."""

    async def list(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        at_most: int | None = None,
    ) -> list[dict[str, Any]]:
        """Objects that match."""
        ...


async def wait_until_watchable(
    gateway: Lists,
    watches: Sequence[Watch],
    namespaces: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """Wait until nothing stands in the way; `say` is told what does, and "" at the end."""
    said = ""
    while words := await obstacles(gateway, watches, namespaces):
        say(words)
        if words != said:
            logger.warning(
                "cannot watch yet", extra={"error": words, "retry_seconds": RETRY_SECONDS}
            )
        said = words
        await asyncio.sleep(RETRY_SECONDS)
    say("")


async def obstacles(gateway: Lists, watches: Sequence[Watch], namespaces: Sequence[str]) -> str:
    """What stands in the way now, in sentences; empty if nothing does."""
    found: dict[str, None] = {}  # a set that keeps the order
    for namespace in namespaces or ("",):
        for watch in watches:
            try:
                await gateway.list(
                    watch.resource, namespace, labels=watch.labels, fields=watch.fields, at_most=1
                )
            except UnavailableError as error:
                return str(error)  # the rest would say the same
            except KubernetesError as error:
                found[_sentence(watch.resource, namespace, error)] = None
    return "; ".join(found)


def _sentence(resource: Resource, namespace: str, error: KubernetesError) -> str:
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    if isinstance(error, ForbiddenError):
        return f"no right to list {resource} {where}: bind the role of the chart ({error})"
    if isinstance(error, NotFoundError):
        return f"the API server knows no {resource}: apply crds/ of this release"
    if isinstance(error, RefusedError):
        return f"the CRD {resource} is of another release: apply crds/ of this release ({error})"
    return str(error)
