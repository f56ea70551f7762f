"""The benchmark of architectures: its space, what a search finds in it, and what is said of that."""

from __future__ import annotations

import numpy as np

from benchmarks.architectures.nas import search
from benchmarks.architectures.report import BUDGETS, Row, compared, goals, report
from benchmarks.architectures.space import EPOCHS, SEEDS, SLOTS, SlotGrammar, architectures
from benchmarks.architectures.table import PATH, Table
from benchmarks.results import read_results

GRAMMAR = SlotGrammar()
MEASURED = PATH.parent


def rows(method: str, regrets: list[float]) -> list[Row]:
    return [
        Row(method, seed, [regret] * len(BUDGETS), [regret] * len(BUDGETS), 0.1)
        for seed, regret in enumerate(regrets)
    ]


def test_nets_that_differ_only_in_where_a_slot_is_skipped_are_one() -> None:
    assert GRAMMAR.text((1, 0, 0, 3, 0)) == GRAMMAR.text((0, 1, 3, 0, 0)) == "relu-64 tanh-64"
    assert GRAMMAR.canonical((0, 1, 3, 0, 0)) == (1, 3, 0, 0, 0)
    assert GRAMMAR.size() == len(set(architectures())) == 3906
    assert GRAMMAR.sequences == 6**SLOTS
    assert GRAMMAR.text(GRAMMAR.at(0)) == ""


def test_a_search_of_the_table_repeats_by_its_seed() -> None:
    source = np.random.default_rng(0)
    table = Table(source.random((len(architectures()), SEEDS, len(EPOCHS))))
    row, again = search("Evolution", 1, table), search("Evolution", 1, table)

    assert (row.regrets, row.unchecked) == (again.regrets, again.unchecked)
    assert all(0 <= regret <= 100 for regret in row.regrets)


def test_pairs_count_wins_ties_and_losses_against_random() -> None:
    found = compared(
        [*rows("Random", [0.5, 0.5, 0.5, 0.5]), *rows("TPE", [0.1, 0.5, 0.7, 0.2])], "TPE", 0
    )

    assert (found.wins, found.ties, found.losses) == (2, 1, 1)


def test_the_goals_are_met_by_a_small_regret_that_is_no_luck() -> None:
    random = rows("Random", [0.5 + seed / 100 for seed in range(20)])
    better = rows("Generative", [0.2 + seed / 200 for seed in range(20)])

    assert [met for _, met in goals([*random, *better])] == [True, True]
    assert [met for _, met in goals([*random, *rows("Generative", [0.59] * 20)])] == [True, False]
    assert "| Generative | 20 | 0.25 ± 0.01 |" in report([*random, *better])


def test_the_rows_that_are_committed_reach_the_goals() -> None:
    (latest,) = MEASURED.glob("nas-2*.json")

    assert [met for _, met in goals(read_results(latest, Row).rows)] == [True, True]
