"""What is sent to server-side apply means the same to a JSON and to a YAML parser."""

from __future__ import annotations

import json

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from winnow_operator.kube.apply_text import apply_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
@example("🦆")
@example("\x7f\x85\x9f")
@example("\u2028\ufeff\ufffe\uffff")
@example('"\\\n\t\x00')
def test_any_text_is_read_back_by_json_and_by_yaml(text: str) -> None:
    document = {"status": {"words": text, "list": [text, 1, None, True]}}

    sent = apply_text(document)

    assert json.loads(sent) == document
    assert yaml.safe_load(sent) == document


def test_what_is_no_text_does_not_stop_a_write() -> None:
    assert json.loads(apply_text({"words": "a\ud800b"})) == {"words": "a?b"}
