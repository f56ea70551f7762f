"""Each transform from pydantic's schema to a structural one."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field

from winnow_operator.api.rules import LIST_TYPE, VALIDATIONS, Rule, rules, set_list, unknown_fields
from winnow_operator.api.schema_tree import (
    SchemaError,
    check_node,
    const_to_enum,
    drop_empty_list_default,
    drop_title,
    filled_in,
    inline_references,
    integer_format,
    merged,
    one_line_description,
    open_object,
    ordered_rules,
    plain_object_default,
    structural_schema,
    told_defaults,
    unwrap_optional,
    walk,
)

TEXT = {"type": "string", "maxLength": 5}


def test_a_reference_becomes_what_it_names_and_words_beside_it_win() -> None:
    definitions = {"A": {"type": "object", "description": "of the class", "default": 1}}
    node = {"properties": {"a": {"$ref": "#/$defs/A", "description": "of the field"}}}

    inlined = inline_references(node, definitions)

    assert inlined["properties"]["a"] == {
        "type": "object",
        "description": "of the field",
        "default": 1,
    }


def test_a_model_inside_itself_is_refused() -> None:
    definitions = {"A": {"properties": {"again": {"$ref": "#/$defs/A"}}}}

    with pytest.raises(SchemaError, match="A contains itself"):
        inline_references({"$ref": "#/$defs/A"}, definitions)


def test_the_same_model_may_stand_in_two_places() -> None:
    definitions = {"A": dict(TEXT)}
    node = {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}}}

    assert inline_references(node, definitions)["properties"] == {"a": TEXT, "b": TEXT}


def test_rules_of_a_class_and_of_a_field_both_hold() -> None:
    one, two = {"rule": "1"}, {"rule": "2"}

    both = merged({VALIDATIONS: [one]}, {VALIDATIONS: [two], "description": "x"})

    assert both == {VALIDATIONS: [one, two], "description": "x"}


def test_walk_changes_leaves_before_what_holds_them() -> None:
    seen: list[str] = []
    tree = {
        "type": "root",
        "properties": {"list": {"type": "list", "items": {"type": "leaf"}}},
        "anyOf": [{"type": "kind"}],
    }

    def note(node: dict[str, Any]) -> dict[str, Any]:
        seen.append(node["type"])
        return node

    walk(tree, note)

    assert seen == ["leaf", "list", "kind", "root"]


def test_a_title_goes() -> None:
    assert drop_title({"title": "X", **TEXT}) == TEXT


def test_a_property_named_title_stays() -> None:
    node = {"type": "object", "properties": {"title": TEXT}}

    assert walk(node, drop_title) == node


def test_an_optional_field_is_its_type_without_default() -> None:
    node = {"anyOf": [TEXT, {"type": "null"}], "default": None, "description": "d"}

    assert unwrap_optional(node) == {**TEXT, "description": "d"}


def test_an_optional_field_with_a_default_keeps_it() -> None:
    node = {"anyOf": [TEXT, {"type": "null"}], "default": "a"}

    assert unwrap_optional(node) == {**TEXT, "default": "a"}


@pytest.mark.parametrize("kinds", [[TEXT, {"type": "integer"}], [{"type": "null"}], [TEXT]])
def test_any_other_union_is_refused(kinds: list[Any]) -> None:
    with pytest.raises(SchemaError, match=r"only `X \| None` is known"):
        unwrap_optional({"anyOf": kinds})


def test_a_literal_becomes_an_enum_of_one() -> None:
    assert const_to_enum({"const": "A", "type": "string"}) == {"enum": ["A"], "type": "string"}


def test_a_dictionary_becomes_an_object_of_unknown_fields_where_the_field_says_so() -> None:
    node = {"type": "object", "additionalProperties": True}

    assert open_object({**node, **unknown_fields()}) == {"type": "object", **unknown_fields()}
    assert open_object(node) == node


@pytest.mark.parametrize(
    ("limits", "width"),
    [
        ({}, "int64"),
        ({"minimum": 0}, "int64"),
        ({"minimum": 0, "maximum": 7}, "int32"),
        ({"minimum": 0, "maximum": 2**31 - 1}, "int32"),
        ({"minimum": 0, "maximum": 2**31}, "int64"),
        ({"minimum": -(2**40), "maximum": 0}, "int64"),
    ],
)
def test_whole_numbers_are_as_wide_as_their_limits_need(limits: dict[str, int], width: str) -> None:
    assert integer_format({"type": "integer", **limits})["format"] == width


def test_a_description_has_no_line_breaks() -> None:
    node = {"description": "One\n    sentence.\n"}

    assert one_line_description(node) == {"description": "One sentence."}


def test_an_empty_list_is_no_default() -> None:
    assert drop_empty_list_default({"type": "array", "default": []}) == {"type": "array"}
    kept = {"type": "array", "default": ["a"]}
    assert drop_empty_list_default(kept) == kept


def test_the_default_of_an_object_has_no_nulls_and_no_empty_lists() -> None:
    node = {
        "type": "object",
        "properties": {"a": {"type": "integer", "default": 1}},
        "default": {"a": 1, "b": None, "c": []},
    }

    assert plain_object_default(node)["default"] == {"a": 1}


def test_a_default_that_its_fields_would_add_to_is_refused() -> None:
    node = {
        "type": "object",
        "properties": {"a": {"type": "integer", "default": 1}},
        "default": {},
    }

    with pytest.raises(SchemaError, match="by its fields' defaults"):
        plain_object_default(node)


def test_rules_read_rule_first() -> None:
    node = {VALIDATIONS: [{"message": "m", "fieldPath": ".f", "rule": "r"}]}

    (rule,) = ordered_rules(node)[VALIDATIONS]

    assert list(rule) == ["rule", "fieldPath", "message"]


def test_defaults_are_filled_in_at_every_depth() -> None:
    schema = {
        "properties": {
            "a": {"default": {}, "properties": {"b": {"default": 1}}},
            "list": {"items": {"properties": {"c": {"default": 2}}}},
            "none": {},
        }
    }

    filled = filled_in({"list": [{}, {"c": 3}], "unknown": "kept"}, schema)

    assert filled == {"a": {"b": 1}, "list": [{"c": 2}, {"c": 3}], "unknown": "kept"}


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "number"}, "type 'number' is not one of"),
        ({"properties": {}}, "type 'None' is not one of"),
        ({**TEXT, "contentEncoding": "base64"}, "contentEncoding of type string is not known"),
        ({"type": "integer", "exclusiveMinimum": 0}, "exclusiveMinimum of type integer"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems of type array"),
        ({"type": "object", "additionalProperties": False}, "additionalProperties of type object"),
        ({"type": "string"}, "a string needs maxLength"),
        ({"type": "array", "items": TEXT, "maxItems": 3}, "an array needs items, maxItems and"),
        ({"type": "array", "items": TEXT, LIST_TYPE: "set"}, "an array needs items, maxItems and"),
        (
            {"type": "array", "items": TEXT, "maxItems": 3, LIST_TYPE: "map"},
            "belongs to lists of type map",
        ),
        ({"type": "object", "properties": {"a": TEXT}}, "field a has no docstring"),
    ],
)
def test_what_the_table_does_not_know_is_refused(node: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        check_node(node)


class Inner(BaseModel):
    """Inner words."""

    model_config = ConfigDict(
        use_attribute_docstrings=True, json_schema_extra=rules(Rule("self.n > 0", "n is not"))
    )

    n: int = Field(default=1, ge=0, le=9)
    """A number."""
    kind: Literal["A"] = "A"
    """Only A."""


class Outer(BaseModel):
    """Outer words."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    inner: Inner = Inner()
    """A
    part."""
    words: Optional[tuple[Annotated[str, Field(max_length=3)], ...]] = Field(  # noqa: UP045 -- both spellings must do
        default=None, max_length=2, json_schema_extra=set_list()
    )
    """Some words."""


