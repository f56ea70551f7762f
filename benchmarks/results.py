"""Keeps the rows of a benchmark in a JSON file, and goes on where an earlier call has stopped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar


class Row(Protocol):
    """What one run gave: any dataclass of plain numbers and texts."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


R = TypeVar("R", bound=Row)


class OtherResultsError(SystemExit):
    """The file holds rows that were measured in another way: what the command ends with."""


@dataclass(slots=True)
class Results(Generic[R]):
    """Rows that are complete, and what they were measured on."""

    path: Path
    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    rows: list[R] = field(default_factory=list)

    def add(self, rows: Iterable[R]) -> None:
        """Keep rows that belong together: all of them or none."""
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


def open_results(
    path: Path, row: type[R], machine: Mapping[str, Any], settings: Mapping[str, Any]
) -> Results[R]:
    """Rows to be added to; those of the file, if they were measured in the same way.

    Raises:
        OtherResultsError: if they were not.
    """
    results = Results[R](path, machine, settings)
    if not path.exists():
        return results
    found = read_results(path, row)
    for name, old, new in (
        ("machine", found.machine, machine),
        ("settings", found.settings, settings),
    ):
        changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
        if changed:
            raise OtherResultsError(
                f"{path.name} was measured with another {name} ({', '.join(changed)}): "
                "name another file with --output"
            )
    results.rows = found.rows
    return results


def read_results(path: Path, row: type[R]) -> Results[R]:
    """A file as it is.

    Args:
        path: of the file.
        row: the class of its rows; what it does not know of them is left out.
    """
    document = json.loads(path.read_text())
    names = {f.name for f in fields(row)}
    rows = [row(**{k: v for k, v in entry.items() if k in names}) for entry in document["rows"]]
    return Results(path, document["machine"], document.get("settings", {}), rows)
