"""Cases of a parametrized test that only the long proofs run, beside those of the quick run."""

from __future__ import annotations

from typing import Any

import pytest


def proofs(*cases: Any) -> list[Any]:
    """The cases as parameters that `scripts/test prove` runs; a tuple is one case of several."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.prove)
        for case in cases
    ]
