"""The tables and figures of a compression measurement, from its rows. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.compressing.subjects import BATCH_SIZES, INT8, LATENCY, METRIC, SIZE, Subject
from benchmarks.pairs import Interval, median_interval
from benchmarks.ranges import Verdict
from winnow_contract.choosing.pareto import Candidate, Values
from winnow_contract.choosing.selection import Choice, choose, of_baseline
from winnow_contract.measuring.amounts import count_text, seconds_text, size_text
from winnow_contract.measuring.metrics import metric_key
from winnow_contract.steps.chains import BASELINE
from winnow_measure.spread import summarise

EAGER = "pytorch-eager"
"""The baseline as a torch module."""
KEY = metric_key(LATENCY, BATCH_SIZES[0])
WALL, PROCESSOR = "seconds", "processor"
"""Fields of a row: what a client waits, and what it costs."""
POINTS = 100
COLUMNS = (
    f"  {'':22} {'parameters':>10} {'size':>6} {'smaller':>7} {'validation':>11} {'test':>6}  "
    f"{'request':>8} {'processor':>9}   faster than fp32 ONNX     than PyTorch"
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one model of a subject."""

    subject: str
    name: str
    steps: Sequence[str]
    """Canonical text of each."""
    values: Mapping[str, Sequence[float | None]]
    """On the validation split and without a clock: value and standard error by metric."""
    test: Mapping[str, Sequence[float | None]]
    seconds: Sequence[float]
    """Median time of a request at batch size 1, turn by turn."""
    processor: Sequence[float]
    """Processor time of a request, turn by turn: what else the machine does hardly changes it."""
    load_before: float
    built_by: Sequence[str]
    """The project's commits whose trainer has made the models of the subject."""
    failure: str = ""
    """Why it was not measured; empty if it was."""

    def points(self, split: str) -> float:
        """Accuracy on validation or test in points."""
        (value, _) = (self.values if split == "validation" else self.test)[METRIC]
        return (value or 0.0) * POINTS

    def number_of(self, metric: str) -> float:
        """A figure without a clock."""
        return self.values[metric][0] or 0.0


class Measured:
    """The rows of one subject."""

    def __init__(self, subject: Subject, rows: Sequence[Row]) -> None:
        self.subject = subject
        own = [row for row in rows if row.subject == subject.name]
        self.rows = {row.name: row for row in own if not row.failure}
        self.failures = {row.name: row.failure for row in own if row.failure}

    def faster(self, name: str, than: str, clock: str = WALL) -> Interval:
        """How many times as fast one is as another, by the pairs of each turn.

        Args:
            name: of the one.
            than: of the other.
            clock: WALL or PROCESSOR.
        """
        times = [getattr(self.rows[one], clock) for one in (than, name)]
        return median_interval([slow / fast for slow, fast in zip(*times, strict=True)])

    def smaller(self, name: str) -> float:
        """How many times as small as the baseline."""
        return self.rows[BASELINE].number_of(SIZE) / self.rows[name].number_of(SIZE)

    def lost(self, name: str, split: str) -> float:
        """Points of accuracy less than the baseline."""
        return self.rows[BASELINE].points(split) - self.rows[name].points(split)

    def choice(self) -> Choice:
        """The project's own choice: the fastest that meets the goals."""
        names = [BASELINE, *(name for name in self.rows if name not in {BASELINE, EAGER})]
        table = np.asarray([self.rows[name].seconds for name in names])
        values: dict[str, Values] = {
            name: {**_pairs(self.rows[name].values), KEY: latency}
            for name, latency in zip(names, summarise(table), strict=True)
        }
        base = of_baseline(0, BASELINE, values[BASELINE])
        others = [
            Candidate(number, name, values[name], values[BASELINE])
            for number, name in enumerate(names[1:], 1)
        ]
        return choose(base, others, goals=self.subject.parsed_goals, prefer=[KEY])


def _pairs(values: Mapping[str, Sequence[float | None]]) -> dict[str, tuple[float, float | None]]:
    return {key: (value, error) for key, (value, error) in values.items() if value is not None}


def figures(subjects: Sequence[Subject], rows: Sequence[Row]) -> dict[str, float]:
    """All figures of the subjects that were measured; `resnet_smaller` is of the best candidate."""
    made: dict[str, float] = {}
    for subject in subjects:
        measured = Measured(subject, rows)
        if BASELINE in measured.rows:
            made |= {f"{subject.name}_{name}": value for name, value in _figures(measured)}
    return made


def _figures(measured: Measured) -> Iterator[tuple[str, float]]:
    for split in ("validation", "test"):
        yield f"accuracy_{split}", measured.rows[BASELINE].points(split)
        if INT8 in measured.rows:
            yield f"int8_lost_{split}", measured.lost(INT8, split)
    choice = measured.choice()
    if not choice.goals_met or choice.name == BASELINE:
        return
    yield "smaller", measured.smaller(choice.name)
    for word, than in (("onnx", BASELINE), ("eager", EAGER)):
        yield f"faster_than_{word}", measured.faster(choice.name, than).median
        yield f"cheaper_than_{word}", measured.faster(choice.name, than, PROCESSOR).median
    for split in ("validation", "test"):
        yield f"lost_{split}", measured.lost(choice.name, split)


def report(
    machine: Mapping[str, Any],
    subjects: Sequence[Subject],
    rows: Sequence[Row],
    verdicts: Sequence[Verdict],
) -> str:
    """What was measured on, a table for each subject with its choice, and what was expected."""
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    tables = ("\n".join(_table(Measured(subject, rows))) for subject in subjects)
    return "\n\n".join([facts, *tables, "\n".join(["expected", *(v.text() for v in verdicts)])])


def _table(measured: Measured) -> Iterator[str]:
    yield f"{measured.subject.name}: {measured.subject.about}"
    if BASELINE not in measured.rows:
        yield "  not measured"
        return
    yield COLUMNS
    for name in (EAGER, *(name for name in measured.rows if name != EAGER)):
        yield _line(measured, name)
    for name, why in measured.failures.items():
        yield f"  {name:22} not measured: {why}"
    loads = {row.load_before for row in measured.rows.values()}
    baseline = measured.rows[BASELINE]
    yield (
        f"  {len(baseline.seconds)} turns; load before them {max(loads):g}; models built by winnow "
        f"{', '.join(baseline.built_by)}"
    )
    yield f"  {measured.choice().reason}"


def _line(measured: Measured, name: str) -> str:
    row = measured.rows[name]
    is_file = SIZE in row.values
    size = size_text(row.number_of(SIZE)) if is_file else "-"
    smaller = f"{measured.smaller(name):.1f}x" if is_file else "-"
    wall, processor = (statistics.median(times) for times in (row.seconds, row.processor))
    return (
        f"  {name:22} {count_text(row.number_of('parameters')):>10} {size:>6} {smaller:>7} "
        f"{row.points('validation'):11.2f} {row.points('test'):6.2f}  "
        f"{seconds_text(wall):>8} {seconds_text(processor):>9}   "
        f"{_faster(measured, name, BASELINE):25} {_faster(measured, name, EAGER)}"
    )


def _faster(measured: Measured, name: str, than: str) -> str:
    return "1" if name == than else measured.faster(name, than).text(1)
