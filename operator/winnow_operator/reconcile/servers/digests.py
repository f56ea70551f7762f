"""Documents as digests: what was wanted before is kept as 64 characters, however long it is."""

from __future__ import annotations

import hashlib
import json


def digest(value: object) -> str:
    """The same for the same value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
