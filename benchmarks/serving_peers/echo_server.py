"""uvicorn alone: it reads the body and answers the same bytes each time. What a server can reach at best.

With a model it runs that on the same row each time, and still reads nothing of what it is asked: the
best that can be reached where a model is run for each request.

echo_server.py PORT FILE-WITH-THE-ANSWER [MODEL.onnx]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

port, answer, *model = sys.argv[1:]
ANSWER = Path(answer).read_bytes()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]


async def app(_: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    while (await receive()).get("more_body"):
        pass
    run()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


def run_of(path: str) -> Callable[[], object]:
    """A run of a model on one row, by the same call as Winnow's server."""
    import numpy as np

    from winnow_runtime.sessions import Session

    session = Session(Path(path), threads=1)
    row = np.ones((1, *session.row_shape), np.float32)
    run_bound = session.bound(row) or session.run
    return lambda: run_bound(row)


run = run_of(*model) if model else lambda: None
uvicorn.run(
    app,
    port=int(port),
    loop="uvloop",
    http="httptools",
    lifespan="off",
    access_log=False,
    log_level="error",
    proxy_headers=False,
    server_header=False,
)
