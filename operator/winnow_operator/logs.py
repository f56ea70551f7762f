"""The operator's logs: JSON lines, each about the object that was looked at."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TextIO

from typing_extensions import override

from winnow_contract.json_lines import JsonFormatter, send_logs

_HIDDEN = frozenset({"settings", "k8s_skip", "k8s_ref"})
"""What kopf hangs on its records: its whole configuration, and the object that it is about."""

_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)
_reconciles = itertools.count(1)

_QUIET = ("kopf", "aiohttp", "asyncio", "kubernetes")
"""Loggers whose INFO is of interest to their authors only."""

_ASKS_AGAIN = ("kopf._cogs.clients.watching", "kopf._core.reactor.observation")
"""Loggers of what kopf asks the API server, which it asks again where an answer fails."""


def _is_no_error_yet(record: logging.LogRecord) -> bool:
    """Lower what kopf calls an error although it asks again; the last attempt stays one."""
    if record.levelno == logging.ERROR and "failed; will retry" in record.getMessage():
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return logging.getLogger(record.name).isEnabledFor(record.levelno)


def _is_no_watch_that_ends(record: logging.LogRecord) -> bool:
    """Leave out that a watch of kopf was cut off: it happens as the process ends, and to nobody's harm.

    A watch that waits to hand an event on is closed by the event loop, and its context managers
    then object to be left in that way.
    """
    said = record.getMessage()
    return not ("closing of asynchronous generator" in said and " infinite_watch " in said)


@contextlib.contextmanager
def about(kind: str, namespace: str, name: str) -> Iterator[None]:
    """Everything that is logged in this block, in tasks made by it too, is about one object."""
    token = _about.set(
        {"kind": kind, "namespace": namespace, "name": name, "reconcile_id": next(_reconciles)}
    )
    try:
        yield
    finally:
        _about.reset(token)


class _Formatter(JsonFormatter):
    hidden = _HIDDEN

    @override
    def about(self, record: logging.LogRecord) -> dict[str, Any]:
        return _object(record)


def _object(record: logging.LogRecord) -> dict[str, Any]:
    """The object that a record is about, as we or as kopf say it."""
    reference = getattr(record, "k8s_ref", None) or {}
    of_kopf = {k: reference[k] for k in ("kind", "namespace", "name", "uid") if reference.get(k)}
    return of_kopf or _about.get() or {}


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of the process, and Python's warnings, to standard error."""
    send_logs(level, _Formatter(), stream)
    quiet = (
        logging.DEBUG
        if level == "DEBUG"
        else max(logging.WARNING, logging.getLevelNamesMapping()[level])
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(quiet)
    for name in _ASKS_AGAIN:
        logging.getLogger(name).addFilter(_is_no_error_yet)
    logging.getLogger("asyncio").addFilter(_is_no_watch_that_ends)
