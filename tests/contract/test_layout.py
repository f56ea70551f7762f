"""The shape of the repository: source roots, module sizes, names, programs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tracked import ROOT, tracked

SOURCE_ROOTS = ("operator", "trainer")
PACKAGES = (
    "operator/winnow_operator",
    "trainer/winnow_contract",
    "trainer/winnow_runtime",
    "trainer/winnow_measure",
    "trainer/winnow_server",
    "trainer/winnow_trainer",
    "devcluster",
    "monitoring",
)
MAX_LINES, MAX_FUNCTION_LINES = 400, 50
THE_TRAINING_LOOP = ("training.py", 80)
"""It reads best from top to bottom in one piece."""
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "common", "misc", "manager", "base_utils"}


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in tracked(f"{package}/*.py")]


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_root_is_no_package(root: str) -> None:
    assert [path.name for path in (ROOT / root).glob("*.py")] == []


def test_the_standard_librarys_operator_is_found_from_the_repository_root() -> None:
    code = "import operator; print(operator.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert not done.stdout.startswith(str(ROOT / "operator"))


def test_no_module_is_longer_than_one_can_read() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in modules()}

    assert len(lengths) > 40
    assert {p.name: n for p, n in lengths.items() if n > MAX_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    loop, loop_lines = THE_TRAINING_LOOP
    long = [
        f"{path.name}: {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1
        > (loop_lines if path.name == loop else MAX_FUNCTION_LINES)
    ]

    assert long == []


def test_every_module_says_what_its_job_is() -> None:
    silent = [p.name for p in modules() if not ast.get_docstring(ast.parse(p.read_text()))]

    assert silent == []


def test_a_package_that_lists_its_modules_lists_all_of_them() -> None:
    wrong, lists, every = {}, 0, modules()
    for path in (path for path in every if path.name == "__init__.py"):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        rows = re.findall(r"^([a-z_]+(?:, [a-z_]+)*) {2,}\S", text, re.MULTILINE)
        listed = {name for row in rows for name in row.split(", ")}
        inside = (p.relative_to(path.parent) for p in every if path.parent in p.parents)
        found = {inner.parts[0].removesuffix(".py") for inner in inside}
        if listed:
            lists += 1
            wrong[path.parent.name] = listed ^ (found - {"__init__"})

    assert lists > 6
    assert {name: modules for name, modules in wrong.items() if modules} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [p.name for p in modules() if p.stem in NAMES_THAT_SAY_NOTHING] == []


def test_every_folder_of_unit_tests_is_that_of_a_package() -> None:
    tests = ROOT / "tests/unit"
    folders = {path.parent for path in tracked("tests/unit/*.py")} - {tests}
    parents = ("operator/winnow_operator/", "trainer/winnow_", "", "tests/")
    strangers = [
        folder.name
        for folder in folders
        if not any((ROOT / f"{p}{folder.relative_to(tests)}").is_dir() for p in parents)
    ]

    assert len(folders) > 30
    assert strangers == []


def test_what_the_script_of_the_tests_names_is_there() -> None:
    named = re.findall(r"tests/[\w/.]*\w(?=[\s\")])", (ROOT / "scripts/test").read_text())

    assert len(named) > 9
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_script_can_be_run_and_says_what_it_is_for() -> None:
    for script in (*tracked("scripts/*"), ROOT / ".ci/run"):
        lines = script.read_text().splitlines()
        assert script.stat().st_mode & 0o111, f"{script.name} is not executable"
        assert lines[0].startswith("#!/usr/bin/env "), script.name
        assert lines[1].startswith(("# ", '"""')), script.name


def test_every_target_of_the_makefile_is_a_script_that_exists() -> None:
    called = {
        word
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line.startswith("\tscripts/")
        for word in line.split()[:1]
    }

    assert len(called) > 6
    assert [name for name in sorted(called) if not (ROOT / name).is_file()] == []


def test_the_locks_hold_hashes_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_a_package_has_the_same_version_in_all_locks() -> None:
    versions: dict[str, set[str]] = {}
    for lock in (ROOT / "requirements").glob("*.txt"):
        for line in lock.read_text().splitlines():
            if "==" in line and not line.startswith((" ", "#")):
                name, _, version = line.split(" ")[0].partition("==")
                versions.setdefault(name, set()).add(version)

    assert len(versions) > 50
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_only_the_files_of_the_images_reach_a_build() -> None:
    allowed = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = {
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
    }

    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(a) or source.startswith(f"{a}/") for a in allowed), source
