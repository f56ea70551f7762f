"""The one gateway to the API server: all reads and all writes of the operator.

It speaks plain JSON documents, translates every refusal into the operator's own errors, counts
calls, and writes only while this replica leads. It never retries: the queue does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient
from typing_extensions import override

from winnow_operator.api.names import FIELD_MANAGER
from winnow_operator.errors import (
    AlreadyExistsError,
    ConflictError,
    FencedError,
    ForbiddenError,
    KubernetesError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from winnow_operator.kube.apply_text import CONTENT, apply_text
from winnow_operator.kube.resources import Resource
from winnow_operator.metrics.own import API_REQUESTS, API_SECONDS

PAGE = 500
"""Objects per page of a list."""

TIMEOUT_SECONDS = 30.0
"""How long one call may take before the API server counts as away."""

USER_AGENT = "winnow-operator"

DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}
"""Strict: without it, the API server drops a field that it does not know, and says nothing."""

Body = dict[str, Any]
Bodies = list[Body]


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the API server."""

    method: str
    resource: Resource
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Body | bytes | None = None
    content: str = "application/json"

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Fence(Protocol):
    """Says whether this replica may write."""

    def seconds_left(self) -> float:
        """How long a write that starts now may take at most; 0 if none may start."""
        ...


class Gateway:
    """Reads and writes documents on the API server."""

    def __init__(self, client: ApiClient, fence: Fence) -> None:
        self._client = client
        self._fence = fence

    async def get(self, resource: Resource, namespace: str, name: str) -> Body:
        """One object.

        Raises:
            NotFoundError: if it does not exist.
        """
        return await self._send(Call("GET", resource, resource.path(namespace, name)))

    async def list(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        at_most: int | None = None,
    ) -> list[Body]:
        """Objects that match the selectors, read page by page; of all namespaces if none is given.

        `at_most` ends the list early, for who wants to know only whether there is one.
        """
        size = min(at_most or PAGE, PAGE)
        found: list[Body] = []
        async for page in self.pages(resource, namespace, labels=labels, fields=fields, size=size):
            found += page
            if at_most is not None and len(found) >= at_most:
                break
        return found

    async def pages(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        size: int = PAGE,
    ) -> AsyncIterator[Bodies]:
        """The same list, a page at a time: for who keeps little of many objects."""
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(size)}
        given = {key: value for key, value in query.items() if value}
        call, token = Call("GET", resource, resource.path(namespace), given), ""
        while True:
            more = {"continue": token} if token else {}
            page = await self._send(replace(call, query={**call.query, **more}))
            yield page.get("items") or []
            token = (page.get("metadata") or {}).get("continue", "")
            if not token:
                return

    async def create(
        self, resource: Resource, namespace: str, body: Body, *, dry_run: bool = False
    ) -> Body:
        """Make an object.

        Raises:
            AlreadyExistsError: if one of that name exists.
            RefusedError: if the document is not acceptable.
            ForbiddenError: if a quota is spent or an admission rule refuses.
        """
        query = DRY_RUN if dry_run else {}
        return await self._write(Call("POST", resource, resource.path(namespace), query, body))

    async def apply(self, resource: Resource, namespace: str, body: Body) -> Body:
        """Server-side apply of a whole object: what it lacks and was applied before is removed.

        Raises:
            RefusedError: if the document is not acceptable.
            ForbiddenError: if a quota is spent or an admission rule refuses.
        """
        path = resource.path(namespace, body["metadata"]["name"])
        return await self._write(_apply(resource, path, body))

    async def apply_status(self, resource: Resource, namespace: str, body: Body) -> Body:
        """Server-side apply of the status: all the fields that the operator has an opinion on."""
        path = resource.path(namespace, body["metadata"]["name"], "status")
        return await self._write(_apply(resource, path, body))

    async def merge(self, resource: Resource, namespace: str, name: str, body: Body) -> Body:
        """Merge some fields into an object."""
        path = resource.path(namespace, name)
        content = "application/merge-patch+json"
        return await self._write(Call("PATCH", resource, path, {}, body, content))

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str = "") -> None:
        """Delete an object in the background; one that is gone already is fine."""
        options: Body = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            path = resource.path(namespace, name)
            await self._write(Call("DELETE", resource, path, body=options))
        except (NotFoundError, ConflictError):
            return  # gone, or already another object of the same name

    async def delete_all(self, resource: Resource, namespace: str, *, labels: str) -> None:
        """Delete all objects that match a label selector, in one call."""
        query = {"labelSelector": labels}
        options: Body = {"propagationPolicy": "Background"}
        await self._write(Call("DELETE", resource, resource.path(namespace), query, options))

    async def replace_unfenced(self, resource: Resource, namespace: str, body: Body) -> Body:
        """Replace an object that must not have changed since it was read; only the Lease itself.

        Raises:
            ConflictError: if it has changed.
        """
        path = resource.path(namespace, body["metadata"]["name"])
        return await self._send(Call("PUT", resource, path, body=body))

    async def create_unfenced(self, resource: Resource, namespace: str, body: Body) -> Body:
        """Make an object without leading; only the Lease itself is made so."""
        return await self._send(Call("POST", resource, resource.path(namespace), body=body))

    async def _write(self, call: Call) -> Body:
        left = self._fence.seconds_left()
        if left <= 0:
            raise FencedError("this replica no longer holds the Lease and must not write")
        return await self._send(call, seconds=min(left, TIMEOUT_SECONDS))

    async def _send(self, call: Call, *, seconds: float = TIMEOUT_SECONDS) -> Body:
        try:
            with API_SECONDS.labels(call.method).time():
                status, data = await self._exchange(call, seconds)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            API_REQUESTS.labels(call.method, call.resource.plural, "none").inc()
            words = str(error) or type(error).__name__
            raise UnavailableError(f"{call}: no answer ({words})") from error
        API_REQUESTS.labels(call.method, call.resource.plural, str(status)).inc()
        if status >= 400:  # noqa: PLR2004 -- where HTTP's errors begin
            raise error_of(call, status, data)
        answer = _parsed(data)
        if not answer:
            raise UnavailableError(f"{call}: the answer is no JSON object: {data[:100]!r}")
        return answer

    async def _exchange(self, call: Call, seconds: float) -> tuple[int, bytes]:
        query = f"?{urlencode(call.query)}" if call.query else ""
        headers = {
            "Accept": "application/json",
            "Content-Type": call.content,
            "User-Agent": USER_AGENT,
        }
        # The token is read anew where its file says so.
        auth = ["BearerToken"]
        await self._client.update_params_for_auth(headers, [], auth, call.path, call.method, None)
        response = await self._client.call_api(
            call.method,
            f"{self._client.configuration.host}{call.path}{query}",
            headers,
            body=call.body,
            _request_timeout=aiohttp.ClientTimeout(total=seconds),
        )
        return response.status, await response.read()  # type: ignore[no-untyped-call]


