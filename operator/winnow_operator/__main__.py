"""`python -m winnow_operator`: the operator process."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from types import FrameType

from winnow_operator.errors import WinnowError
from winnow_operator.logs import configure_logs
from winnow_operator.settings import SettingsError, read_settings


def main() -> int:
    """Run the operator; gives the exit code: 0 asked to end, 1 failed, 2 settings are wrong."""
    signal.signal(signal.SIGTERM, _end_at_once)
    try:
        settings = read_settings()
    except SettingsError as error:
        configure_logs("INFO")
        return _complain("settings are wrong", error, code=2)
    configure_logs(settings.log_level)
    from winnow_operator.app import run  # takes seconds on a busy node

    try:
        return asyncio.run(run(settings))
    except WinnowError as error:
        return _complain("cannot start", error, code=1)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """Until the operator handles SIGTERM itself: nothing is held yet.

    Process 1 of a container gets no SIGTERM without a handler. It would go on, and lead, until it
    is killed.
    """
    raise SystemExit(0)


def _complain(message: str, error: WinnowError, *, code: int) -> int:
    """One line without a traceback: the sentence says what to do."""
    logging.getLogger("winnow_operator").error(message, extra={"error": str(error)})
    return code


if __name__ == "__main__":
    sys.exit(main())
