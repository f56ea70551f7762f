"""The replay of early stopping, and the figures that follow from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ranges import check
from benchmarks.results import Results
from benchmarks.stopping.pods import curve
from benchmarks.stopping.replay import Climb, cut, in_one_pod, one_epoch, side_by_side, to_the_end
from benchmarks.stopping.report import Row, figures, noise, report
from tests.support.chart import ROOT
from winnow_contract.stopping import ASHA, MEDIAN, StoppingRule

VALUES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
CLIMBS = st.lists(st.lists(VALUES, min_size=4, max_size=4), min_size=1, max_size=12)
RULES = st.sampled_from([StoppingRule(ASHA), StoppingRule(MEDIAN)])


def climbs_of(values: list[list[float]]) -> dict[int, Climb]:
    return {
        number: Climb({1: a, 3: b, 9: c}, final, final, 0.01, 27, 0.1)
        for number, (a, b, c, final) in enumerate(values, 1)
    }


@given(CLIMBS, RULES)
def test_one_worker_across_pods_decides_what_the_trainer_of_one_pod_does(
    values: list[list[float]], rule: StoppingRule
) -> None:
    climbs = climbs_of(values)

    assert side_by_side(climbs, rule, 1) == in_one_pod(climbs, rule)


@given(CLIMBS, RULES, st.integers(1, 5))
def test_a_search_spends_no_more_and_its_winner_ran_to_its_end(
    values: list[list[float]], rule: StoppingRule, workers: int
) -> None:
    climbs = climbs_of(values)

    played = side_by_side(climbs, rule, workers)

    assert played.epochs.keys() == climbs.keys()
    assert played.spent <= to_the_end(climbs).spent
    assert played.epochs[played.winner] == 27
    assert set(played.epochs.values()) <= {1, 3, 9, 27}


def test_the_baseline_goes_on_with_the_best_after_one_epoch() -> None:
    climbs = climbs_of([[0.1, 0, 0, 0.9], [0.3, 0, 0, 0.5], [0.2, 0, 0, 0.8]])

    played = one_epoch(climbs, 2)

    assert (played.epochs, played.winner) == ({1: 1, 2: 27, 3: 27}, 3)
    assert to_the_end(climbs).winner == 1
    assert cut(climbs, {1: 9, 2: 27, 3: 26}).winner == 2


def test_a_pod_reports_between_rungs_what_was_at_the_one_before() -> None:
    played = curve(Climb({1: 0.1, 3: 0.3}, 0.5, 0.5, 0.01, 5, 0.1))

    assert played == [0.1, 0.1, 0.3, 0.3, 0.5]


def row(seed: int, lost: float, method: str = "asha, 4 pods") -> Row:
    return Row("digits", seed, method, 24, 250, 648, 0.97 - lost / 100, 0.97, 0.009)


def test_a_loss_within_noise_is_none_and_one_beyond_is_told() -> None:
    within = [row(seed, lost) for seed, lost in enumerate((0.5, -0.5, 1.0, 0.0, 0.5))]
    beyond = [row(seed, lost) for seed, lost in enumerate((3.0, 3.5, 2.5, 3.0, 3.0))]

    assert figures(within)["digits_asha_4_pods_lost_beyond_noise"] == 0
    assert noise(beyond) == pytest.approx(2 * 0.9 / 5**0.5)
    assert figures(beyond)["digits_asha_4_pods_lost_beyond_noise"] == pytest.approx(
        3 - noise(beyond)
    )
    assert figures(within)["digits_asha_4_pods_saved"] == pytest.approx(1 - 250 / 648)


def test_the_report_has_a_line_for_each_method_and_the_ranges_name_its_figures() -> None:
    pods = [
        replace(row(seed, 0.0, "asha, real pods"), seconds_to_stop=[4.0, 9.0]) for seed in (1, 2)
    ]
    rows = [row(1, 0.5), row(2, 0.0), *pods]
    ranges = yaml.safe_load((ROOT / "benchmarks/early_stopping_ranges.yaml").read_text())

    made = figures([*rows, *(replace(r, task="mnist5k") for r in rows)])
    text = report(Results(Path("x"), {"cores": 2}, {}, rows), check(made, ranges))

    assert ranges.keys() <= made.keys()
    assert "asha, 4 pods" in text
    assert "4.0 s" in text
