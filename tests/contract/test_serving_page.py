"""docs/serving.md says what the server does: every setting and status."""

from __future__ import annotations

import re
from dataclasses import fields
from http import HTTPStatus

from tests.support.tracked import ROOT
from winnow_contract.serving import Serving, variables

PAGE = (ROOT / "docs/serving.md").read_text()
ROW = re.compile(r"^\| `(WINNOW_\w+)` \| (?:`(.*?)`)? *\| .+ \|$", re.MULTILINE)

FIELDS = [field.name for field in fields(Serving)]


def test_every_setting_stands_on_the_page_with_its_default() -> None:
    documented = dict(ROW.findall(PAGE))

    defaults = Serving()
    names = variables(Serving(**dict.fromkeys(FIELDS, "odd")))  # type: ignore[arg-type]
    assert documented == {
        name: str(getattr(defaults, field)).lower()
        for field, name in zip(FIELDS, names, strict=True)
    }


def test_every_status_that_the_code_gives_stands_on_the_page() -> None:
    sources = (ROOT / "trainer/winnow_server").glob("*.py")
    given = {
        int(getattr(HTTPStatus, name))
        for path in sources
        for name in re.findall(r"HTTPStatus\.([A-Z_]+)", path.read_text())
    }

    given.add(431)  # written byte by byte, before there is a request
    assert given - {200, 503} <= set(map(int, re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)))
    assert "503 afterwards" in PAGE
