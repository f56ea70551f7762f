"""URIs of data and artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow_contract.uris import BuiltinUri, ClaimUri, UriError, parse_uri


def test_known_forms_are_read() -> None:
    assert parse_uri("builtin://digits") == BuiltinUri("digits")
    assert parse_uri("pvc://tables/a/b.csv") == ClaimUri("tables", "a/b.csv")
    assert parse_uri("pvc://tables") == ClaimUri("tables", "")


def test_a_claim_is_found_below_the_folder_of_claims() -> None:
    uri = ClaimUri("tables", "a/b.csv")

    assert uri.local("/winnow/claims") == Path("/winnow/claims/tables/a/b.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://bucket/x", "allowed are builtin://NAME and pvc://CLAIM/PATH"),
        ("builtin://iris", "allowed are builtin://digits"),
        ("pvc://", "does not name a claim"),
        ("pvc://Tables/x", "does not name a claim"),
        ("pvc://tables/../other/x", "leaves the claim"),
        ("pvc://tables//etc/passwd", "leaves the claim"),
        ("pvc://tables/a\0b", "cannot be printed"),
    ],
)
def test_other_texts_are_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(UriError) as refusal:
        parse_uri(text)

    assert words in str(refusal.value)
