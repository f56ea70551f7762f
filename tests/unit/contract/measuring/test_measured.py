"""The result of a measuring pod: it always fits, reads back, and what is none is refused."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from winnow_contract.choosing.goals import measured_keys
from winnow_contract.measuring.measured import (
    PREFIX,
    MeasuredCandidate,
    MeasurementResult,
    ResultError,
    as_recorded,
    decode_measured,
    encode_measured,
)
from winnow_contract.measuring.packed_numbers import Packer, Unpacker

KEYS = measured_keys("Classification", (1, 8, 64, 256))
QUALITY = KEYS[:4]
DIGEST = "0123456789abcdef" * 4

finite = st.floats(0, 9.9e14, allow_nan=False)
whole = st.integers(0, 10**11).map(float)
figures = st.tuples(finite | whole, st.none() | finite)


def values(keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, tuple[float, float | None]]]:
    return st.dictionaries(st.sampled_from(keys), figures, max_size=len(keys))


@st.composite
def results(draw: st.DrawFn) -> MeasurementResult:
    numbers = draw(st.lists(st.integers(1, 99_999), unique=True, max_size=16))
    candidates = tuple(
        MeasuredCandidate(
            number,
            draw(st.sampled_from(["Succeeded", "Failed"])),
            values=draw(values(KEYS)),
            test=draw(values(QUALITY)),
            digest=draw(st.sampled_from(["", DIGEST])),
            size_bytes=draw(st.integers(0, 2**40)),
            cause=draw(st.sampled_from(["", "NoOp", "OutputsDiffer"])),
            message=draw(st.text(max_size=300)),
        )
        for number in numbers
    )
    return MeasurementResult("abcd1234", candidates)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(results())
def test_any_result_fits_and_reads_back_as_it_is_recorded(result: MeasurementResult) -> None:
    text = encode_measured(result)

    read = decode_measured(text)
    assert len(text.encode()) <= 4096
    assert text.isascii()
    assert as_recorded(read) == read
    for given_one, found in zip(result.candidates, read.candidates, strict=True):
        assert (found.number, found.outcome) == (given_one.number, given_one.outcome)
        assert found.digest == given_one.digest
        assert found.values.keys() == given_one.values.keys()
        for key, (value, error) in found.values.items():
            assert value == pytest.approx(given_one.values[key][0], rel=6e-3, abs=1e-17)
            assert (error is None) == (given_one.values[key][1] is None)


def worst() -> MeasurementResult:
    """Sixteen models, four batch sizes, every figure with digits that nothing compresses."""

    def figure(i: int, j: int) -> tuple[float, float]:
        value = ((i * 7919 + j * 104_729) % 999_983 / 999_983 + 0.1) * 10.0 ** (j % 20 - 8)
        return value, value * 0.0123456 * (1 + i % 3)

    candidates = [
        MeasuredCandidate(
            90_000 + i,
            "Succeeded",
            {key: figure(i, j) for j, key in enumerate(KEYS)},
            {key: figure(i + 50, j) for j, key in enumerate(QUALITY)},
            digest=base64.b16encode(bytes((i * 37 + k * 11) % 256 for k in range(32)))
            .decode()
            .lower(),
            size_bytes=43_712_345 + i * 1_234_567,
        )
        for i in range(16)
    ]
    return MeasurementResult("abcd1234", tuple(candidates))


def test_the_largest_result_keeps_four_digits_of_every_value() -> None:
    result = worst()

    read = as_recorded(result)

    for given_one, found in zip(result.candidates, read.candidates, strict=True):
        assert found.digest == given_one.digest
        assert found.size_bytes == given_one.size_bytes
        for key, (value, error) in found.values.items():
            assert value == pytest.approx(given_one.values[key][0], rel=5e-4)
            assert error == pytest.approx(given_one.values[key][1], rel=0.05)


def test_a_usual_result_loses_nothing_but_the_eighth_digit() -> None:
    keys = measured_keys("Classification", (1,))
    candidate = MeasuredCandidate(
        2,
        "Succeeded",
        {**dict.fromkeys(keys, (0.1234567, 0.00123)), "parameters": (11_181_642.0, None)},
        {"accuracy": (0.98611, 0.0062)},
        digest=DIGEST,
        size_bytes=43_712_001,
        message="14 of 20 layers run in integer kernels",
    )
    result = MeasurementResult("abcd1234", (candidate,) * 1)

    assert as_recorded(result) == result


def test_a_pod_that_measured_nothing_says_why() -> None:
    result = MeasurementResult(
        "abcd1234", cause="DamagedArtifact", message="it's 'baseline'", job_fault=True
    )

    assert as_recorded(result) == result


def test_what_is_not_finite_is_left_out() -> None:
    odd = {"f1": (float("nan"), 0.1), "accuracy": (0.5, float("inf")), "size_bytes": (1e300, None)}
    result = MeasurementResult("a", (MeasuredCandidate(1, "Failed", values=odd),))

    assert as_recorded(result).candidates[0].values == {"accuracy": (0.5, None)}


@given(st.text() | st.text().map(lambda text: PREFIX + text))
def test_whatever_a_pod_writes_it_is_a_result_or_refused(text: str) -> None:
    with pytest.raises(ResultError):
        decode_measured(text)


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 40) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("vakltpnosdcwj"), inner)
    ),
    max_leaves=10,
)


def message(words: object, digests: bytes = b"", figures: bytes = b"") -> str:
    packed = zlib.compress(json.dumps(words).encode())
    return PREFIX + ":".join(base64.b85encode(p).decode() for p in (packed, digests, figures))


@given(junk, st.dictionaries(st.sampled_from("vakltp"), junk), st.binary(max_size=40))
def test_whatever_the_words_are_it_is_a_result_or_refused(
    words: object, changes: dict[str, Any], figures: bytes
) -> None:
    good = {"v": 1, "a": "abcd", "p": [7, 3], "k": ["f1"], "l": [], "t": [{"n": 1, "o": "S"}]}
    for document in (words, {**good, **changes}):
        try:
            read = decode_measured(message(document, figures=figures))
        except ResultError:
            continue
        assert as_recorded(read) == read


def test_words_that_unpack_to_more_than_anyone_has_to_say_are_refused() -> None:
    with pytest.raises(ResultError, match="end early, or are over 65536 bytes"):
        decode_measured(message({"v": 1, "w": "a" * 200_000}))


GOOD = {"v": 1, "a": "abcd", "p": [7, 3], "k": [], "l": [], "t": []}
REFUSED = {
    "another version": ({**GOOD, "v": 9}, "is of contract version 9, this operator reads 1"),
    "no digits": ({**GOOD, "p": [0, 3]}, "'p' must be two numbers of digits"),
    "a key that is none": ({**GOOD, "k": ["energy"]}, "'k' has 'energy', which is not measured"),
    "a key twice": ({**GOOD, "k": ["f1", "f1"]}, "'k' must be a list of at most 32 keys"),
    "seventeen": ({**GOOD, "t": [{"n": 1, "o": "S"}] * 17}, "at most 16 candidates"),
    "a candidate twice": ({**GOOD, "t": [{"n": 1, "o": "S"}] * 2}, "names a candidate twice"),
    "no number": ({**GOOD, "t": [{"o": "S"}]}, "has no candidate number 'n' from 1 to 99999"),
    "no outcome": ({**GOOD, "t": [{"n": 1, "o": "X"}]}, "candidate 1 has outcome 'X'"),
    "a digest too few": ({**GOOD, "t": [{"n": 1, "o": "S", "d": 1}]}, "has fewer digests"),
    "an odd attempt": ({**GOOD, "a": "../x"}, "not the start of a pod's uid"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_result_is_refused_with_a_sentence(words: object, said: str) -> None:
    with pytest.raises(ResultError) as refusal:
        decode_measured(message(words))

    assert said in str(refusal.value)


def test_digests_and_figures_that_nothing_asks_for_are_refused() -> None:
    with pytest.raises(ResultError, match="more digests"):
        decode_measured(message(GOOD, digests=b"x" * 32))
    with pytest.raises(ResultError, match="more figures"):
        decode_measured(message(GOOD, figures=b"\x05"))


def test_more_than_a_round_measures_is_not_written() -> None:
    many = tuple(MeasuredCandidate(n, "Failed") for n in range(1, 18))

    with pytest.raises(ResultError, match="at most 16 models, not 17"):
        encode_measured(MeasurementResult("a", many))
    with pytest.raises(ResultError, match="'Active' is no outcome"):
        encode_measured(MeasurementResult("a", (MeasuredCandidate(1, "Active"),)))


signed = st.floats(-9.9e14, 9.9e14, allow_nan=False) | st.integers(-(10**11), 10**11).map(float)


@given(st.lists(st.tuples(st.none() | signed, st.integers(1, 7))))
def test_packed_figures_come_back_in_order_with_their_digits(
    listed: list[tuple[float | None, int]],
) -> None:
    packer = Packer()
    for value, digits in listed:
        packer.add(value, digits)

    unpacker = Unpacker(packer.to_bytes())
    for value, digits in listed:
        found = unpacker.take(digits)
        if value is None or found is None:
            assert found is value
        elif value.is_integer() and abs(value) < 10**12:
            assert found == value
        else:
            assert found == pytest.approx(value, rel=10.0 ** (1 - digits), abs=1e-17)
    unpacker.close()
