"""What the report of a search is made from: the SearchJob and its Trials as the API server has them.

Texts come from specs and pods: they are written into the page as text, never as markup.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective."""

    metric: str
    maximize: bool
    target: float | None = None

    def sign(self) -> int:
        """What makes lower better."""
        return -1 if self.maximize else 1


@dataclass(frozen=True, slots=True)
class Axis:
    """One searched parameter."""

    name: str
    words: tuple[str, ...] = ()
    """Of a choice or an architecture: its values, in their order."""
    logarithmic: bool = False

    def position(self, text: str) -> float | None:
        """Where a value is on the axis; None if it has none."""
        if self.words:
            return float(self.words.index(text)) if text in self.words else None
        return _number(text)


@dataclass(frozen=True, slots=True)
class TrialEntry:
    """One trial."""

    number: int
    name: str
    outcome: str
    parameters: Mapping[str, str]
    values: tuple[float, ...]
    """For each objective; empty without them."""
    error: float | None = None
    """Standard error of the first value."""
    violation: float = 0.0
    final_of: int = 0
    completed: str = ""
    cause: str = ""
    message: str = ""

    @property
    def can_win(self) -> bool:
        """Whether it is a trial of the search that succeeded and keeps the constraints."""
        return self.outcome == "Succeeded" and not self.final_of and not self.violation


@dataclass(frozen=True, slots=True)
class LearnedEntry:
    """What the network of Generative has learnt from a batch of outcomes, and what it wrote then."""

    known: int
    """Trials whose outcome it knew."""
    loss: float
    entropy: float
    mean_value: float | None = None
    """Of the first objective over the trials that it wrote."""


@dataclass(frozen=True, slots=True)
class SearchContent:
    """Everything that stands in a report."""

    name: str
    namespace: str
    state: str
    reason: str
    """What the condition says that ended it."""
    goals: tuple[Goal, ...]
    axes: tuple[Axis, ...]
    trials: tuple[TrialEntry, ...]
    """Of the search, by number."""
    finals: tuple[TrialEntry, ...] = ()
    winner: Document = field(default_factory=dict)
    importances: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """For each parameter and objective a share; the most important first."""
    finalists: tuple[Document, ...] = ()
    learning: tuple[LearnedEntry, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def valued(self) -> tuple[TrialEntry, ...]:
        """Trials with a value for each objective, in the order in which they ended."""
        found = [t for t in self.trials if len(t.values) == len(self.goals)]
        return tuple(sorted(found, key=lambda t: (t.completed, t.number)))


def read_search(job: Document, trials: Sequence[Document]) -> SearchContent:
    """What is known of a search.

    Args:
        job: the SearchJob.
        trials: its Trials, in any order.
    """
    spec, status, metadata = job["spec"], job.get("status") or {}, job["metadata"]
    goals = tuple(_goal(item) for item in spec["objectives"])
    entries = sorted((_trial(t, goals) for t in trials), key=lambda t: t.number)
    searched = tuple(t for t in entries if not t.final_of)
    return SearchContent(
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        state=str(status.get("state", "Pending")),
        reason=_reason(status),
        goals=goals,
        axes=_axes(spec, searched),
        trials=searched,
        finals=tuple(t for t in entries if t.final_of),
        winner=status.get("winner") or {},
        importances=_importances(status),
        finalists=tuple(status.get("finalists") or ()),
        learning=tuple(map(_learned, status.get("learning") or ())),
        facts=_facts(spec, status),
    )


def _goal(item: Document) -> Goal:
    return Goal(item["metric"], item["goal"] == "Maximize", _number(item.get("target")))


def _trial(body: Document, goals: Sequence[Goal]) -> TrialEntry:
    spec, status = body["spec"], body.get("status") or {}
    measured = {v["metric"]: v for v in status.get("values") or ()}
    values = [_number(measured.get(goal.metric, {}).get("value")) for goal in goals]
    known = tuple(v for v in values if v is not None)
    return TrialEntry(
        number=int(spec["number"]),
        name=body["metadata"]["name"],
        outcome=str(status.get("outcome", "Active")),
        parameters={p["name"]: str(p["value"]) for p in spec.get("parameters") or ()},
        values=known if len(known) == len(goals) else (),
        error=_number(measured.get(goals[0].metric, {}).get("standardError")),
        violation=_number(status.get("violation")) or 0.0,
        final_of=int(spec.get("finalOf") or 0),
        completed=str(status.get("completionTime", "")),
        cause=str(status.get("cause") or ""),
        message=str(status.get("message") or ""),
    )


def _axes(spec: Document, trials: Sequence[TrialEntry]) -> tuple[Axis, ...]:
    parameters = (spec.get("space") or {}).get("parameters") or ()
    named = {p["name"]: p for p in parameters}
    found = dict.fromkeys([name for trial in trials for name in trial.parameters])
    return tuple(_axis(name, named.get(name, {}), trials) for name in found)


def _axis(name: str, parameter: Document, trials: Sequence[TrialEntry]) -> Axis:
    if parameter.get("choice"):
        return Axis(name, tuple(parameter["choice"]["values"]))
    span = parameter.get("double") or parameter.get("int")
    if span is not None:
        return Axis(name, logarithmic=span.get("scale") == "Log")
    words = dict.fromkeys(t.parameters[name] for t in trials if name in t.parameters)
    return Axis(name, tuple(words))


def _reason(status: Document) -> str:
    ended = [
        c
        for c in status.get("conditions") or ()
        if c.get("type") in {"Complete", "Failed"} and c.get("status") == "True"
    ]
    return str(ended[0].get("message", "")) if ended else "the search has not ended yet"


def _importances(status: Document) -> tuple[tuple[str, tuple[float, ...]], ...]:
    listed = status.get("importances") or ()
    read = [(str(i["parameter"]), tuple(_number(v) or 0.0 for v in i["values"])) for i in listed]
    return tuple(sorted(read, key=lambda pair: (-max(pair[1], default=0.0), pair[0])))


def _learned(batch: Document) -> LearnedEntry:
    loss, entropy = _number(batch.get("loss")), _number(batch.get("entropy"))
    return LearnedEntry(
        int(batch["known"]), loss or 0.0, entropy or 0.0, _number(batch.get("meanValue"))
    )


def _facts(spec: Document, status: Document) -> dict[str, str]:
    task, own = spec.get("task") or {}, spec.get("trial") or {}
    chosen, algorithm = status.get("algorithm"), spec.get("algorithm") or {}
    name = str(algorithm.get("name", "TPE"))
    facts = {
        "model": str((task.get("model") or {}).get("family", "")),
        "image": str(own.get("image", "")),
        "data": str((task.get("data") or {}).get("uri", "")),
        "algorithm": f"{name}: {chosen['name']}, {chosen['reason']}" if chosen else name,
        "seed": str(algorithm.get("seed", "0")),
        "trials": str(status.get("progress", "")),
        "began": str(status.get("startTime", "")),
        "ended": str(status.get("completionTime", "")),
        "learned from": ", ".join(
            f"{s.get('trials', 0)} trials of {s['searchJob']}"
            for s in status.get("warmStart") or ()
        ),
    }
    return {key: words for key, words in facts.items() if words}


def _number(text: object) -> float | None:
    try:
        number = float(text) if isinstance(text, str) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
