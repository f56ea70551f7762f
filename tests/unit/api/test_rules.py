"""CEL rules and their sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from winnow_operator.api.crd import KINDS
from winnow_operator.api.rules import VALIDATIONS, Rule, said, unchanged
from winnow_operator.api.schema_tree import Schema, structural_schema


def test_a_rule_holds_what_it_is_given_and_no_more() -> None:
    assert Rule("a", "b").document() == {"rule": "a", "message": "b"}
    assert Rule("a", "b", "c", ".d").document() == {
        "rule": "a",
        "message": "b",
        "messageExpression": "c",
        "fieldPath": ".d",
    }


def test_a_sentence_is_a_format_of_its_values() -> None:
    assert said("a is %s, b is %s", "self.a", "1") == (
        "'a is %s, b is %s'.format([dyn(self.a), dyn(1)])"
    )


@pytest.mark.parametrize("sentence", ["it's %s", "%s and %s", "none"])
def test_a_sentence_that_would_not_compile_is_refused(sentence: str) -> None:
    with pytest.raises(ValueError, match="does not take 1 values"):
        said(sentence, "self.a")


def test_a_field_that_may_be_missing_stays_missing_or_the_same() -> None:
    rule = unchanged("task", optional=True)

    assert rule.rule == (
        "has(self.task) == has(oldSelf.task) && (!has(self.task) || self.task == oldSelf.task)"
    )
    assert rule.path == ".task"


def nodes(node: Schema) -> Iterator[Schema]:
    yield node
    for field in node.get("properties", {}).values():
        yield from nodes(field)
    if "items" in node:
        yield from nodes(node["items"])


def all_rules() -> list[tuple[Schema, dict[str, Any]]]:
    trees = [structural_schema(kind.model) for kind in KINDS]
    return [(n, rule) for tree in trees for n in nodes(tree) for rule in n.get(VALIDATIONS, ())]


def test_every_rule_blames_a_field_that_exists() -> None:
    listed = all_rules()

    assert len(listed) > 30
    for node, rule in listed:
        place = node
        for name in rule.get("fieldPath", "").split(".")[1:]:
            assert name in place["properties"], rule
            place = place["properties"][name]


def test_every_sentence_is_one_line_that_names_what_is_allowed_or_what_to_do() -> None:
    for _, rule in all_rules():
        assert "\n" not in rule["message"]
        assert 20 < len(rule["message"]) < 220
        assert not rule["message"].endswith(".")
