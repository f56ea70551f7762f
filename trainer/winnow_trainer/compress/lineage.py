"""Where an artifact comes from: an entry for each model before it, the oldest first.

The last entry is the artifact's own source. Entries say all that is needed to make a model again:
what was done to it, from which seed, with which versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from winnow_contract.manifests import Committed

SOURCE, CANDIDATE = "source", "candidate"
HANDED_ON = ("job", "trial", "candidate", "steps", "values", "environment", "createdAt")
"""What an entry takes over from the manifest of the model that it is about."""
LONGEST = 64
"""Entries; a model that was compressed more often than that has lost its beginnings."""


def lineage_from(parent: Committed, uri: str) -> list[dict[str, Any]]:
    """The lineage of what is made from an artifact.

    Args:
        parent: the artifact.
        uri: where it lies.
    """
    document = parent.document
    before = document.get("lineage")
    listed = before if isinstance(before, list) else []
    entries = [entry for entry in listed if isinstance(entry, dict)]
    return [*entries, _entry(document, parent.digest, uri)][-LONGEST:]


def _entry(document: Mapping[str, Any], digest: str, uri: str) -> dict[str, Any]:
    return {
        "kind": CANDIDATE if document.get("candidate") else SOURCE,
        "uri": uri,
        "digest": digest,
        **{key: document[key] for key in HANDED_ON if key in document},
    }
