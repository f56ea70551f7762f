"""A real Prometheus that scrapes one program of this machine, for as long as a test looks at it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.api import eventually
from tests.support.chart import ROOT
from tests.support.operator_page import free_port

INTERVAL = "1s"
RULES = ROOT / "charts/winnow/files/rules.yaml"
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="comes with `up --prometheus`"
)


@contextlib.asynccontextmanager
async def local_prometheus(folder: Path, port: int) -> AsyncIterator[str]:
    """Its address; it scrapes what listens on a port as an operator's pod, and has the chart's rules."""
    labels = {"namespace": "winnow", "pod": "winnow-operator-0"}
    target = {"targets": [f"127.0.0.1:{port}"], "labels": labels}
    given = {
        "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "winnow", "static_configs": [target]}],
    }
    config = folder / "prometheus.yml"
    config.write_text(json.dumps(given))
    own = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={own}",
        "--log.level=warn",
    )
    try:
        await eventually(lambda: _is_ready(f"http://{own}"), what="Prometheus")
        yield f"http://{own}"
    finally:
        process.terminate()
        await process.wait()


async def _is_ready(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/-/ready") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False
