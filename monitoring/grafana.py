"""Writes a dashboard as Grafana's JSON; the same dashboard always gives the same text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from monitoring.panels import FULL, Dashboard, Kind, Panel, Query, Variable

SCHEMA_VERSION = 39
"""Grafana 10 and newer read it."""
_HEIGHT = {Kind.LINES: 8, Kind.FIGURE: 4, Kind.WORD: 4, Kind.TABLE: 8}
_TYPES = {
    Kind.LINES: "timeseries",
    Kind.FIGURE: "stat",
    Kind.WORD: "stat",
    Kind.TABLE: "table",
}
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Document = dict[str, Any]


def dashboard_text(dashboard: Dashboard) -> str:
    """The file of a dashboard."""
    document = {
        "uid": dashboard.identity,
        "title": dashboard.title,
        "description": dashboard.words,
        "tags": ["winnow"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_data_source(), *map(_variable, dashboard.variables)]},
        "panels": list(_placed(dashboard.panels)),
    }
    return json.dumps(document, indent=1) + "\n"


def _data_source() -> Document:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _variable(variable: Variable) -> Document:
    query, regex = f"label_values({variable.series}, {variable.label})", ""
    if variable.only_last:
        query = f"query_result(group by ({variable.label}) ({variable.series}))"
        regex = f'/{variable.label}="([^"]+)"/'
    return {
        "name": variable.name,
        "label": variable.title,
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "A"},
        "regex": regex,
        "refresh": 2,  # with each change of the time range: jobs come and go
        "sort": 1,
    }


def _placed(panels: Sequence[Panel]) -> Iterator[Document]:
    """Panels in rows, from left to right."""
    x = y = row = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > FULL:
            x, y, row = 0, y + row, 0
        height = _HEIGHT[panel.kind]
        place = {"x": x, "y": y, "w": panel.width, "h": height}
        yield {"id": number, "gridPos": place, **_panel(panel)}
        x, row = x + panel.width, max(row, height)


def _panel(panel: Panel) -> Document:
    defaults: Document = {"unit": panel.unit}
    if panel.kind is Kind.LINES:
        defaults["custom"] = {"showPoints": "auto", "lineWidth": 2, "fillOpacity": 5}
    return {
        "type": _TYPES[panel.kind],
        "title": panel.title,
        "description": panel.words,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel.kind),
        "transformations": _transformations(panel.kind),
        "targets": [_target(panel, q, chr(ord("A") + i)) for i, q in enumerate(panel.queries)],
    }


def _options(kind: Kind) -> Document:
    if kind is Kind.LINES:
        return {"legend": {"displayMode": "list", "placement": "bottom"}}
    if kind is Kind.TABLE:
        return {"showHeader": True}
    mode = "name" if kind is Kind.WORD else "value_and_name"
    return {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": mode}


def _transformations(kind: Kind) -> list[Document]:
    """Of a table only the labels count: each row is a series whose value is 1."""
    if kind is not Kind.TABLE:
        return []
    return [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}]


def _target(panel: Panel, query: Query, reference: str) -> Document:
    is_now = panel.kind is not Kind.LINES
    return {
        "refId": reference,
        "datasource": _SOURCE,
        "expr": query.expression,
        "legendFormat": query.legend,
        "instant": is_now,
        "range": not is_now,
        "format": "table" if panel.kind is Kind.TABLE else "time_series",
    }
