"""Figures of the comparison of servers: ratios within a round, medians over them."""

from __future__ import annotations

from benchmarks.ranges import check
from benchmarks.servers.figures import Row, figures, report


def row(number: int, server: str, per_second: float, connections: int = 32) -> Row:
    return Row(
        number,
        "mlp",
        server,
        connections,
        per_second,
        p50_milliseconds=1.5,
        p99_milliseconds=4.25,
        failed=number - 1,
        cpu_microseconds=50.0,
        memory_mib=70.0,
        image_mib=0.0,
        load=0.5,
    )


ROWS = [
    row(1, "winnow", 800.0),
    row(1, "mlserver", 200.0),
    row(2, "winnow", 1000.0),
    row(2, "mlserver", 200.0),
    row(3, "winnow", 900.0),
    row(3, "mlserver", 100.0),
    row(1, "winnow, no batching", 700.0),
    row(3, "kserve", 90.0, connections=1),
]


def test_a_ratio_is_that_of_one_round_and_the_median_counts() -> None:
    assert figures(ROWS) == {"mlp_32_over_mlserver": 5.0}


def test_the_table_has_medians_and_counts_every_failure() -> None:
    verdicts = check(figures(ROWS), {"mlp_32_over_mlserver": {"min": 4}, "other": {"min": 1}})

    lines = report(ROWS, {"cpu": "a processor"}, verdicts).splitlines()

    assert lines[0] == "cpu a processor"
    assert "| mlp | winnow | 32 | 900 | 1.50 | 4.25 | 50 | 70 |  | 3 |" in lines
    assert lines[-2].startswith("ok   mlp_32_over_mlserver")
    assert lines[-1].startswith("FAIL other")
