"""Keeps the rows of a benchmark in a JSON file, and goes on where an earlier call has stopped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.runs import Row


@dataclass(slots=True)
class Results:
    """Rows of complete rounds, and what they were measured on."""

    path: Path
    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    rows: list[Row] = field(default_factory=list)

    def has(self, round_number: int, parallelism: int) -> bool:
        """Whether a round was measured before."""
        return any(r.round == round_number and r.parallelism == parallelism for r in self.rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Keep the rows of a round that is complete: pairs are of the same minutes."""
        self.rows.extend(rows)
        document = {
            "machine": dict(self.machine),
            "settings": dict(self.settings),
            "rows": [asdict(row) for row in self.rows],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(document, indent=1) + "\n")
        part.rename(self.path)  # whole or not at all


def open_results(path: Path, machine: Mapping[str, Any], settings: Mapping[str, Any]) -> Results:
    """Rows to be added to; those of the file, if they were measured in the same way.

    Raises:
        ValueError: if they were not.
    """
    results = Results(path, machine, settings)
    if not path.exists():
        return results
    found = read_results(path)
    for name, old, new in (
        ("machine", found.machine, machine),
        ("settings", found.settings, settings),
    ):
        changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
        if changed:
            raise ValueError(
                f"{path.name} was measured with another {name} ({', '.join(changed)}): "
                "name another file with --output"
            )
    results.rows = found.rows
    return results


def read_results(path: Path) -> Results:
    """A file as it is."""
    document = json.loads(path.read_text())
    names = {f.name for f in fields(Row)}
    rows = [Row(**{k: v for k, v in row.items() if k in names}) for row in document["rows"]]
    return Results(path, document["machine"], document["settings"], rows)
