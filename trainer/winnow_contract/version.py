"""The versions that stand in every assignment, result and manifest."""

from __future__ import annotations

RELEASE = "0.1.0"
"""Release of Winnow that this code belongs to."""

CONTRACT_VERSION = 1
"""Version that this code writes."""

ACCEPTED_VERSIONS = frozenset({1})
"""Versions that this code reads: its own and the one before."""


def is_accepted(version: object) -> bool:
    """Whether this code reads documents of this version, whatever stands in its place."""
    return type(version) is int and version in ACCEPTED_VERSIONS


def accepted_text() -> str:
    """The versions that this code reads, for sentences."""
    return ", ".join(str(version) for version in sorted(ACCEPTED_VERSIONS))
