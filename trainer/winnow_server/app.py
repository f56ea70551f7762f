"""The server as an ASGI application: inference by the shortest way, all else by Starlette's routes.

Routing, request and response objects cost a small model a third of its throughput (measured by
benchmarks/serving), so the paths of inference are looked up in a table and answered by hand.
"""

from __future__ import annotations

from http import HTTPStatus

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from winnow_contract.serving import LIVE_PATH, METRICS_PATH, READY_PATH
from winnow_contract.version import RELEASE
from winnow_server.answers import encode_error
from winnow_server.connections import Lifecycle
from winnow_server.inference import Inference, Receive, Scope, Send
from winnow_server.metrics import CONTENT_TYPE, Metrics
from winnow_server.model import ServedModel
from winnow_server.page import HEADERS, page
from winnow_server.shortcuts import Shortcut

__all__ = ["App"]

JSON = "application/json"


class App:
    """Answers everything.

    Args:
        model: that is served.
        inference: answers the requests for it.
        shortcut: for most of them; the connections ask it first.
        metrics: of the server.
        lifecycle: says whether the server still wants requests.
    """

    def __init__(
        self,
        model: ServedModel,
        inference: Inference,
        shortcut: Shortcut,
        metrics: Metrics,
        lifecycle: Lifecycle,
    ) -> None:
        self._inference = inference
        self.shortcut = shortcut
        self._pages = _Pages(model, metrics, lifecycle).application()
        self._inference_paths = model.signature.paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["path"] in self._inference_paths and scope["method"] == "POST":
            await self._inference(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


class _Pages:
    """What is asked for now and then."""

    def __init__(self, model: ServedModel, metrics: Metrics, lifecycle: Lifecycle) -> None:
        self._model = model
        self._metrics = metrics
        self._lifecycle = lifecycle
        self._front = page(model)

    def application(self) -> Starlette:
        model = "/v2/models/{model}"
        paths = {
            "/": self._show,
            METRICS_PATH: self._tell_metrics,
            "/v2": self._describe_server,
            LIVE_PATH: self._live,
            READY_PATH: self._ready,
            model: self._describe_model,
            f"{model}/versions/{{version}}": self._describe_model,
            f"{model}/ready": self._model_ready,
            f"{model}/versions/{{version}}/ready": self._model_ready,
        }
        routes = [Route(path, endpoint, methods=["GET"]) for path, endpoint in paths.items()]
        routes += [
            Route(f"{path}/infer", self._not_this_model, methods=["POST"])
            for path in (model, f"{model}/versions/{{version}}")
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _say})

    async def _show(self, _: Request) -> Response:
        return Response(self._front, headers=HEADERS, media_type="text/html")

    async def _tell_metrics(self, _: Request) -> Response:
        return Response(self._metrics.page(), headers={"content-type": CONTENT_TYPE})

    async def _describe_server(self, _: Request) -> Response:
        return _json({"name": "winnow", "version": RELEASE, "extensions": ["binary_tensor_data"]})

    async def _live(self, _: Request) -> Response:
        return _json({"live": True})

    async def _ready(self, _: Request) -> Response:
        return self._readiness({})

    async def _describe_model(self, request: Request) -> Response:
        self._check(request)
        return _json(self._model.signature.describe())

    async def _model_ready(self, request: Request) -> Response:
        self._check(request)
        return self._readiness({"name": self._model.signature.model})

    def _readiness(self, about: dict[str, str]) -> Response:
        is_ready = not self._lifecycle.is_draining
        answer = {**about, "ready": is_ready}
        return _json(answer, 200 if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _not_this_model(self, request: Request) -> Response:
        self._check(request)
        raise HTTPException(HTTPStatus.NOT_FOUND)  # the path was written in another way

    def _check(self, request: Request) -> None:
        signature = self._model.signature
        asked = request.path_params
        if asked["model"] != signature.model:
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                f"model {asked['model'][:80]!r} is not served here; {signature.model!r} is",
            )
        if asked.get("version", signature.version) != signature.version:
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                f"version {asked['version'][:80]!r} of {signature.model!r} is not served here; "
                f"{signature.version!r} is",
            )


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type=JSON)


async def _say(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = error.detail
    if words == HTTPStatus(error.status_code).phrase:  # Starlette's own
        words = f"{request.method} {request.url.path[:200]} is not offered: {words.lower()}"
    return Response(encode_error(words), error.status_code, error.headers, JSON)
