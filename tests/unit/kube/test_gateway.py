"""The gateway over real HTTP: errors in the operator's words, pages, timeouts, the fence.

The server here knows nothing of Kubernetes; what it says is what an API server was seen to say.
tests/integration/test_gateway.py asks a real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration
from prometheus_client import REGISTRY

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
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.resources import JOBS, LEASES, PODS, SEARCHJOBS, TRIALS

BODY = {"metadata": {"name": "a"}}


@dataclass
class Server:
    """Answers with what it was given, and remembers what it was asked."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hang: bool = False

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.query), await request.text()))
        self.headers.append(dict(request.headers))
        if self.hang:
            await asyncio.Event().wait()
        status, answer = self.answers.pop(0) if self.answers else (200, BODY)
        if isinstance(answer, str):
            return web.Response(status=status, text=answer)
        return web.json_response(answer, status=status)


@dataclass
class Fence:
    left: float = 30.0

    def seconds_left(self) -> float:
        return self.left


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def fence() -> Fence:
    return Fence()


@pytest.fixture
async def gateway(server: Server, fence: Fence) -> AsyncIterator[Gateway]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ApiClient(Configuration(host=host, api_key={"BearerToken": "Bearer t"})) as client:
        yield Gateway(client, fence)
    await runner.cleanup()


def status(code: int, reason: str, message: str = "no") -> tuple[int, Any]:
    return code, {"kind": "Status", "code": code, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", RefusedError),
        (401, "Unauthorized", UnavailableError),
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotFoundError),
        (409, "AlreadyExists", AlreadyExistsError),
        (409, "Conflict", ConflictError),
        (410, "Expired", UnavailableError),
        (415, "UnsupportedMediaType", KubernetesError),
        (422, "Invalid", RefusedError),
        (429, "TooManyRequests", UnavailableError),
        (500, "InternalError", UnavailableError),
        (504, "Timeout", UnavailableError),
    ],
)
async def test_a_refusal_is_the_operators_own_error_in_the_servers_words(
    gateway: Gateway, server: Server, code: int, reason: str, expected: type[KubernetesError]
) -> None:
    server.answers = [status(code, reason, "jobs.batch is not possible")]

    with pytest.raises(KubernetesError) as caught:
        await gateway.create(JOBS, "blue", BODY)

    assert type(caught.value) is expected
    assert caught.value.status == code
    assert str(caught.value) == (
        "POST /apis/batch/v1/namespaces/blue/jobs: jobs.batch is not possible"
    )


async def test_a_conflict_of_an_apply_is_never_taken_for_an_object_that_exists(
    gateway: Gateway, server: Server
) -> None:
    server.answers = [status(409, "AlreadyExists")]

    with pytest.raises(ConflictError):
        await gateway.apply_status(TRIALS, "blue", BODY)


@pytest.mark.parametrize("answer", ["<html>bad gateway</html>", "[]", ""])
async def test_an_answer_that_is_no_json_object_counts_as_no_answer(
    gateway: Gateway, server: Server, answer: str
) -> None:
    server.answers = [(200, answer)]

    with pytest.raises(UnavailableError, match="no JSON object"):
        await gateway.get(PODS, "blue", "a")


async def test_a_refusal_without_json_keeps_its_words(gateway: Gateway, server: Server) -> None:
    server.answers = [(502, "the load balancer says no")]

    with pytest.raises(UnavailableError, match="the load balancer says no"):
        await gateway.get(PODS, "blue", "a")


async def test_a_server_that_is_away_is_unavailable_in_one_line() -> None:
    async with ApiClient(Configuration(host="http://127.0.0.1:9")) as client:
        with pytest.raises(UnavailableError) as caught:
            await Gateway(client, Fence()).get(PODS, "blue", "a")

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("GET /api/v1/namespaces/blue/pods/a: no answer (")


async def test_a_write_that_hangs_ends_before_the_lease_may_expire(
    gateway: Gateway, server: Server, fence: Fence
) -> None:
    server.hang, fence.left = True, 0.2

    async with asyncio.timeout(5):
        with pytest.raises(UnavailableError, match="no answer"):
            await gateway.create(JOBS, "blue", BODY)


