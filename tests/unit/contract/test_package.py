"""The contract as a package: no dependencies, one release."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import winnow_contract
from winnow_contract.version import ACCEPTED_VERSIONS, CONTRACT_VERSION, RELEASE

ROOT = Path(__file__).parents[3]


def test_the_contract_needs_nothing_but_the_standard_library() -> None:
    found = pkgutil.walk_packages(winnow_contract.__path__, prefix="winnow_contract.")
    names = [module.name for module in found]
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'trainer')!r}); import {', '.join(names)}"
    )

    # -S: no site-packages; -I: nothing from the environment.
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False)

    assert ended.returncode == 0


def test_the_release_is_that_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == RELEASE


def test_this_version_and_the_one_before_are_read() -> None:
    assert CONTRACT_VERSION in ACCEPTED_VERSIONS
    assert {CONTRACT_VERSION, max(1, CONTRACT_VERSION - 1)} == ACCEPTED_VERSIONS
