"""The comparison of techniques: paired differences, and words that say no more than they show."""

from __future__ import annotations

import pytest

from benchmarks.compressing.technique_report import Row, differences, report


def rows(*differences: float) -> list[Row]:
    return [
        Row(
            "cut",
            seed,
            {"taylor": 0.9 + more / 100, "random": 0.9},
            {"taylor": 0.5, "random": None},
            0.95,
        )
        for seed, more in enumerate(differences)
    ]


def table(*differences: float) -> list[str]:
    text = report({"cpu": "some"}, {"cut": "half is cut"}, rows(*differences))
    return text.splitlines()


def test_differences_are_those_of_one_seed_in_points() -> None:
    assert differences(rows(1, -2), "taylor") == pytest.approx([1, -2])


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ((1, 2, 3, 4, 5), "better"),
        ((-1, -2, -3, -4, -5), "worse"),
        ((-1, 2, 3, 4, 5), "no difference seen"),
        ((0, 0, 0, 0, 0), "no difference seen"),
    ],
)
def test_a_side_is_better_only_where_the_whole_interval_is(
    values: tuple[float, ...], word: str
) -> None:
    line = next(line for line in table(*values) if "taylor" in line)

    assert f" {word}: " in line
    assert "at 94%" in line


def test_the_table_shows_source_start_and_control() -> None:
    lines = table(1, 1, 1, 1, 1)

    assert lines[0] == "cpu some"
    assert lines[2] == "cut: half is cut"
    assert [line.split()[:3] for line in lines[4:]] == [
        ["source", "95.00", "(5"],
        ["taylor", "50.0", "91.00"],
        ["random", "-", "90.00"],
    ]
    assert lines[-1].endswith("control")


def test_too_few_seeds_give_no_interval_and_none_no_table() -> None:
    assert any("too few seeds for an interval: +1.0" in line for line in table(1, 1))
    assert "not measured" in report({}, {"other": "never"}, rows(1))
