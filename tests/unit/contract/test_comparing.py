"""What operator and probe say to each other about two revisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.comparing import (
    MAX_ROWS,
    Compared,
    Comparison,
    decode_compared,
    encode_compared,
    read_comparison,
    variables,
)
from winnow_contract.errors import EnvironmentVariableError, ResultError
from winnow_contract.message_fields import MAX_BYTES

STABLE = "http://10.0.0.7:8080/v2/models/digits/versions/1"
CANARY = "http://[fd00::7]:8080/v2/models/digits/versions/2"
COUNTS = st.integers(0, MAX_ROWS).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def test_the_probe_reads_back_what_the_operator_writes() -> None:
    asked = Comparison(STABLE, CANARY, 0.25)

    assert read_comparison(variables(asked)) == asked


@pytest.mark.parametrize("name", ["WINNOW_COMPARE_STABLE", "WINNOW_COMPARE_CANARY"])
@pytest.mark.parametrize(
    "value", ["", "10.0.0.7", "http://10.0.0.7/v2", "http://a:b/x", "https://a:1/x", "http://[::/x"]
)
def test_what_is_no_url_of_a_model_is_refused_by_name(name: str, value: str) -> None:
    given = {**variables(Comparison(STABLE, CANARY)), name: value}

    with pytest.raises(EnvironmentVariableError, match=name):
        read_comparison(given)


@given(COUNTS, st.text())
def test_what_a_probe_has_found_survives_the_way(counts: tuple[int, int], problem: str) -> None:
    message = encode_compared(Compared(*counts, problem))

    found = decode_compared(message)

    assert (found.rows, found.equal) == counts
    assert len(found.problem) <= 256
    assert len(message.encode()) <= MAX_BYTES


@given(st.text() | st.from_regex(r'\{"v":1,"rows":-?[0-9]{1,5},"equal":-?[0-9]{1,5}\}'))
def test_a_message_is_a_sound_result_or_refused(text: str) -> None:
    try:
        found = decode_compared(text)
    except ResultError:
        return

    assert 0 <= found.equal <= found.rows <= MAX_ROWS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"v":99,"rows":1,"equal":1}',
        '{"v":1,"rows":true,"equal":1}',
        '{"v":1,"rows":1,"equal":2}',
        '{"v":1,"rows":NaN,"equal":0}',
        '{"v":1,"rows":1,"equal":1,"w":7}',
        "[" * 100_000,
    ],
)
def test_what_no_probe_says_is_refused(text: str) -> None:
    with pytest.raises(ResultError):
        decode_compared(text)
