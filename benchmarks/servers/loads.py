"""Requests one after the other over kept connections: by wrk over HTTP, by h2load over gRPC.

Both are written in C and use one thread here, so that the machine's other core is the server's.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from typing_extensions import override

__all__ = ["PROGRAMS", "GrpcLoader", "HttpLoader", "Load", "Loader"]

PROGRAMS = {"wrk": "wrk", "h2load": "nghttp2-client"}
"""What is run, and the Debian package that has it."""
CALL = "/inference.GRPCInferenceService/ModelInfer"
LUA = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = [[%s]]
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests": %%d, "seconds": %%f, "failed": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""
_FINISHED = re.compile(r"^finished in ([\d.]+)(ms|s)", re.MULTILINE)
_REQUESTS = re.compile(r"^requests: .* (\d+) done, (\d+) succeeded, ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load."""

    requests: int
    seconds: float
    failed: int
    p50_milliseconds: float
    p99_milliseconds: float


class Loader(Protocol):
    """Asks a server the same again and again."""

    def run(self, port: int, connections: int, seconds: int) -> Load:
        """Ask over so many connections at once for so long."""


class HttpLoader(Loader):
    """By wrk.

    Args:
        path: of the server's inference.
        body: JSON of each request.
        script: a file, is written.
    """

    def __init__(self, path: str, body: bytes, script: Path) -> None:
        self._path = path
        self._script = script
        script.write_text(LUA % body.decode())

    @override
    def run(self, port: int, connections: int, seconds: int) -> Load:
        url = f"http://127.0.0.1:{port}{self._path}"
        options = ["-t1", f"-c{connections}", f"-d{seconds}", "-s", str(self._script)]
        found = json.loads(_output(["wrk", *options, url]).strip().splitlines()[-1])
        return Load(
            int(found["requests"]),
            found["seconds"],
            int(found["failed"]),
            found["p50"],
            found["p99"],
        )


class GrpcLoader(Loader):
    """By h2load, which sends a message made beforehand; whether its answer is right is asked before.

    Args:
        message: a file with a ModelInferRequest as gRPC frames it.
        log: a file, is written: a line for each request.
    """

    def __init__(self, message: Path, log: Path) -> None:
        self._message = message
        self._log = log

    @override
    def run(self, port: int, connections: int, seconds: int) -> Load:
        self._log.unlink(missing_ok=True)
        headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        options = ["-t1", "-m1", f"-c{connections}", f"-D{seconds}", f"--log-file={self._log}"]
        url = f"http://127.0.0.1:{port}{CALL}"
        output = _output(["h2load", *options, *headers, "-d", str(self._message), url])
        return read_h2load(output, self._log.read_text())


def read_h2load(output: str, log: str) -> Load:
    """What h2load says.

    Args:
        output: on standard output.
        log: a line for each request: start, status, microseconds.
    """
    finished, requests = _FINISHED.search(output), _REQUESTS.search(output)
    if finished is None or requests is None:
        raise ValueError(f"h2load says nothing of its requests: {output[-2000:]}")
    done, succeeded = map(int, requests.groups())
    times = [int(line.split("\t")[2]) / 1e3 for line in log.splitlines()]
    seconds = float(finished[1]) * (1e-3 if finished[2] == "ms" else 1)
    p50, p99 = np.percentile(times, [50, 99]) if times else (0.0, 0.0)
    return Load(done, seconds, done - succeeded, float(p50), float(p99))


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
