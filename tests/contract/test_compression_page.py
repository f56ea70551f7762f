"""What docs/compression.md shows is something that the code takes."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.chart import ROOT
from winnow_contract.choosing.goals import check_goals
from winnow_contract.steps.chains import check_candidate_name, check_chain
from winnow_contract.steps.options import OPTIONS

PAGE = (ROOT / "docs/compression.md").read_text()
JOBS: list[dict[str, Any]] = [
    yaml.safe_load(block)
    for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: str(job["metadata"]["name"]))
def test_an_example_of_the_page_has_chains_and_goals_that_can_be_run(job: dict[str, Any]) -> None:
    spec = job["spec"]

    assert check_goals(spec["goals"], spec["prefer"], (1,)) == []
    for candidate in spec.get("candidates", ()):
        assert check_candidate_name(candidate["name"]) == []
        assert check_chain(candidate["steps"]) == []


@pytest.mark.parametrize(
    "chain", re.findall(r"^\d\. `(.*?)`(?:, then `(.*?)`)?:", PAGE, re.MULTILINE)
)
def test_a_recommended_chain_can_be_run(chain: tuple[str, ...]) -> None:
    steps = [yaml.safe_load(step if ":" in step else f"{step}: {{}}") for step in chain if step]

    assert check_chain(steps) == []


def test_the_table_of_steps_names_every_kind_and_mode() -> None:
    table = PAGE.partition("## Steps")[2].partition("An order")[0]

    for kind, options in OPTIONS.items():
        assert f"`{kind}`" in table
        for option in options:
            if option.name in {"mode", "unit"}:
                assert all(f"`{word}`" in table for word in option.words)


def test_the_reference_of_steps_is_what_the_tables_say() -> None:
    done = subprocess.run(
        [ROOT / "scripts/steps-page", "--check"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