def test_a_whole_model_comes_out_structural() -> None:
    assert structural_schema(Outer) == {
        "description": "Outer words.",
        "type": "object",
        "properties": {
            "inner": {
                "description": "A part.",
                "type": "object",
                "default": {"n": 1, "kind": "A"},
                "properties": {
                    "n": {
                        "description": "A number.",
                        "type": "integer",
                        "default": 1,
                        "format": "int32",
                        "minimum": 0,
                        "maximum": 9,
                    },
                    "kind": {
                        "description": "Only A.",
                        "type": "string",
                        "default": "A",
                        "enum": ["A"],
                    },
                },
                VALIDATIONS: [{"rule": "self.n > 0", "message": "n is not"}],
            },
            "words": {
                "description": "Some words.",
                "type": "array",
                "maxItems": 2,
                "items": {"type": "string", "maxLength": 3},
                LIST_TYPE: "set",
            },
        },
    }


class Number(BaseModel):
    """A model that has no place in a CRD."""

    share: float
    """A float never stands in a spec."""


def test_a_float_is_refused() -> None:
    with pytest.raises(SchemaError, match="number"):
        structural_schema(Number)


def test_a_default_inside_of_a_list_is_told_and_not_filled_in() -> None:
    field = {"type": "integer", "default": 6, "description": "Epochs."}
    inner = {"type": "object", "properties": {"epochs": field}}
    tree = {"type": "object", "properties": {"epochs": field, "steps": {"items": inner}}}

    told = told_defaults(tree)["properties"]

    assert told["epochs"] == field
    assert told["steps"]["items"]["properties"]["epochs"] == {
        "type": "integer",
        "description": "Epochs. Default: 6.",
    }
