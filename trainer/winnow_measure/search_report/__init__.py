"""The report of a search: one self-contained HTML page for people.

It is made from what the API server holds, the SearchJob and its Trials; `scripts/report` calls it.
Standard library only, so that it runs wherever kubectl does.
"""

from __future__ import annotations

from winnow_measure.search_report.content import SearchContent, read_search
from winnow_measure.search_report.page import page

__all__ = ["SearchContent", "page", "read_search"]
