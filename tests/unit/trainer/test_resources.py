"""What the container may use, and what it has used."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow_trainer.resources import (
    memory_limit_bytes,
    peak_memory_bytes,
    reset_peak_memory,
    thread_count,
)

MEBI = 1 << 20


@pytest.mark.parametrize(
    ("given", "limit", "threads"),
    [
        ({"WINNOW_THREADS": "3"}, "100000 100000", 3),
        ({}, "400000 100000", 4),
        ({}, "40000 100000", 1),
        ({}, "150000 100000", 2),
        ({}, "max 100000", 1),
        ({}, "nonsense", 1),
        ({"WINNOW_THREADS": "0"}, "200000 100000", 2),
        ({"WINNOW_THREADS": "many"}, "200000 100000", 2),
    ],
)
def test_as_many_threads_compute_as_the_container_has_cores(
    tmp_path: Path, given: dict[str, str], limit: str, threads: int
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(limit + "\n")

    assert thread_count(given, file) == threads


def test_without_a_limit_file_one_thread_computes(tmp_path: Path) -> None:
    assert thread_count({}, tmp_path / "none") == 1


@pytest.mark.parametrize(("text", "limit"), [("268435456\n", 1 << 28), ("max\n", None)])
def test_the_memory_limit_is_that_of_the_container(
    tmp_path: Path, text: str, limit: int | None
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(text)

    assert memory_limit_bytes(file) == limit
    assert memory_limit_bytes(tmp_path / "none") is None


def test_a_trial_does_not_answer_for_the_memory_of_the_one_before() -> None:
    reset_peak_memory()
    held = bytearray(b"x") * (96 * MEBI)
    first = peak_memory_bytes()
    del held
    still = peak_memory_bytes()
    reset_peak_memory()

    # The kernel counts pages in lots, so by a few the figures may differ.
    assert still > first - 8 * MEBI
    assert first - peak_memory_bytes() > 72 * MEBI


def test_a_figure_that_the_kernel_does_not_give_is_that_of_the_process(tmp_path: Path) -> None:
    reset_peak_memory()

    assert peak_memory_bytes(tmp_path / "none") > MEBI
