"""How the revisions of a server fare with real requests: what Prometheus is asked, and what it says.

Series are found by the labels `namespace` and `pod` that every usual scrape configuration sets. The
pods of a canary are as old as its rollout, so all that they have counted is counted; of those that
serve, what came since the step began.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from winnow_contract.serving import DURATION_METRIC, REQUESTS_METRIC

ERRORS = "5"
"""First digit of the codes that count as errors: a bad request is its sender's fault."""
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
    stable, canary = (_selector(question, n) for n in (question.serving, question.canary))
    requests, buckets = REQUESTS_METRIC, f"{DURATION_METRIC}_bucket"

    def since(metric: str) -> str:
        return f"increase({metric}{stable}[{window}s])"

    def ever(metric: str) -> str:
        return f"last_over_time({metric}{canary}[{window}s])"

    return {
        "serving": f"sum by (code) ({since(requests)})",
        "canary": f"sum by (code) ({ever(requests)})",
        "serving_p95": f"histogram_quantile({QUANTILE}, sum by (le) ({since(buckets)}))",
        "canary_p95": f"histogram_quantile({QUANTILE}, sum by (le) ({ever(buckets)}))",
    }


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
        errors=sum(value for code, value in counts if code.startswith(ERRORS)),
        p95_seconds=seconds,
    )
