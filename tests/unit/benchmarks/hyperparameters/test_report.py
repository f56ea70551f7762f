"""Ranks, gaps and intervals of the benchmark of hyperparameters, and what follows from them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hyperparameters.report import (
    Row,
    difference,
    figures,
    gaps,
    is_worst,
    mean_ranks,
    place,
    ranks,
    report,
)
from benchmarks.ranges import check
from benchmarks.results import read_results

BENCHMARKS = Path(__file__).resolve().parents[4] / "benchmarks"
VALUES = st.dictionaries(st.text(max_size=4), st.integers(-5, 5).map(float), min_size=1)


def row(task: str, best: dict[str, float], seed: int = 1, optimum: float | None = 0.0) -> Row:
    return Row(task, task.split(maxsplit=1)[0], seed, 50, 10.0, optimum, "made", best)


def test_a_gap_is_zero_at_the_optimum_and_one_at_the_start() -> None:
    found = gaps(row("bbob f1", {"TPE": -10.0, "Random": 10.0, "QMC": 0.0}, optimum=-10.0))

    assert found == {"TPE": 0.0, "Random": 1.0, "QMC": 0.5}


def test_where_nobody_knows_the_optimum_the_best_that_was_found_has_no_gap() -> None:
    assert gaps(row("real", {"TPE": 6.0, "Random": 8.0}, optimum=None)) == {
        "TPE": 0.0,
        "Random": 0.5,
    }


def test_those_that_are_equal_share_the_middle_of_their_ranks() -> None:
    assert ranks({"a": 3.0, "b": 1.0, "c": 3.0, "d": 7.0}) == {"a": 2.5, "b": 1, "c": 2.5, "d": 4}


@settings(max_examples=30)
@given(VALUES)
def test_ranks_always_add_up_and_keep_the_order(values: dict[str, float]) -> None:
    found, count = ranks(values), len(values)

    assert math.isclose(sum(found.values()), count * (count + 1) / 2)
    assert all((found[a] < found[b]) == (values[a] < values[b]) for a in values for b in values)


def test_a_method_is_ranked_only_where_it_takes_part() -> None:
    rows = [row("a", {"TPE": 1.0, "CMAES": 0.5, "Grid": 2.0}), row("b", {"TPE": 3.0, "Grid": 2.0})]

    assert mean_ranks(rows, ("Grid", "TPE", "CMAES", "QMC")) == {"Grid": 2, "TPE": 2, "CMAES": 1}


def test_equal_mean_ranks_have_the_same_place_and_are_the_worst_together() -> None:
    found = {"Auto": 2.0, "TPE": 2.0, "CMAES": 1.5, "Grid": 4.0}

    assert [place(found, name) for name in found] == [2, 2, 1, 4]
    assert [name for name in found if is_worst(found, name)] == ["Grid"]
    assert is_worst({"Auto": 2.0, "TPE": 2.0, "QMC": 1.0}, "Auto")
    assert not is_worst({"Auto": 2.0, "TPE": 2.0}, "Auto")


def test_a_difference_is_of_pairs_and_its_interval_of_tasks() -> None:
    rows = [
        row(f"bbob f{task}", {"TPE": 1.0 + task, "Optuna TPE": 2.0 + task}, seed)
        for task in range(4)
        for seed in (1, 2)
    ]
    found = difference([*rows, row("bbob f9", {"TPE": 0.0})], "TPE", "Optuna TPE")

    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert found.text() == "-0.100 [-0.100, -0.100]"
    assert difference(rows, "CMAES", "Optuna CMAES") is None


def test_an_interval_is_wider_the_more_tasks_differ() -> None:
    alike = [row(f"t{n}", {"TPE": 1.0 + n % 2 / 10, "Optuna TPE": 1.0}) for n in range(20)]
    apart = [row(f"t{n}", {"TPE": 1.0 + n % 2 * 4, "Optuna TPE": 1.0}) for n in range(20)]
    narrow, wide = (difference(rows, "TPE", "Optuna TPE") for rows in (alike, apart))

    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)
    assert narrow.low < narrow.mean < narrow.high


def test_figures_say_where_auto_stands_and_how_far_each_is_from_the_same_used_directly() -> None:
    best = {"Auto": 1.0, "TPE": 1.0, "Random": 3.0, "Optuna TPE": 1.0, "Optuna Random": 2.0}
    found = figures([row("bbob f1", best), row("real digits", {**best, "Random": 0.5})])

    assert found["short_tpe_above_direct"] == pytest.approx(0)
    assert found["short_random_above_direct"] == pytest.approx(0.1)
    assert (found["short_auto_place"], found["short_auto_worst_in_suites"]) == (1, 1)
    assert found["short_auto_worst_in_tasks"] == 1


def test_the_report_names_every_method_and_each_suite() -> None:
    best = {"Auto": 1.0, "TPE": 1.0, "Random": 3.0, "Optuna TPE": 1.0, "hyperopt TPE": 2.0}
    text = report([row("bbob f1", best), row("real digits", best)])

    assert "| method | all: rank, own, gap | bbob: rank, own, gap | real: rank, own, gap |" in text
    assert "| TPE | 2.00, 1.50, 0.100 | 2.00, 1.50, 0.100 | 2.00, 1.50, 0.100 |" in text
    assert "| hyperopt TPE | 4.00, -, 0.200 |" in text


def test_long_searches_are_looked_at_apart() -> None:
    short, long = row("bbob f1", {"TPE": 2.0, "QMC": 1.0}), row("bbob f1", {"TPE": 1.0, "QMC": 2.0})
    long.trials = 200
    text = report([short, long])

    assert "Short searches: 50 trials, 1 tasks, 1 seeds" in text
    assert text.index("| TPE | 2.00, 2.00, 0.200 |") < text.index("Long searches: 200 trials")
    assert text.index("Long searches: 200 trials") < text.index("| TPE | 1.00, 1.00, 0.100 |")


def test_the_rows_that_are_committed_are_as_expected() -> None:
    (latest,) = BENCHMARKS.glob("measured/hpo-*.json")
    ranges = yaml.safe_load((BENCHMARKS / "hpo_ranges.yaml").read_text())

    assert [
        v.text() for v in check(figures(read_results(latest, Row).rows), ranges) if not v.holds
    ] == []
