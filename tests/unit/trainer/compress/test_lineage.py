"""Where an artifact comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from winnow_contract.manifests import Committed
from winnow_trainer.compress.lineage import LONGEST, lineage_from


def artifact(digest: str, **document: Any) -> Committed:
    return Committed(Path("a"), digest, 1, document)


def test_what_a_search_has_found_is_the_source_with_its_seed_and_versions() -> None:
    found = artifact(
        "aa", trial={"name": "t1", "seed": 7}, environment={"torch": "2.15.0"}, files=[1], task={}
    )

    assert lineage_from(found, "pvc://models/a") == [
        {
            "kind": "source",
            "uri": "pvc://models/a",
            "digest": "aa",
            "trial": {"name": "t1", "seed": 7},
            "environment": {"torch": "2.15.0"},
        }
    ]


def test_what_was_compressed_before_keeps_all_that_came_before_it() -> None:
    first = artifact("aa", trial={"seed": 7})
    steps = [{"prune": {"amount": 0.5}, "report": {}}]
    second = artifact(
        "bb", candidate="half", steps=steps, lineage=lineage_from(first, "pvc://models/a")
    )

    entries = lineage_from(second, "pvc://models/b")

    assert [(entry["kind"], entry["digest"]) for entry in entries] == [
        ("source", "aa"),
        ("candidate", "bb"),
    ]
    assert entries[-1]["steps"] == steps


def test_an_endless_or_broken_history_does_not_grow_without_bounds() -> None:
    odd = artifact("aa", lineage=["nonsense", *({"kind": "source"} for _ in range(LONGEST))])

    entries = lineage_from(odd, "pvc://models/a")

    assert len(entries) == LONGEST
    assert entries[-1]["digest"] == "aa"
    assert lineage_from(artifact("aa", lineage="nonsense"), "u")[0]["digest"] == "aa"
