"""The closed list of reasons: all of them are given by something."""

from __future__ import annotations

import re
from pathlib import Path

from winnow_operator.api.conditions import Reason

PACKAGE = Path(__file__).resolve().parents[3] / "operator" / "winnow_operator"


def test_every_reason_is_given_by_something() -> None:
    sources = [p for p in PACKAGE.rglob("*.py") if p.name != "conditions.py"]

    given = {
        name for path in sources for name in re.findall(r"Reason\.([A-Z_]+)", path.read_text())
    }

    assert given == {reason.name for reason in Reason}
