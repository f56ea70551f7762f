"""The small client of the API, against a real HTTP server that plays the API."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from devcluster.api import UNREACHABLE, Api, follow_for_ever
from devcluster.dns import make_dns_service
from devcluster.gpus import RESOURCE, keep, shown_gpus
from devcluster.profiles import Profile
from devcluster.status import is_node_ready

NODE = "/api/v1/nodes/winnow"
SERVICES = "/api/v1/namespaces/kube-system/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"


class World(ThreadingHTTPServer):
    """Objects by path, events of the one watch, and the writes that came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.writes: list[tuple[str, str, Any]] = []
        self.tokens: set[str] = set()

    @property
    def api(self) -> Api:
        return Api(f"http://127.0.0.1:{self.server_port}", "secret", ssl.create_default_context())


class Handler(BaseHTTPRequestHandler):
    server: World

    def do_GET(self) -> None:
        self.server.tokens.add(self.headers["Authorization"])
        path, _, query = self.path.partition("?")
        if "watch=1" in query:
            self._answer(200, "\n".join(json.dumps(e) for e in self.server.events) + "\n")
        elif path in self.server.objects:
            self._answer(200, json.dumps(self.server.objects[path]))
        else:
            self._answer(404, "{}")

    def do_POST(self) -> None:
        self._write(201)

    def do_PATCH(self) -> None:
        self._write(200)

    def _write(self, status: int) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.writes.append((self.command, self.path, content))
        self._answer(status, "{}")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def world() -> Iterator[World]:
    server = World()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def node(ready: str = "True", **resources: str) -> dict[str, Any]:
    return {
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "capacity": resources,
            "allocatable": resources,
        }
    }


def test_requests_carry_the_token(world: World) -> None:
    world.objects[NODE] = node()

    world.api.get(NODE)

    assert world.tokens == {"Bearer secret"}


def test_a_proxy_of_the_environment_is_not_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    world.objects[NODE] = node()

    assert world.api.get(NODE) == node()


def test_an_error_of_the_server_counts_as_not_there(world: World) -> None:
    with pytest.raises(UNREACHABLE) as caught:
        world.api.get("/nothing")

    assert isinstance(caught.value, urllib.error.HTTPError)
    caught.value.close()


@pytest.mark.parametrize(
    ("ready", "expected"), [("True", True), ("False", False), ("Unknown", False)]
)
def test_a_node_is_ready_when_its_condition_says_so(
    world: World,
    ready: str,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    world.objects[NODE] = node(ready)

    assert is_node_ready(world.api) is expected


def test_dns_is_made_once(world: World) -> None:
    profile = Profile("dev", 3)
    make_dns_service(world.api, profile)
    (_, _, service), (_, _, endpoints) = world.writes
    world.objects[f"{SERVICES}/kube-dns"] = service
    world.objects[f"{SLICES}/kube-dns"] = endpoints

    make_dns_service(world.api, profile)

    assert [path for _, path, _ in world.writes] == [SERVICES, SLICES]
    assert service["spec"]["clusterIP"] == profile.dns_service
    assert endpoints["endpoints"][0]["addresses"] == [profile.bridge_address]


def test_gpus_are_written_whenever_the_node_lacks_them(world: World) -> None:
    full = node(**{RESOURCE: "4"})
    world.events = [
        {"type": "ADDED", "object": node()},
        {"type": "MODIFIED", "object": full},
        {"type": "DELETED", "object": full},
        {"type": "ADDED", "object": node(**{RESOURCE: "0"})},
    ]

    keep(world.api, 4)

    assert [(method, path) for method, path, _ in world.writes] == [("PATCH", f"{NODE}/status")] * 2
    assert {operation["value"] for operation in world.writes[0][2]} == {"4"}


def test_gpus_that_pods_can_have_are_counted(world: World) -> None:
    world.objects[NODE] = node(**{RESOURCE: "4"})
    assert shown_gpus(world.api) == 4
    world.objects[NODE] = node()
    assert shown_gpus(world.api) == 0


def test_a_watch_that_ends_or_breaks_is_followed_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("devcluster.api.time.sleep", pauses.append)
    ways = iter([None, OSError("no server"), KeyboardInterrupt()])

    def follow() -> None:
        if (way := next(ways)) is not None:
            raise way

    with pytest.raises(KeyboardInterrupt):
        follow_for_ever(follow)

    assert len(pauses) == 2
    assert capsys.readouterr().out == "once more, after no server\n"
