"""One JSON line per log record: a constant message, and the data in fields."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from typing_extensions import override

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_HIDDEN = frozenset({"settings", "k8s_skip", "k8s_ref"})
"""What kopf hangs on its records: its whole configuration, and the object that it is about."""

_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)
_reconciles = itertools.count(1)

_QUIET = ("kopf", "aiohttp", "asyncio", "kubernetes")
"""Loggers whose INFO is of interest to their authors only."""


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


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """The line; it never raises, whatever the fields hold."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(_object(record))
        for key, value in vars(record).items():
            if key not in _STANDARD and key not in _HIDDEN:
                line.setdefault(key, value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, default=repr, ensure_ascii=False, skipkeys=True)


def _object(record: logging.LogRecord) -> dict[str, Any]:
    """The object that a record is about, as we or as kopf say it."""
    reference = getattr(record, "k8s_ref", None) or {}
    of_kopf = {k: reference[k] for k in ("kind", "namespace", "name", "uid") if reference.get(k)}
    return of_kopf or _about.get() or {}


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of the process, and Python's warnings, to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    quiet = (
        logging.DEBUG
        if level == "DEBUG"
        else max(logging.WARNING, logging.getLevelNamesMapping()[level])
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(quiet)
