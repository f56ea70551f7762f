"""A very small client of a cluster's API, for what devcluster itself does there."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

TIMEOUT = 10.0
NOT_FOUND = 404
_PAUSE = 1.0
UNREACHABLE = (OSError, http.client.HTTPException)
"""What a call raises while the API server is not there; answers with an error included."""


@dataclass(frozen=True, slots=True)
class Api:
    """One user's access to one API server."""

    server: str
    token: str
    tls: ssl.SSLContext

    @classmethod
    def of_kubeconfig(cls, text: str) -> Api:
        """Access as a kubeconfig of ours describes it."""
        document = json.loads(text)
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return cls(
            server=cluster["server"],
            token=user["token"],
            tls=ssl.create_default_context(cadata=authority),
        )

    def get(self, path: str) -> Any:
        """Read a JSON document."""
        with self._open("GET", path) as response:
            return json.load(response)

    def text(self, path: str) -> str:
        """Read a page that is no JSON."""
        with self._open("GET", path, timeout=2.0) as response:
            return str(response.read().decode())

    def create(self, path: str, document: dict[str, Any]) -> None:
        """Create an object, unless one of its name is there."""
        try:
            self.get(f"{path}/{document['metadata']['name']}")
        except urllib.error.HTTPError as error:
            if error.code != NOT_FOUND:
                raise
            self._open("POST", path, document).close()

    def patch(self, path: str, operations: list[dict[str, Any]]) -> None:
        """Apply a JSON patch."""
        self._open("PATCH", path, operations, kind="application/json-patch+json").close()

    def watch(self, path: str) -> Iterator[dict[str, Any]]:
        """Events of a watch until the server ends it."""
        with self._open("GET", path, timeout=600.0) as response:
            for line in response:
                yield json.loads(line)

    def _open(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        kind: str = "application/json",
        timeout: float = TIMEOUT,
    ) -> http.client.HTTPResponse:
        request = urllib.request.Request(  # noqa: S310 - always https, from our own kubeconfig
            self.server + path,
            data=None if document is None else json.dumps(document).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
            method=method,
        )
        # A proxy that the environment names must not come between us and our own node.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls)
        )
        response: http.client.HTTPResponse = opener.open(request, timeout=timeout)
        return response


def follow_for_ever(follow: Callable[[], None]) -> NoReturn:
    """Call what follows a watch again, whenever the watch ends or the server is away."""
    while True:
        try:
            follow()
        except UNREACHABLE as error:
            print(f"once more, after {error}", flush=True)
        time.sleep(_PAUSE)
