"""How figures are written for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.measuring.amounts import (
    amount_text,
    count_text,
    difference_text,
    key_words,
    limit_text,
    measured_text,
    seconds_text,
    size_text,
    speedup_text,
)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (512, "512"),
        (1023, "1023"),
        (1024, "1Ki"),
        (1434, "1.4Ki"),
        (99_328, "97Ki"),
        (1_023 * 1024, "1023Ki"),
        (1_048_575, "1Mi"),
        (44_761_000, "43Mi"),
        (5 << 30, "5Gi"),
        (1 << 60, "1024Pi"),
    ],
)
def test_sizes_are_in_binary_units(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(9.41, "9.4x"), (130.2, "130x"), (0.823, "0.82x"), (1.0, "1.0x")]
)
def test_speedups_have_as_many_digits_as_one_reads(ratio: float, text: str) -> None:
    assert speedup_text(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.000106, "106 µs"),
        (0.00249, "2.49 ms"),
        (0.9999, "1000 ms"),
        (12.34, "12.3 s"),
        (0.0, "0 s"),
        (7.04e-6, "7.04 µs"),
    ],
)
def test_times_are_in_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(906, "906"), (168_170, "168k"), (11_181_642, "11.2M"), (999_600, "1M")],
)
def test_large_numbers_are_short(count: int, text: str) -> None:
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("latency_p95_seconds@64", 0.0264, "26.4 ms"),
        ("throughput_rows_per_second@1", 5555.5, "5.56k/s"),
        ("memory_bytes", 61_000_000, "58Mi"),
        ("operations", 33_000_000, "33M"),
        ("accuracy", 0.98612, "0.9861"),
    ],
)
def test_a_figure_has_the_unit_of_its_metric(key: str, value: float, text: str) -> None:
    assert amount_text(key, value) == text


def test_a_key_is_said_in_words() -> None:
    assert key_words("latency_p95_seconds@64") == "latency_p95_seconds at batch size 64"
    assert key_words("size_bytes") == "size_bytes"


@pytest.mark.parametrize(
    ("key", "limit", "text"),
    [
        ("accuracy", 0.00005, "5e-05"),
        ("accuracy", 0.015, "0.015"),
        ("latency_p95_seconds@1", 0.0020049, "0.0020049 s"),
        ("size_bytes", 12_000_001, "12000001 bytes"),
        ("throughput_rows_per_second@64", 4000, "4000/s"),
    ],
)
def test_a_bound_is_said_as_it_was_written(key: str, limit: float, text: str) -> None:
    assert limit_text(key, limit) == text


def test_a_small_difference_is_not_rounded_to_nothing() -> None:
    assert difference_text("accuracy", 0.0123) == "0.0123"
    assert difference_text("accuracy", 0.000012) == "1.2e-05"
    assert difference_text("accuracy", 0.0) == "0.0000"


def test_a_quality_stands_with_its_standard_error() -> None:
    assert measured_text(0.9861, 0.0048) == "0.9861 +- 0.0048"
    assert measured_text(0.9861, None) == "0.9861"


@given(st.integers(0, 2**70))
def test_a_size_is_never_shown_far_from_what_it_is(size: int) -> None:
    text = size_text(size)
    number = text.rstrip("KMGTPi")
    unit = ("", "Ki", "Mi", "Gi", "Ti", "Pi").index(text.removeprefix(number))

    assert abs(float(number) * 1024**unit - size) <= 0.05 * size
