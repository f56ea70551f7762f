"""The benchmark of engines: it measures one, tells all of it, and names what has a goal."""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.engines.cost_report import Row, figures, report
from benchmarks.engines.engine_cost import ENGINES, RANGES, SIZES, measure
from benchmarks.ranges import check
from benchmarks.results import read_results

MEASURED = Path(__file__).resolve().parents[4] / "benchmarks/measured"


def test_a_row_is_measured_of_an_engine() -> None:
    row = measure("Random", 20)

    assert (row.engine, row.trials, row.bare_ms) == ("Random", 20, None)
    assert row.ask_ms > 0
    assert row.rebuild_ms > 0


def test_the_table_has_a_line_for_each_row_the_small_sizes_first() -> None:
    rows = [Row("TPE", 1000, 10, 0.1, 12, 300, 9), Row("Grid", 100, 0.1, 0.01, None, 2, 1)]

    grid, tpe = report(rows).splitlines()[2:]
    assert grid == "| Grid | 100 | 0.10 | 0.010 | - | 2 | 1 |"
    assert tpe == "| TPE | 1000 | 10.00 | 0.100 | 12.00 | 300 | 9 |"


def test_every_goal_is_a_figure_that_a_whole_run_gives() -> None:
    rows = [Row(engine, size, 1, 1, None, 1, 1) for engine in ENGINES for size in SIZES]

    assert yaml.safe_load(RANGES.read_text()).keys() <= figures(rows).keys()


def test_the_rows_that_are_committed_reach_the_goals() -> None:
    (latest,) = MEASURED.glob("engine-cost-*.json")
    goals = yaml.safe_load(RANGES.read_text())

    assert [
        v.text() for v in check(figures(read_results(latest, Row).rows), goals) if not v.holds
    ] == []
