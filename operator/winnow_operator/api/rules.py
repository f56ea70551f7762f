"""What a JSON schema cannot say of a model: CEL rules with a sentence each, and kinds of lists.

They stand in `json_schema_extra` beside the field or class that they are about; `schema_tree`
takes them over as they are. A rule's sentence names the field, the value given and what is
allowed, because it is all that a person sees of a refused document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from winnow_operator.api.fields import DECIMAL_PATTERN, DURATION_EXAMPLE, DURATION_PATTERN

VALIDATIONS = "x-kubernetes-validations"
LIST_TYPE = "x-kubernetes-list-type"
LIST_MAP_KEYS = "x-kubernetes-list-map-keys"
PRESERVE_UNKNOWN = "x-kubernetes-preserve-unknown-fields"


@dataclass(frozen=True, slots=True)
class Rule:
    """One CEL rule; a rule that names `oldSelf` is about changes."""

    rule: str
    """What must be true of `self`."""
    message: str
    """The sentence, where no value can be named or naming it fails."""
    expression: str = ""
    """A CEL expression of the sentence, which names the value given."""
    path: str = ""
    """The field to blame, as `.budget.maxTrials`, where it is one below `self`."""

    def document(self) -> dict[str, Any]:
        """The rule as it stands in a CRD."""
        optional = {"messageExpression": self.expression, "fieldPath": self.path}
        given = {key: value for key, value in optional.items() if value}
        return {"rule": self.rule, "message": self.message, **given}


def said(sentence: str, *values: str) -> str:
    """A CEL expression of a sentence with the values of CEL expressions in place of each `%s`.

    By format() and not by `+`, because the API server takes a text that is made from a number as
    endless, and refuses the rule as too costly.

    Raises:
        ValueError: if the values are not as many as the sentence takes.
    """
    if "'" in sentence or sentence.count("%s") != len(values):
        raise ValueError(f"{sentence!r} does not take {len(values)} values")
    listed = ", ".join(f"dyn({value})" for value in values)
    return f"'{sentence}'.format([{listed}])"


def duration_rule(name: str, least: str, most: str) -> Rule:
    """The rule that a duration is one, and neither too short nor too long.

    Args:
        name: the field.
        least: the shortest, as `1s`.
        most: the longest.
    """
    return Rule(
        f"!has(self.{name}) || (self.{name}.matches('{DURATION_PATTERN}') && "
        f"duration(self.{name}) >= duration('{least}') && "
        f"duration(self.{name}) <= duration('{most}'))",
        f"{name} must be from {least} to {most}, such as {DURATION_EXAMPLE}",
        said(
            f"{name} is %s, allowed are durations from {least} to {most}, such as {DURATION_EXAMPLE}",
            f"self.{name}",
        ),
        f".{name}",
    )


def no_decimals(*values: str) -> str:
    """A CEL condition: one of these texts is no number, which its own pattern refuses.

    Beside `||` with it, a comparison of numbers says nothing of its own about such texts.
    """
    return " || ".join(f"!{value}.matches(r'{DECIMAL_PATTERN}')" for value in values)


def limit(field: str, condition: str, allowed: str) -> Rule:
    """A rule about one decimal field; what is no number, the pattern refuses.

    Args:
        field: its name, as `maxDrop`.
        condition: in CEL, with `{0}` in place of the number.
        allowed: what the condition says, in words.
    """
    value = f"self.{field}"
    return Rule(
        f"!has({value}) || {no_decimals(value)} || ({condition.format(f'double({value})')})",
        f"{field} must be {allowed}",
        said(f"{field} is %s, allowed are {allowed}", value),
        f".{field}",
    )


def rules(*listed: Rule) -> dict[str, Any]:
    """These rules as `json_schema_extra`."""
    return {VALIDATIONS: [rule.document() for rule in listed]}


def named_list(key: str) -> dict[str, Any]:
    """A list of objects of which each has its own value in the field `key`."""
    return {LIST_TYPE: "map", LIST_MAP_KEYS: [key]}


def set_list() -> dict[str, Any]:
    """A list without repeats."""
    return {LIST_TYPE: "set"}


def atomic_list() -> dict[str, Any]:
    """A list that is replaced as a whole."""
    return {LIST_TYPE: "atomic"}


def unknown_fields() -> dict[str, Any]:
    """An object whose fields the schema does not name."""
    return {PRESERVE_UNKNOWN: True}


_EDITABLE = "Only budget, suspend and ttlSecondsAfterFinished can be edited"


def unchanged(
    field: str, *, optional: bool = False, kind: str = "SearchJob", editable: str = _EDITABLE
) -> Rule:
    """The rule that a field of the spec never changes.

    Args:
        field: its name, as `task`.
        optional: it has no default and may be missing.
        kind: of the job.
        editable: a sentence about what can be edited instead.
    """
    same = f"self.{field} == oldSelf.{field}"
    if optional:
        same = f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {same})"
    return Rule(
        same,
        f"spec.{field} cannot change once the job is made, or its trials would not be comparable: "
        f"make a new {kind}. {editable}",
        path=f".{field}",
    )


INSIDE_CLAIM = Rule(
    "!self.uri.matches('(^|/)[.][.](/|$)')",
    "uri must not leave the claim: '..' is not allowed in its path",
    said("uri is %s, which leaves the claim: .. is not allowed in its path", "self.uri"),
    ".uri",
)
