"""The measurement of compressed networks: its figures, choice, tables and expected ranges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.compressing.compression import RANGES, expected
from benchmarks.compressing.report import EAGER, Measured, Row, figures, report
from benchmarks.compressing.subjects import INT8, Subject, subjects
from benchmarks.ranges import check
from benchmarks.results import open_results, read_results
from winnow_contract.steps.chains import BASELINE, check_chain

DRIFT = (1.0, 2.0, 0.5, 3.0, 1.5)
"""How slow the machine is in each turn."""
RESNET, TRANSFORMER = subjects()


def row(name: str, *, accuracy: float, size: int, ms: float) -> Row:
    quality = {"accuracy": [accuracy, 0.004]}
    return Row(
        subject=RESNET.name,
        name=name,
        steps=[],
        values={**quality, "parameters": [1000, None], "size_bytes": [size, None]},
        test={"accuracy": [accuracy - 0.01, 0.004]},
        seconds=[ms / 1000 * factor for factor in DRIFT],
        processor=[ms / 2000] * len(DRIFT),
        load_before=0.1,
        built_by=["abc"],
    )


def measured(subject: Subject, student_accuracy: float = 0.98) -> list[Row]:
    eager = row(EAGER, accuracy=0.99, size=0, ms=20)
    rows = [
        row(BASELINE, accuracy=0.99, size=44_000_000, ms=4),
        row(INT8, accuracy=0.988, size=11_000_000, ms=1),
        row("student", accuracy=student_accuracy, size=400_000, ms=0.1),
        replace(eager, values={k: v for k, v in eager.values.items() if k != "size_bytes"}),
    ]
    return [replace(made, subject=subject.name) for made in rows]


def test_figures_are_of_the_fastest_candidate_that_meets_the_goals() -> None:
    assert figures([RESNET], measured(RESNET)) == pytest.approx(
        {
            "resnet_accuracy_validation": 99.0,
            "resnet_accuracy_test": 98.0,
            "resnet_int8_lost_validation": 0.2,
            "resnet_int8_lost_test": 0.2,
            "resnet_smaller": 110.0,
            "resnet_faster_than_onnx": 40.0,
            "resnet_faster_than_eager": 200.0,
            "resnet_cheaper_than_onnx": 40.0,
            "resnet_cheaper_than_eager": 200.0,
            "resnet_lost_validation": 1.0,
            "resnet_lost_test": 1.0,
        }
    )


def test_a_ratio_is_of_the_same_turn_so_that_a_drift_cancels() -> None:
    interval = Measured(RESNET, measured(RESNET)).faster("student", EAGER)

    assert (interval.low, interval.high) == pytest.approx((200, 200))


def test_where_no_candidate_meets_the_goals_no_figure_of_a_best_one_is_made() -> None:
    rows = measured(RESNET, student_accuracy=0.95)
    made = figures([RESNET], rows)

    assert "resnet_smaller" not in made
    assert not all(verdict.holds for verdict in expected([RESNET], rows))
    assert "student came closest" in report({}, [RESNET], rows, []).replace("'", "")


def test_the_choice_does_not_see_the_test_split() -> None:
    rows = measured(RESNET)
    worse = [replace(r, test={"accuracy": [0.1, 0.01]}) if r.name == "student" else r for r in rows]

    assert Measured(RESNET, worse).choice() == Measured(RESNET, rows).choice()
    assert figures([RESNET], worse)["resnet_lost_test"] > 80


def test_what_was_not_measured_is_named_and_holds_no_range() -> None:
    failed = Row(RESNET.name, "broken", [], {}, {}, [], [], 0.0, [], "NaN: the loss is nan")
    text = report({"cpu": "some"}, [RESNET, TRANSFORMER], [*measured(RESNET), failed], [])

    assert "broken" in text
    assert "not measured: NaN: the loss is nan" in text
    assert text.splitlines()[0] == "cpu some"
    assert "  not measured" in text.splitlines()
    assert not any(verdict.holds for verdict in expected([TRANSFORMER], measured(RESNET)))


def test_every_expected_range_names_a_figure_that_a_full_measurement_makes() -> None:
    rows = [*measured(RESNET), *measured(TRANSFORMER)]

    assert set(yaml.safe_load(RANGES.read_text())) <= set(figures([RESNET, TRANSFORMER], rows))


def test_only_the_ranges_of_the_chosen_networks_are_expected() -> None:
    names = [verdict.name for verdict in expected([RESNET], measured(RESNET))]

    assert names
    assert all(name.startswith("resnet_") for name in names)


def test_rows_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    rows = measured(RESNET)
    open_results(tmp_path / "rows.json", Row, {}, {}).add(rows)
    again = read_results(tmp_path / "rows.json", Row).rows

    assert report({}, [RESNET], again, check({}, {})) == report({}, [RESNET], rows, check({}, {}))


@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)
def test_every_chain_can_be_run_on_its_family_and_the_goals_are_measured(subject: Subject) -> None:
    assert all(check_chain(steps, subject.family) == [] for steps in subject.candidates.values())
    assert INT8 in subject.candidates
    assert len(subject.parsed_goals) == 3
