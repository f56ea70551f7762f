"""One JSON line per log record: a constant message, and the data in fields."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

__all__ = ["JsonFormatter", "send_logs"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    hidden: frozenset[str] = frozenset()
    """Attributes of records that are nobody's business."""

    def format(self, record: logging.LogRecord) -> str:  # type: ignore[explicit-override] # typing has it from Python 3.12 on
        """The line; it never raises, whatever the fields hold."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(self.about(record))
        for key, value in vars(record).items():
            if key not in _STANDARD and key not in self.hidden:
                line.setdefault(key, value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, default=repr, ensure_ascii=False, skipkeys=True)

    def about(self, record: logging.LogRecord) -> Mapping[str, Any]:
        """What a record is about; nothing, unless a program says so."""
        del record
        return {}


def send_logs(level: str, formatter: logging.Formatter, stream: TextIO | None = None) -> None:
    """Send all logs of the process, and Python's warnings, to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
