"""Logs: one JSON line per record, whoever wrote it."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import logging
import warnings
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import kopf
import pytest
from kopf._cogs.clients import api as kopf_api
from kopf._cogs.clients import watching
from kopf._core.actions.loggers import LocalObjectLogger

from winnow_operator.logs import about, configure_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("kopf", "aiohttp", "asyncio", "kubernetes"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_line_with_its_fields(stream: io.StringIO) -> None:
    configure_logs("INFO", stream)

    logging.getLogger("winnow").info("batch\nmade", extra={"batch": "b1", "trials": [1, 2]})

    (line,) = lines(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "winnow",
        "message": "batch\nmade",
        "batch": "b1",
        "trials": [1, 2],
    }


def test_a_traceback_is_one_field(stream: io.StringIO) -> None:
    configure_logs("INFO", stream)

    try:
        raise ZeroDivisionError("a bug")  # noqa: TRY301 -- a traceback needs one
    except ZeroDivisionError:
        logging.getLogger("winnow").exception("reconcile failed")

    (line,) = lines(stream)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ZeroDivisionError: a bug")


def test_fields_that_are_no_json_are_written_as_text(stream: io.StringIO) -> None:
    configure_logs("INFO", stream)

    logging.getLogger("winnow").info("odd", extra={"field": {1, 2}, "map": {(1, 2): "x"}})

    assert lines(stream)[0]["field"] == "{1, 2}"


def test_a_field_never_hides_the_message(stream: io.StringIO) -> None:
    configure_logs("INFO", stream)

    logging.getLogger("winnow").info("said", extra={"level": "quiet", "time": "never"})

    (line,) = lines(stream)
    assert (line["level"], line["message"]) == ("INFO", "said")
    assert line["time"] != "never"


async def test_all_that_a_reconcile_logs_names_its_job_and_nothing_after_it_does(
    stream: io.StringIO,
) -> None:
    configure_logs("INFO", stream)
    logger = logging.getLogger("winnow")

    async def write() -> None:
        logger.info("inside")

    with about("SearchJob", "blue", "digits"):
        await asyncio.gather(write(), asyncio.to_thread(logger.info, "in a thread"))
    with about("SearchJob", "blue", "digits"):
        await write()
    logger.info("outside")

    inside, thread, next_one, outside = lines(stream)
    assert (inside["kind"], inside["namespace"], inside["name"]) == ("SearchJob", "blue", "digits")
    assert thread["name"] == "digits"
    assert thread["reconcile_id"] == inside["reconcile_id"] != next_one["reconcile_id"]
    assert "name" not in outside


def test_a_record_of_kopf_names_its_object_without_its_settings(stream: io.StringIO) -> None:
    configure_logs("INFO", stream)
    body = kopf.Body({"kind": "Pod", "metadata": {"name": "p", "namespace": "blue", "uid": "u"}})

    LocalObjectLogger(body=body, settings=kopf.OperatorSettings()).error("Handler has failed")

    (line,) = lines(stream)
    assert (line["kind"], line["namespace"], line["name"], line["uid"]) == ("Pod", "blue", "p", "u")
    assert set(line) == {"time", "level", "logger", "message", "kind", "namespace", "name", "uid"}


@pytest.mark.parametrize("library", ["kopf.activities", "aiohttp.server", "asyncio"])
def test_libraries_are_heard_from_warning_on_and_at_debug_wholly(
    stream: io.StringIO, library: str
) -> None:
    configure_logs("INFO", stream)
    logging.getLogger(library).info("chatter")
    logging.getLogger(library).warning("trouble")
    configure_logs("DEBUG", stream)
    logging.getLogger(library).debug("detail")

    assert [line["message"] for line in lines(stream)] == ["trouble", "detail"]


@pytest.mark.parametrize(
    ("words", "level"), [("failed; will retry", "WARNING"), ("failed; escalating", "ERROR")]
)
def test_what_kopf_asks_again_is_no_error_until_it_gives_up(
    stream: io.StringIO, words: str, level: str
) -> None:
    assert words in inspect.getsource(kopf_api.request), "kopf says it in other words now"
    configure_logs("INFO", stream)

    logging.getLogger(watching.__name__).error(f"Request attempt #1/9 {words}: GET /pods")  # noqa: G004 -- as kopf says it

    assert [line["level"] for line in lines(stream)] == [level]


@pytest.mark.parametrize(("cut_off", "said"), [("infinite_watch", []), ("our_own", ["ERROR"])])
def test_a_watch_of_kopf_that_is_cut_off_as_the_process_ends_is_no_error(
    stream: io.StringIO, cut_off: str, said: list[str]
) -> None:
    assert watching.infinite_watch.__name__ == "infinite_watch"
    configure_logs("INFO", stream)

    async def objects_to_its_end() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            raise RuntimeError("did not stop")

    async def leaves_it_open() -> object:
        opened: Any = objects_to_its_end()
        opened.__name__ = opened.__qualname__ = cut_off
        await anext(opened)
        return opened

    kept = asyncio.run(leaves_it_open())

    assert [line["level"] for line in lines(stream)] == said
    del kept


def test_the_level_holds_for_our_own_records(stream: io.StringIO) -> None:
    configure_logs("ERROR", stream)

    logging.getLogger("winnow").warning("not heard")
    logging.getLogger("kopf").warning("not heard")
    logging.getLogger("winnow").error("heard")

    assert [line["message"] for line in lines(stream)] == ["heard"]


def test_warnings_of_python_are_lines_too(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        configure_logs("INFO", stream)
        warnings.simplefilter("always")
        warnings.warn("old call", DeprecationWarning, stacklevel=1)

    assert "old call" in lines(stream)[0]["message"]
