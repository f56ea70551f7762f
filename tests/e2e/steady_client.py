"""Asks a server at a steady rate over kept connections, each request once: a program for a pod.

It needs the standard library alone. Its argument is JSON: `host`, `port`, `path`, `connections`,
`per_second` (of all connections together), `seconds` (it ends by itself), `bodies` (of the requests,
in turns). Each second it prints a line of JSON: all counts since the start.

A client that heeds `Connection: close` and repeats nothing: whatever else keeps a request from a
right answer is a failure of that request. Right is what the revision has answered to this body before.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from typing import Any

PATIENCE_SECONDS = 15
"""A request that takes longer has failed."""
SAME = 1e-3
"""Outputs that differ by less are the same: batches change the last digits."""

Counts = dict[str, Any]


class WrongAnswerError(Exception):
    """An answer came, and it is not what was asked for."""


class Connection:
    """One kept connection; opened when a request needs it."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; nothing is repeated."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._where)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status, *lines = head.split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers[b"content-length"]))
        if headers.get(b"connection") == b"close":
            self.close()
        return int(status.split()[1]), body

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Load:
    """Requests of all connections, and what has come of them."""

    def __init__(self, settings: Counts) -> None:
        self._settings = settings
        head = f"POST {settings['path']} HTTP/1.1\r\nhost: {settings['host']}\r\n"
        self._requests = [
            f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()
            for body in settings["bodies"]
        ]
        self._answered: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._known: dict[tuple[str, int], list[float]] = {}

    def counts(self) -> Counts:
        """All counts since the start."""
        return {"answered": dict(self._answered), "failed": dict(self._failed)}

    async def keep_asking(self, number: int) -> None:
        """One connection, which asks at its own pace; one that is late does not catch up."""
        settings = self._settings
        connection = Connection(settings["host"], settings["port"])
        period = settings["connections"] / settings["per_second"]
        due, turn = time.monotonic() + number / settings["per_second"], number
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + period, time.monotonic())
            turn += 1
            await self._ask_once(connection, turn % len(self._requests))

    async def _ask_once(self, connection: Connection, turn: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, body = await connection.ask(self._requests[turn])
            self._answered[self._revision(status, body, turn)] += 1
        except (OSError, EOFError, TimeoutError, ValueError, LookupError) as error:
            self._failed[type(error).__name__] += 1
            connection.close()
        except WrongAnswerError as error:
            self._failed[str(error)] += 1

    def _revision(self, status: int, body: bytes, turn: int) -> str:
        """The revision that has answered; raises if it is not right."""
        if status != 200:
            raise WrongAnswerError(str(status))
        answer = json.loads(body)
        revision, outputs = str(answer["model_version"]), answer["outputs"][0]["data"]
        known = self._known.setdefault((revision, turn), outputs)
        if any(abs(a - b) > SAME * max(1.0, abs(b)) for a, b in zip(outputs, known, strict=True)):
            raise WrongAnswerError("another answer than before")
        return revision


async def main() -> None:
    """Ask until the time is over, or SIGTERM."""
    settings = json.loads(sys.argv[1])
    load, end = Load(settings), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    tasks = [asyncio.create_task(load.keep_asking(n)) for n in range(settings["connections"])]
    last = time.monotonic() + settings["seconds"]
    while not end.is_set() and time.monotonic() < last:
        print(json.dumps(load.counts()), flush=True)  # noqa: T201 -- what the test reads
        for task in tasks:
            if task.done():
                task.result()
        try:
            await asyncio.wait_for(end.wait(), 1)
        except TimeoutError:
            continue
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
