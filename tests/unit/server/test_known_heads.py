"""Known heads: found again for one whole request alone, and forgotten before they are many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_server.heads import Head
from winnow_server.known_heads import MOST_BYTES, KnownHead, KnownHeads

HEAD = b"POST /v2/models/digits/infer HTTP/1.1\r\ncontent-length: 4\r\n\r\n"
BODY = b"\r\n\r\n"
READ = KnownHead(b"/v2/models/digits/infer", Head(length=4), keep_alive=True)


@pytest.fixture
def heads() -> KnownHeads:
    known = KnownHeads()
    known.keep(HEAD + BODY, READ)
    return known


def test_a_head_is_known_whatever_body_of_its_length_follows(heads: KnownHeads) -> None:
    assert heads.find(HEAD + b"abcd") == (READ, b"abcd")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + BODY + b"P",
        HEAD + BODY[:-1],
        HEAD,
        HEAD.lower() + BODY,
        b"\r\n" + HEAD + BODY,
        2 * (HEAD + BODY),
        BODY,
        b"",
    ],
)
def test_nothing_is_known_of_other_bytes_or_of_more_or_less_than_one_request(
    heads: KnownHeads, data: bytes
) -> None:
    assert heads.find(data) is None


@pytest.mark.parametrize(
    "data",
    [
        HEAD + BODY + b"P",
        2 * (HEAD + BODY),
        HEAD.replace(b"\r\n\r\n", b"\n\n") + b"\r\n\r\n",
        HEAD[:-2] + b"x: " + b"x" * MOST_BYTES + b"\r\n\r\n" + BODY,
    ],
)
def test_what_was_not_one_request_of_a_short_head_is_not_kept(data: bytes) -> None:
    known = KnownHeads()

    known.keep(data, READ)

    assert len(known) == 0


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_what_is_found_is_what_was_kept_of_the_same_head(start: bytes, body: bytes) -> None:
    head = start.replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
    read = KnownHead(b"/", Head(length=len(body)), keep_alive=False)
    known = KnownHeads()

    known.keep(head + body, read)

    if len(known):
        assert known.find(head + body) == (read, body)
