"""How the revisions of a server fare with real requests: what Prometheus is asked, and what it says.

Series are found by the labels `namespace` and `pod` that every usual scrape configuration sets. What
both revisions have answered is counted over the same time, that of the canary's step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from winnow_contract.serving import DURATION_METRIC, ERROR_CODES, REQUESTS_METRIC

QUANTILE = 0.95

Vector = tuple[tuple[Mapping[str, str], float], ...]
"""Labels and value of each series of an answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a rollout."""

    namespace: str
    server: str
    serving: int
    canary: int
    since: str
    """When the canary's step began."""
    is_first: bool = True
    """Whether that is its first step, which began with its pods."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one revision has answered."""

    requests: float = 0.0
    errors: float = 0.0
    p95_seconds: float | None = None
    """95th percentile of the latency, interpolated in the histogram; None without requests."""

    @property
    def error_rate(self) -> float:
        """Share of the requests that failed."""
        return self.errors / self.requests if self.requests > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Loads:
    """What Prometheus says of a rollout, or why it says nothing."""

    serving: Load = field(default_factory=Load)
    canary: Load = field(default_factory=Load)
    problem: str = ""
    """Why nothing is known; empty if something is."""

    @property
    def weight(self) -> float | None:
        """The canary's measured share of the requests."""
        total = self.serving.requests + self.canary.requests
        return self.canary.requests / total if total > 0 else None


NOT_YET = Loads(problem="Prometheus is being asked")


def queries(question: Question, seconds: int) -> dict[str, str]:
    """What is asked, by name.

    Args:
        question: about which revisions.
        seconds: how long ago the step began.
    """
    window = max(seconds, 1)
    requests, buckets = REQUESTS_METRIC, f"{DURATION_METRIC}_bucket"

    def serving(metric: str) -> str:
        return _counted(f"{metric}{_selector(question, question.serving)}", window)

    def canary(metric: str) -> str:
        series = f"{metric}{_selector(question, question.canary)}"
        return _counted(series, window, is_new=question.is_first)

    return {
        "serving": f"sum by (code) ({serving(requests)})",
        "canary": f"sum by (code) ({canary(requests)})",
        "serving_p95": f"histogram_quantile({QUANTILE}, sum by (le) ({serving(buckets)}))",
        "canary_p95": f"histogram_quantile({QUANTILE}, sum by (le) ({canary(buckets)}))",
    }


def _counted(series: str, window: int, *, is_new: bool = False) -> str:
    """What counters have counted within so many seconds: their last value without that at the start.

    Not `increase()`, which leaves out what a pod has counted before its first scrape, and makes up
    what it has not seen. Where there is no value at the start, and where a counter began anew, all
    since the first scrape counts; and of pods that began with the window, all.
    """
    last = f"last_over_time({series}[{window}s])"
    first = "0" if is_new else f"min_over_time({series}[{window}s])"
    return f"({last} - {series} offset {window}s >= 0) or ({last} - {first})"


def _selector(question: Question, revision: int) -> str:
    pods = f"{question.server}-r{revision}-[a-z0-9]+-[a-z0-9]+"
    return f'{{namespace="{question.namespace}",pod=~"{pods}"}}'


def loads_of(answers: Mapping[str, Vector]) -> Loads:
    """What the answers to `queries` say."""
    return Loads(
        serving=_load(answers["serving"], answers["serving_p95"]),
        canary=_load(answers["canary"], answers["canary_p95"]),
    )


def _load(by_code: Vector, p95: Vector) -> Load:
    counts = [(labels.get("code", ""), value) for labels, value in by_code if value > 0]
    seconds = next((value for _, value in p95 if math.isfinite(value)), None)
    return Load(
        requests=sum(value for _, value in counts),
        errors=sum(value for code, value in counts if re.fullmatch(ERROR_CODES, code)),
        p95_seconds=seconds,
    )
