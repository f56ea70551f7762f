"""`python -m winnow_server fetch`, `serve` and `compare`, from settings to exit code.

Why a program ended stands in the termination log, a sentence that the operator repeats.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable

from winnow_contract.comparing import encode_compared, read_comparison
from winnow_contract.environment import read_termination_log
from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.exit_codes import ExitCode
from winnow_contract.files import is_storage_away, write_in_place
from winnow_contract.json_lines import JsonFormatter, send_logs
from winnow_contract.message_fields import MAX_BYTES
from winnow_contract.program import CRASH
from winnow_contract.serving import Serving, read_serving
from winnow_server.errors import NoAnswerError

logger = logging.getLogger("winnow_server")


def main(words: list[str]) -> int:
    """Do what the argument says."""
    send_logs("INFO", JsonFormatter())
    stop_on_sigterm()
    if len(words) != 1 or words[0] not in PROGRAMS:
        known = ", ".join(PROGRAMS)
        return _end(ExitCode.PERMANENT, f"the argument must be one of {known}, it is {words!r}")
    return _run(PROGRAMS[words[0]])


def stop_on_sigterm() -> None:
    """End at once on SIGTERM, until a server is up and drains.

    The first process of a container has no such default: the kernel would keep the signal from it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.STOPPED))


def _fetch(serving: Serving) -> None:
    from winnow_server.fetching import fetch

    fetch(serving)


def _serve(serving: Serving) -> None:
    from winnow_server.serving import serve

    serve(serving)


def _compare(serving: Serving) -> None:
    from winnow_server.comparing import compare

    found = encode_compared(compare(serving, read_comparison(os.environ)))
    logger.info("compared", extra={"found": found})
    write_in_place(serving.termination_log, found.encode())


PROGRAMS: dict[str, Callable[[Serving], object]] = {
    "fetch": _fetch,
    "serve": _serve,
    "compare": _compare,
}


def _run(program: Callable[[Serving], object]) -> int:
    from winnow_runtime.errors import ModelError

    try:
        program(read_serving(os.environ))
    except (EnvironmentVariableError, ModelError) as error:
        return _end(ExitCode.PERMANENT, str(error))
    except NoAnswerError as error:
        return _end(ExitCode.TEMPORARY, str(error))
    except OSError as error:
        return _end(*_storage_failed(error))
    except Exception as error:  # noqa: BLE001 -- a bug: it is named, and the pod starts again
        traceback.print_exc()
        return _end(CRASH, f"{type(error).__name__}: {error}")
    return ExitCode.OK


def _storage_failed(error: OSError) -> tuple[int, str]:
    words = error.strerror or str(error)
    if error.filename:
        words = f"{error.filename}: {words}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        words += f"; this runs as user {os.getuid()}, group {os.getgid()}: let these read there"
        return ExitCode.PERMANENT, words
    if not is_storage_away(error):
        traceback.print_exc()
    return ExitCode.TEMPORARY, words


def _end(code: int, sentence: str) -> int:
    logger.error("ended", extra={"reason": sentence, "code": int(code)})
    try:
        write_in_place(read_termination_log(os.environ), sentence.encode()[:MAX_BYTES])
    except OSError as error:
        logger.error("the termination log cannot be written", extra={"error": str(error)})  # noqa: TRY400 -- the sentence is what counts
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
