"""Answers of a real PromQL engine to series that a test makes up, by way of promtool."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="comes with `up --prometheus`"
)


def promtool(*arguments: str | Path, stdin: str = "") -> tuple[int, str]:
    """Exit code of promtool, and all that it says."""
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def hold_answers(
    folder: Path,
    series: Mapping[str, str],
    wanted: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    at: str,
) -> None:
    """Hold answers against those that are wanted; what differs is in the assertion.

    Args:
        folder: for the file that promtool reads.
        series: values of each by the minute, in promtool's short form.
        wanted: samples by query.
        at: the time of the queries, such as `25m`.
    """
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": at, "exp_samples": list(samples)}
            for query, samples in wanted.items()
        ],
    }
    file = folder / "answers.yaml"
    file.write_text(yaml.safe_dump({"tests": [case]}))
    code, said = promtool("test", "rules", file)
    assert code == 0, said
