"""The tables of searches of architectures on the table, and what they must show. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import wilcoxon

BUDGETS = (50, 100, 200, 300)
"""Evaluations after which regret is looked at."""
BASELINE = "Random"
OURS = "Generative"
SIGNIFICANT = 0.01
SMALL_REGRET = 0.30
"""Points of accuracy."""


@dataclass(frozen=True, slots=True)
class Row:
    """One search."""

    method: str
    seed: int
    regrets: list[float]
    """After each budget, in points of accuracy, of the best of five that are looked up."""
    unchecked: list[float]
    """The same of the best trial by its own measurement."""
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """A method beside the baseline, seed by seed."""

    wins: int
    ties: int
    losses: int
    p: float
    """Of Wilcoxon's signed-rank test, two-sided; 1 where all are ties."""

    def text(self) -> str:
        """For tables."""
        return f"{self.wins}/{self.ties}/{self.losses}, {self.p:.1g}"


def report(rows: Sequence[Row]) -> str:
    """Markdown: regret after each budget, and pairs."""
    methods = list(dict.fromkeys(row.method for row in rows))
    heads = " | ".join(f"@{budget}" for budget in BUDGETS)
    lines = [
        f"| method | seeds | {heads} | @{BUDGETS[-1]} not looked up | CPU s |",
        f"|---|---|{'---|' * (len(BUDGETS) + 2)}",
        *(_line(method, _of(rows, method)) for method in methods),
        "",
        f"| against {BASELINE}: wins/ties/losses, p | {heads} |",
        f"|---|{'---|' * len(BUDGETS)}",
    ]
    for method in methods:
        if method != BASELINE:
            found = [compared(rows, method, place).text() for place in range(len(BUDGETS))]
            lines.append(f"| {method} | {' | '.join(found)} |")
    return "\n".join([*lines, ""])


def compared(rows: Sequence[Row], method: str, place: int) -> Pairs:
    """A method and the baseline after one of the budgets."""
    theirs = {row.seed: row.regrets[place] for row in _of(rows, BASELINE)}
    ours = {row.seed: row.regrets[place] for row in _of(rows, method)}
    differences = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    wins, losses = sum(d < 0 for d in differences), sum(d > 0 for d in differences)
    p = float(wilcoxon(differences).pvalue) if wins or losses else 1.0
    return Pairs(wins, len(differences) - wins - losses, losses, p)


def goals(rows: Sequence[Row]) -> list[tuple[str, bool]]:
    """What is expected of Generative, in words, and whether it is so."""
    if not _of(rows, OURS) or not _of(rows, BASELINE):
        return []
    place = BUDGETS.index(100)
    regret, _ = mean_regret(_of(rows, OURS), place)
    late, _ = mean_regret(_of(rows, BASELINE), BUDGETS.index(300))
    p = compared(rows, OURS, place).p
    small = (
        f"regret of {OURS} at 100 is {regret:.3f}: at most {BASELINE}'s at 300, {late:.3f}, or "
        f"below {SMALL_REGRET}"
    )
    sure = f"it differs from {BASELINE} at 100 with p {p:.1g}, below {SIGNIFICANT}"
    return [(small, regret <= late or regret < SMALL_REGRET), (sure, p < SIGNIFICANT)]


def mean_regret(rows: Sequence[Row], place: int) -> tuple[float, float]:
    """Mean and its standard error after one of the budgets."""
    values = [row.regrets[place] for row in rows]
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return statistics.fmean(values), spread / len(values) ** 0.5


def _line(method: str, rows: Sequence[Row]) -> str:
    regrets = (mean_regret(rows, place) for place in range(len(BUDGETS)))
    cells = " | ".join(f"{mean:.2f} ± {error:.2f}" for mean, error in regrets)
    unchecked = statistics.fmean(row.unchecked[-1] for row in rows)
    seconds = statistics.fmean(row.cpu_seconds for row in rows)
    return f"| {method} | {len(rows)} | {cells} | {unchecked:.2f} | {seconds:.2f} |"


def _of(rows: Sequence[Row], method: str) -> list[Row]:
    return [row for row in rows if row.method == method]
