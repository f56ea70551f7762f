"""The preflight: what keeps the operator from watching, in sentences."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from winnow_operator.errors import (
    ForbiddenError,
    KubernetesError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from winnow_operator.kube.preflight import (
    RETRY_SECONDS,
    Watch,
    obstacles,
    wait_until_watchable,
)
from winnow_operator.kube.resources import PODS, SEARCHJOBS, TRIALS, Resource

WATCHES = (Watch(SEARCHJOBS), Watch(TRIALS, fields="status.outcome=Active"), Watch(PODS))


@dataclass
class Server:
    """Refuses some lists."""

    refusals: dict[tuple[Resource, str], KubernetesError] = field(default_factory=dict)
    asked: list[tuple[Resource, str, str]] = field(default_factory=list)

    async def list(
        self,
        resource: Resource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        at_most: int | None = None,
    ) -> list[dict[str, Any]]:
        assert at_most == 1, "it only wants to know whether it may"
        assert labels == ""
        self.asked.append((resource, namespace, fields))
        error = self.refusals.get((resource, namespace))
        if error is not None:
            raise error
        return []


async def test_nothing_stands_in_the_way_where_all_can_be_listed() -> None:
    server = Server()

    assert await obstacles(server, WATCHES, ()) == ""

    assert server.asked == [
        (SEARCHJOBS, "", ""),
        (TRIALS, "", "status.outcome=Active"),
        (PODS, "", ""),
    ]


async def test_each_namespace_is_asked_for() -> None:
    server = Server({(PODS, "green"): ForbiddenError("pods is forbidden")})

    words = await obstacles(server, WATCHES, ("blue", "green"))

    assert words == (
        "no right to list pods in namespace green: bind the role of the chart (pods is forbidden)"
    )
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            ForbiddenError("x"),
            "no right to list trials.winnow.dev in all namespaces: bind the role",
        ),
        (
            NotFoundError("x"),
            "the API server knows no trials.winnow.dev: apply crds/ of this release",
        ),
        (RefusedError("x"), "the CRD trials.winnow.dev is of another release: apply crds/"),
        (KubernetesError("odd"), "odd"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_refusal_says_what_to_do(error: KubernetesError, sentence: str) -> None:
    words = await obstacles(Server({(TRIALS, ""): error}), WATCHES, ())

    assert words.startswith(sentence)


async def test_an_api_server_that_is_away_is_named_once() -> None:
    away = UnavailableError("GET /x: no answer")

    words = await obstacles(Server({(SEARCHJOBS, ""): away, (TRIALS, ""): away}), WATCHES, ())

    assert words == "GET /x: no answer"


@pytest.mark.looptime
async def test_it_waits_until_the_obstacle_is_gone_and_logs_it_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server({(TRIALS, ""): NotFoundError("x")})
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.call_later(21, server.refusals.clear)

    await wait_until_watchable(server, WATCHES, (), said.append)

    assert loop.time() == pytest.approx(5 * RETRY_SECONDS)
    assert said[-1] == ""
    assert all("trials.winnow.dev" in words for words in said[:-1])
    (record,) = caplog.records
    assert record.exc_info is None
    assert "trials.winnow.dev" in record.__dict__["error"]
