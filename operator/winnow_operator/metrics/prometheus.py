"""Asks Prometheus: instant queries over its HTTP API (/api/v1/query), each with a deadline.

That it does not answer is no error of the operator's: whoever asks gets a sentence to pass on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from winnow_operator.domain.servers.loads import Vector
from winnow_operator.errors import NoAnswerError

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 16 << 20
"""An answer beyond this is none of ours: a thousand trials have some ten rungs of 110 bytes each."""


class Prometheus:
    """One Prometheus, or what speaks like one."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/query"
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, queries: Mapping[str, str]) -> dict[str, Vector]:
        """The answers to all queries, by their names.

        Raises:
            NoAnswerError: if one of them got none in time.
        """
        answers = await asyncio.gather(*map(self._query, queries.values()))
        return dict(zip(queries, answers, strict=True))

    async def _query(self, query: str) -> Vector:
        try:
            return _vector(await self._exchange(query))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or type(error).__name__
            raise NoAnswerError(f"Prometheus does not answer: {words}") from error

    async def _exchange(self, query: str) -> bytes:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=True)
        async with self._session.post(self._url, data={"query": query}) as response:
            answer = bytearray()
            async for part in response.content.iter_any():  # it may come in any number of them
                answer += part
                if len(answer) > MAX_BYTES:
                    raise NoAnswerError(f"Prometheus answers more than {MAX_BYTES} bytes")
            return bytes(answer)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _vector(data: bytes) -> Vector:
    try:
        document: Any = json.loads(data)
    except ValueError:
        raise NoAnswerError(f"Prometheus gave no JSON: {data[:80]!r}") from None
    if not isinstance(document, dict) or document.get("status") != "success":
        words = document.get("error") if isinstance(document, dict) else document
        raise NoAnswerError(f"Prometheus refuses the query: {str(words)[:200]}")
    try:
        found = document["data"]["result"]
        return tuple((dict(s["metric"]), float(s["value"][1])) for s in found)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise NoAnswerError(f"Prometheus gave no vector: {error!r}") from error
