"""Asks Prometheus what the panels of a dashboard would show, as Grafana asks it.

It reads the files that the chart ships, so that what is asked is what people get.
"""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

RATE_INTERVAL = "1m"
"""What Grafana puts in place of $__rate_interval where scrapes come every 15 seconds or sooner."""
TIMEOUT_SECONDS = 10
_VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
_LAST = re.compile(r"query_result\(group by \((?P<label>\w+)\) \((?P<series>.+)\)\)")
_LABEL = re.compile(r"\{\{(\w+)\}\}")


class AnswerError(Exception):
    """Prometheus gave no answer; the message says what it said instead."""


class UnreachableError(AnswerError):
    """There is no Prometheus at this address: no other question has an answer either."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is looked at, in seconds since the epoch."""

    start: float
    end: float
    step: float = 5.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a panel."""

    name: str
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """Times and finite values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query of a panel gives."""

    expression: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A panel with what its queries give."""

    title: str
    kind: str
    """Grafana's type: timeseries, stat or table; or `name`, of which only the series' names count."""
    unit: str
    words: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One Prometheus, by its address."""

    url: str

    def read(self, path: str, **parameters: object) -> Any:
        """The data of an answer.

        Raises:
            AnswerError: if it has none.
            UnreachableError: if nobody answers at all.
        """
        address = f"{self.url.rstrip('/')}/api/v1/{path}?{urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 -- the caller's own address
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AnswerError(f"{path}: {error.read().decode(errors='replace')[:300]}") from error
        except (OSError, ValueError) as error:
            raise UnreachableError(
                f"{self.url} does not answer: {getattr(error, 'reason', error)}"
            ) from error

    def values(self, series: str, label: str, span: Span) -> list[str]:
        """The values of a label in the series that a selector matches, roughly in this time."""
        asked = {"match[]": series, "start": span.start, "end": span.end}
        found: list[str] = self.read(f"label/{label}/values", **asked)
        return found

    def last_values(self, series: str, label: str, span: Span) -> list[str]:
        """The same of the series that are there at the end."""
        asked = f"group by ({label}) ({series})"
        found = self.read("query", query=asked, time=span.end)["result"]
        return sorted(one["metric"].get(label, "") for one in found)


def choose(
    dashboard: Mapping[str, Any], chosen: Mapping[str, str], prometheus: Prometheus, span: Span
) -> dict[str, str]:
    """A value for each variable: as chosen, else the first that there is at the end of the time.

    Raises:
        AnswerError: if one has no value.
    """
    values: dict[str, str] = {}
    for variable in dashboard["templating"]["list"]:
        name, query = variable["name"], variable.get("definition", "")
        found = _VALUES.fullmatch(query) or _LAST.fullmatch(query)
        if found is None:
            continue  # the data source
        where = _filled(found["series"], values), found["label"], span
        offered = prometheus.last_values(*where) or prometheus.values(*where)
        values[name] = chosen.get(name) or next(iter(offered), "")
        if values[name] not in offered:
            raise AnswerError(f"{dashboard['title']}: no series has {name}={values[name] or '?'}")
    return values


def answer(
    dashboard: Mapping[str, Any], values: Mapping[str, str], prometheus: Prometheus, span: Span
) -> Iterator[Answered]:
    """All panels with their answers.

    Raises:
        AnswerError: if Prometheus refuses a query.
    """
    fixed = {"__rate_interval": RATE_INTERVAL, "__range": f"{span.end - span.start:.0f}s"}
    for panel in dashboard["panels"]:
        answers = []
        for target in panel["targets"]:
            expression = _filled(target["expr"], {**fixed, **values})
            found = _ask(prometheus, expression, span, is_now=target["instant"])
            answers.append(Answer(expression, tuple(_series(found, target["legendFormat"]))))
        unit = panel["fieldConfig"]["defaults"]["unit"]
        kind = "name" if panel["options"].get("textMode") == "name" else panel["type"]
        yield Answered(panel["title"], kind, unit, panel["description"], tuple(answers))


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", values[name])
    return text


def _ask(prometheus: Prometheus, expression: str, span: Span, *, is_now: bool) -> Any:
    if is_now:
        return prometheus.read("query", query=expression, time=span.end)["result"]
    asked = {"start": span.start, "end": span.end, "step": span.step}
    return prometheus.read("query_range", query=expression, **asked)["result"]


def _series(found: list[dict[str, Any]], legend: str) -> Iterator[Series]:
    for one in found:
        labels = one["metric"]
        pairs = one["values"] if "values" in one else [one["value"]]
        points = ((float(t), float(v)) for t, v in pairs)
        finite = tuple((t, v) for t, v in points if math.isfinite(v))
        if finite:
            yield Series(_called(legend, labels), labels, finite)


def _called(legend: str, labels: Mapping[str, str]) -> str:
    return _LABEL.sub(lambda found: labels.get(found[1], ""), legend)
