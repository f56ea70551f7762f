"""From a pydantic model to the structural schema of a CRD: small transforms over a schema tree.

    inline_references -> unwrap_optional -> each node, leaves first: TRANSFORMS, check_node
                      -> told_defaults

The API server knows a part of JSON Schema and some extensions. Each transform turns one thing
that pydantic writes and the API server does not know into what it does; whatever is left over
that stands in no table here raises, so that a new kind of field is decided on and not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from winnow_operator.api.rules import LIST_MAP_KEYS, LIST_TYPE, PRESERVE_UNKNOWN, VALIDATIONS

Schema = dict[str, Any]
Transform = Callable[[Schema], Schema]

_REFERENCE = "#/$defs/"
_INT32_MAX = 2**31 - 1

_KEYS_OF_ALL = ("description", "type", "default")
_KEYS_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "string": ("enum", "pattern", "minLength", "maxLength", "format"),
    "integer": ("format", "minimum", "maximum"),
    "boolean": (),
    "array": ("minItems", "maxItems", "items", LIST_TYPE, LIST_MAP_KEYS),
    "object": ("required", "properties", PRESERVE_UNKNOWN),
}
_ORDER = (
    *_KEYS_OF_ALL,
    *dict.fromkeys(key for keys in _KEYS_OF_TYPE.values() for key in keys),
    VALIDATIONS,
)


class SchemaError(Exception):
    """A model says something that has no place in a CRD's schema yet."""


def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a model.

    Raises:
        SchemaError: if the model has something that no transform knows.
    """
    document = model.model_json_schema(by_alias=True)
    definitions = document.pop("$defs", {})
    plain = walk(inline_references(document, definitions), unwrap_optional)
    return told_defaults(walk(plain, node_schema))


def node_schema(node: Schema) -> Schema:
    """One node, whose children are done, after all transforms, checked and in order."""
    for transform in TRANSFORMS:
        node = transform(node)
    check_node(node)
    return {key: node[key] for key in _ORDER if key in node}


def walk(node: Schema, change: Transform) -> Schema:
    """The tree with each node changed, leaves first."""
    node = dict(node)
    if "properties" in node:
        node["properties"] = {k: walk(v, change) for k, v in node["properties"].items()}
    if "items" in node:
        node["items"] = walk(node["items"], change)
    if "anyOf" in node:
        node["anyOf"] = [walk(kind, change) for kind in node["anyOf"]]
    return change(node)


def told_defaults(node: Schema, *, in_list: bool = False) -> Schema:
    """The tree without defaults inside of lists: their descriptions say them.

    What the API server filled in there would differ from the document for ever: `kubectl apply`
    compares lists as a whole, and whoever deploys from a repository would be told of a drift.
    """
    node = dict(node)
    if in_list and "default" in node:
        default = node.pop("default")
        if default != "":
            node["description"] = f"{node['description']} Default: {default}."
    if "properties" in node:
        node["properties"] = {
            name: told_defaults(field, in_list=in_list)
            for name, field in node["properties"].items()
        }
    if "items" in node:
        node["items"] = told_defaults(node["items"], in_list=True)
    return node


def inline_references(
    node: Any, definitions: Mapping[str, Schema], *, inside: tuple[str, ...] = ()
) -> Any:
    """The tree without `$ref`: what stands beside a reference goes before what it names.

    Raises:
        SchemaError: if a model contains itself, which a structural schema cannot say.
    """
    if isinstance(node, list):
        return [inline_references(item, definitions, inside=inside) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {k: inline_references(v, definitions, inside=inside) for k, v in node.items()}
    name = node["$ref"].removeprefix(_REFERENCE)
    if name in inside:
        raise SchemaError(f"model {name} contains itself")
    named = inline_references(definitions[name], definitions, inside=(*inside, name))
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return merged(named, inline_references(beside, definitions, inside=inside))


def merged(named: Schema, beside: Schema) -> Schema:
    """What a field says laid over what its type says; the rules of both hold."""
    both = [*named.get(VALIDATIONS, ()), *beside.get(VALIDATIONS, ())]
    return {**named, **beside, **({VALIDATIONS: both} if both else {})}


def drop_title(node: Schema) -> Schema:
    """Without `title`, which only repeats the field's name."""
    return {key: value for key, value in node.items() if key != "title"}


def unwrap_optional(node: Schema) -> Schema:
    """`X | None` as plain X that may be left out: null is no value of its own here.

    Raises:
        SchemaError: if it is any other union.
    """
    if "anyOf" not in node:
        return node
    rest = {k: v for k, v in node.items() if k != "anyOf" and (k, v) != ("default", None)}
    kinds = [kind for kind in node["anyOf"] if kind != {"type": "null"}]
    if len(kinds) != 1 or len(node["anyOf"]) == 1:
        raise SchemaError(f"anyOf of {node['anyOf']}: only `X | None` is known")
    return merged(kinds[0], rest)


