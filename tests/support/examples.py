"""How many examples a property test draws: few in the quick run, many in the long proofs.

The number is the profile's (tests/unit/conftest.py); a test whose examples are dear or cheap asks
for a share of it.
"""

from __future__ import annotations

from hypothesis import settings


def examples(share: float) -> int:
    """So many times the examples of the profile that is loaded, and at least two."""
    return max(2, round(share * settings().max_examples))
