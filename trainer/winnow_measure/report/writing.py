"""Writing a report: one HTML file that needs nothing else, no script and no other file."""

from __future__ import annotations

from pathlib import Path

from winnow_contract.files import write_file
from winnow_measure.report.content import ReportInput
from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.sections import sections
from winnow_measure.report.style import STYLE

__all__ = ["REPORT_NAME", "page", "write_report"]

REPORT_NAME = "report.html"
DOCTYPE = Markup("<!DOCTYPE html>\n")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may load for it: nothing. Escaping is what protects; this is the second wall."""


def write_report(folder: Path, content: ReportInput) -> Path:
    """Write `report.html` into a folder; gives its path.

    The same content gives the same bytes.

    Raises:
        OSError: if the storage does not take it.
    """
    path = folder / REPORT_NAME
    folder.mkdir(parents=True, exist_ok=True)
    write_file(path, page(content).encode())
    return path


def page(content: ReportInput) -> str:
    """The whole page."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", f"Compression of {content.job.name}"),
        element("style", Markup(STYLE)),
    )
    body = element("body", element("main", *sections(content)))
    return join((DOCTYPE, element("html", head, body, lang="en"), "\n"))
