"""The report of a compression: one self-contained HTML page for people.

Pure functions from `ReportInput` to markup; only `write_report` touches a file.
"""

from __future__ import annotations

from winnow_measure.report.content import Entry, ReportInput, Values
from winnow_measure.report.writing import write_report

__all__ = ["Entry", "ReportInput", "Values", "write_report"]
