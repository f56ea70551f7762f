"""Documents that a structural schema allows, as a hypothesis strategy."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from winnow_operator.api.fields import NAME_PATTERN

Schema = dict[str, Any]

MAX_ITEMS = 3
"""Enough to meet every rule about lists; longer ones only cost time."""

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def samples(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that the schema allows, with any optional field left out."""
    match schema["type"]:
        case "object" if "properties" not in schema:
            return st.dictionaries(st.text(max_size=8), _JSON, max_size=3)
        case "object":
            return _objects(schema)
        case "array":
            return _arrays(schema)
        case "string":
            return _strings(schema)
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case _:
            return st.booleans()


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: samples(field) for name, field in schema["properties"].items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in required},
        optional={name: fields[name] for name in fields if name not in required},
    )


def _arrays(schema: Schema) -> st.SearchStrategy[list[Any]]:
    keys = schema.get("x-kubernetes-list-map-keys", ())
    sizes = {
        "min_size": schema.get("minItems", 0),
        "max_size": min(schema["maxItems"], max(MAX_ITEMS, schema.get("minItems", 0))),
    }
    items = samples(schema["items"])
    if keys:
        return st.lists(items, unique_by=lambda item: tuple(item[k] for k in keys), **sizes)
    if schema["x-kubernetes-list-type"] == "set":
        return st.lists(items, unique=True, **sizes)
    return st.lists(items, **sizes)


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return st.just("2026-01-31T12:00:00Z")
    limits = schema.get("minLength", 0), schema["maxLength"]
    if schema.get("pattern") == NAME_PATTERN:
        return st.text("abcXYZ_019.-", max_size=9).map(lambda text: f"p{text}")
    if "pattern" in schema:
        texts = st.from_regex(str(schema["pattern"]), fullmatch=True)
        return texts.filter(lambda text: limits[0] <= len(text) <= limits[1])
    return st.text(min_size=limits[0], max_size=min(limits[1], 20))