def const_to_enum(node: Schema) -> Schema:
    """`Literal["A"]` as an enum of one."""
    if "const" not in node:
        return node
    rest = {key: value for key, value in node.items() if key != "const"}
    return {**rest, "enum": [node["const"]]}


def open_object(node: Schema) -> Schema:
    """`dict[str, Any]` as an object of unknown fields, where the field says that it is one."""
    if node.get("additionalProperties") is not True or not node.get(PRESERVE_UNKNOWN):
        return node
    return {key: value for key, value in node.items() if key != "additionalProperties"}


def integer_format(node: Schema) -> Schema:
    """Whole numbers with the width that their limits need."""
    if node.get("type") != "integer" or "format" in node:
        return node
    limits = [abs(node.get(key, _INT32_MAX + 1)) for key in ("minimum", "maximum")]
    return {**node, "format": "int32" if max(limits) <= _INT32_MAX else "int64"}


def one_line_description(node: Schema) -> Schema:
    """Descriptions without the line breaks of the source."""
    if "description" not in node:
        return node
    return {**node, "description": " ".join(node["description"].split())}


def drop_empty_list_default(node: Schema) -> Schema:
    """Without `default: []`: a list that is left out is an empty one."""
    if node.get("type") == "array" and node.get("default") == []:
        return {key: value for key, value in node.items() if key != "default"}
    return node


def plain_object_default(node: Schema) -> Schema:
    """The default of an object without what is left out: nulls and empty lists.

    What remains is written out, because the API server checks rules against it as it stands.

    Raises:
        SchemaError: if the defaults of its fields would add something to it.
    """
    if node.get("type") != "object" or "default" not in node:
        return node
    plain = _without_empty(node["default"])
    filled = filled_in(plain, node)
    if plain != filled:
        raise SchemaError(f"default {plain} of an object becomes {filled} by its fields' defaults")
    return {**node, "default": plain}


def ordered_rules(node: Schema) -> Schema:
    """Rules with their parts in the order in which one reads them."""
    if VALIDATIONS not in node:
        return node
    parts = ("rule", "fieldPath", "message", "messageExpression")
    listed = [{key: rule[key] for key in parts if key in rule} for rule in node[VALIDATIONS]]
    return {**node, VALIDATIONS: listed}


def _without_empty(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {k: _without_empty(v) for k, v in value.items() if v is not None and v != []}


TRANSFORMS: tuple[Transform, ...] = (
    drop_title,
    const_to_enum,
    open_object,
    integer_format,
    one_line_description,
    drop_empty_list_default,
    plain_object_default,
    ordered_rules,
)


def filled_in(value: Any, schema: Schema) -> Any:
    """The value with the defaults that the API server fills in."""
    if isinstance(value, list):
        return [filled_in(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    fields: Mapping[str, Schema] = schema.get("properties", {})
    missing = {k: f["default"] for k, f in fields.items() if "default" in f and k not in value}
    return {k: filled_in(v, fields.get(k, {})) for k, v in {**value, **missing}.items()}


def check_node(node: Schema) -> None:
    """Refuse what the API server would refuse, and what would make its CEL rules too costly.

    Raises:
        SchemaError: naming what is wrong.
    """
    kind = str(node.get("type"))
    if kind not in _KEYS_OF_TYPE:
        raise SchemaError(f"type {kind!r} is not one of {', '.join(_KEYS_OF_TYPE)}: {node}")
    unknown = set(node) - {*_KEYS_OF_ALL, *_KEYS_OF_TYPE[kind], VALIDATIONS}
    if unknown:
        raise SchemaError(f"{', '.join(sorted(unknown))} of type {kind} is not known: {node}")
    if kind == "string" and "enum" not in node and "maxLength" not in node:
        raise SchemaError(f"a string needs maxLength, without it rules cost too much: {node}")
    if kind == "array" and not {"items", "maxItems", LIST_TYPE} <= set(node):
        raise SchemaError(f"an array needs items, maxItems and {LIST_TYPE}: {node}")
    if kind == "array" and (node[LIST_TYPE] == "map") != (LIST_MAP_KEYS in node):
        raise SchemaError(f"{LIST_MAP_KEYS} belongs to lists of type map, and only to them: {node}")
    for name, field in node.get("properties", {}).items():
        if not field.get("description"):
            raise SchemaError(f"field {name} has no docstring for kubectl explain")
