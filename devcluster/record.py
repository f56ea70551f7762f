"""What a profile's cluster is, as one small file; there is none before the control plane stands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from devcluster.profiles import Profile


@dataclass(frozen=True, slots=True)
class Record:
    """A cluster that is up."""

    full_node: bool
    """Whether the node stands too, beside the control plane."""
    gpus: int
    prometheus: bool
    binaries: str
    """Name of the folder that its programs come from."""


def read_record(profile: Profile) -> Record | None:
    """The record, if the profile has a cluster."""
    path = profile.state / "cluster.json"
    # A cluster that an older devcluster made knows nothing of the younger fields.
    return (
        Record(**{"prometheus": False, **json.loads(path.read_text())}) if path.exists() else None
    )


def write_record(profile: Profile, record: Record) -> None:
    """Replace the record as a whole."""
    new = profile.state / ".cluster.json"
    new.write_text(json.dumps(asdict(record)) + "\n")
    new.rename(profile.state / "cluster.json")