async def test_a_list_is_read_page_by_page_with_the_selectors_on_each(
    gateway: Gateway, server: Server
) -> None:
    server.answers = [
        (200, {"items": [{"n": 1}, {"n": 2}], "metadata": {"continue": "t+/="}}),
        (200, {"items": None, "metadata": {"continue": "u"}}),
        (200, {"items": [{"n": 3}], "metadata": {}}),
    ]

    found = await gateway.list(PODS, "blue", labels="a in (b,c)", fields="d=e")

    assert found == [{"n": 1}, {"n": 2}, {"n": 3}]
    selectors = {"labelSelector": "a in (b,c)", "fieldSelector": "d=e", "limit": "500"}
    assert [query for _, _, query, _ in server.asked] == [
        selectors,
        {**selectors, "continue": "t+/="},
        {**selectors, "continue": "u"},
    ]


async def test_who_asks_whether_there_is_one_reads_one_page(
    gateway: Gateway, server: Server
) -> None:
    server.answers = [(200, {"items": [{"n": 1}], "metadata": {"continue": "t"}})]

    assert await gateway.list(SEARCHJOBS, "", at_most=1) == [{"n": 1}]

    assert server.asked == [("GET", "/apis/winnow.dev/v1alpha1/searchjobs", {"limit": "1"}, "")]


async def test_each_write_has_its_verb_path_query_and_content(
    gateway: Gateway, server: Server
) -> None:
    await gateway.create(TRIALS, "blue", BODY, dry_run=True)
    await gateway.apply_status(TRIALS, "blue", BODY)
    await gateway.merge(JOBS, "blue", "a", {"spec": {"suspend": False}})
    await gateway.delete_all(JOBS, "blue", labels="x=y")
    await gateway.delete(PODS, "blue", "a", uid="u1")

    trials = "/apis/winnow.dev/v1alpha1/namespaces/blue/trials"
    jobs = "/apis/batch/v1/namespaces/blue/jobs"
    assert [(method, path, query) for method, path, query, _ in server.asked] == [
        ("POST", trials, {"dryRun": "All", "fieldValidation": "Strict"}),
        ("PATCH", f"{trials}/a/status", {"fieldManager": "winnow", "force": "true"}),
        ("PATCH", f"{jobs}/a", {}),
        ("DELETE", jobs, {"labelSelector": "x=y"}),
        ("DELETE", "/api/v1/namespaces/blue/pods/a", {}),
    ]
    assert [headers["Content-Type"] for headers in server.headers] == [
        "application/json",
        "application/apply-patch+yaml; charset=utf-8",
        "application/merge-patch+json",
        "application/json",
        "application/json",
    ]
    assert '"preconditions": {"uid": "u1"}' in server.asked[-1][3]
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer t"}
    assert {headers["User-Agent"] for headers in server.headers} == {"winnow-operator"}


@pytest.mark.parametrize(("code", "reason"), [(404, "NotFound"), (409, "Conflict")])
async def test_deleting_what_is_gone_or_another_is_fine(
    gateway: Gateway, server: Server, code: int, reason: str
) -> None:
    server.answers = [status(code, reason)]

    await gateway.delete(PODS, "blue", "a", uid="u1")


async def test_behind_a_closed_fence_no_write_leaves_and_reads_and_the_lease_do(
    gateway: Gateway, server: Server, fence: Fence
) -> None:
    fence.left = 0
    writes = [
        gateway.create(JOBS, "blue", BODY),
        gateway.create(JOBS, "blue", BODY, dry_run=True),
        gateway.apply_status(TRIALS, "blue", BODY),
        gateway.merge(JOBS, "blue", "a", {}),
        gateway.delete(PODS, "blue", "a"),
        gateway.delete_all(JOBS, "blue", labels="x=y"),
    ]

    for result in await asyncio.gather(*writes, return_exceptions=True):
        assert isinstance(result, FencedError)

    assert server.asked == []
    await gateway.get(PODS, "blue", "a")
    await gateway.create_unfenced(LEASES, "blue", BODY)
    await gateway.replace_unfenced(LEASES, "blue", BODY)
    assert [method for method, *_ in server.asked] == ["GET", "POST", "PUT"]


async def test_calls_are_counted_by_method_resource_and_code(
    gateway: Gateway, server: Server
) -> None:
    def count(code: str) -> float:
        labels = {"method": "GET", "resource": "pods", "code": code}
        return REGISTRY.get_sample_value("winnow_rest_client_requests_total", labels) or 0

    before = count("200"), count("404")
    server.answers = [(200, BODY), status(404, "NotFound")]

    await gateway.get(PODS, "blue", "a")
    with pytest.raises(NotFoundError):
        await gateway.get(PODS, "blue", "a")

    assert (count("200") - before[0], count("404") - before[1]) == (1, 1)