def _apply(resource: Resource, path: str, body: Body) -> Call:
    query = {"fieldManager": FIELD_MANAGER, "force": "true"}
    return Call("PATCH", resource, path, query, apply_text(body), CONTENT)


def error_of(call: Call, status: int, data: bytes) -> KubernetesError:
    """What a refusal of the API server is to the operator."""
    answer = _parsed(data)
    words = answer.get("message") or data[:300].decode(errors="replace")
    kind = _error_class(call.method, status, str(answer.get("reason", "")))
    return kind(f"{call}: {words}", status=status)


def _parsed(data: bytes) -> Body:
    try:
        answer = json.loads(data)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


_ERRORS: Mapping[int, type[KubernetesError]] = {
    400: RefusedError,
    401: UnavailableError,  # the token is being rotated
    403: ForbiddenError,
    404: NotFoundError,
    408: UnavailableError,
    410: UnavailableError,  # a list took too long to read on: it starts again
    422: RefusedError,
    429: UnavailableError,
}


def _error_class(method: str, status: int, reason: str) -> type[KubernetesError]:
    if status == 409:  # noqa: PLR2004 -- HTTP names its answers by number
        exists = method == "POST" and reason == "AlreadyExists"
        return AlreadyExistsError if exists else ConflictError
    other = UnavailableError if status >= 500 else KubernetesError  # noqa: PLR2004 -- same
    return _ERRORS.get(status, other)
