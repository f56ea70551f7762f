#!/usr/bin/env python3
"""What one suggestion of each search engine costs, and making an engine anew from its records.

    engine_cost.py [--quick] [--only ALGORITHM ...]

Six parameters, three of them logarithmic; for CMAES, which takes numbers alone, the first five; for
Evolution and Generative the cell of a CNN.
Times are CPU milliseconds of this thread, so that other work on the machine hardly counts. Beside
TPE stands Optuna's own ask on a study of its own with as many trials, measured in turns with it:
what is above it is ours. Where Optuna's is slower, it is because its normal distribution is Python,
and ours SciPy's (engines/quick_normal.py).
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "trainer")]

import optuna  # noqa: E402 -- after the path is set

from winnow_operator.api.algorithms import (  # noqa: E402 -- same
    ARCHITECTURES_ONLY,
    WITH_CHOICES,
    AlgorithmName,
)
from winnow_operator.api.searchjob import SearchJobSpec  # noqa: E402 -- same
from winnow_operator.api.trial import Outcome  # noqa: E402 -- same
from winnow_operator.domain.spaces.space import parse_space  # noqa: E402 -- same
from winnow_operator.engines import Record, SearchEngine, make_engine  # noqa: E402 -- same
from winnow_operator.engines.quick_normal import as_it_comes  # noqa: E402 -- same

SPACE = {
    "parameters": [
        {"name": "rate", "double": {"min": "0.0001", "max": "0.1", "scale": "Log", "points": 10}},
        {"name": "decay", "double": {"min": "1e-6", "max": "0.1", "scale": "Log", "points": 10}},
        {"name": "dropout", "double": {"min": "0", "max": "0.5", "points": 10}},
        {"name": "width", "int": {"min": 8, "max": 512, "scale": "Log", "points": 10}},
        {"name": "depth", "int": {"min": 1, "max": 10}},
        {"name": "activation", "choice": {"values": ["relu", "gelu", "tanh"]}},
    ]
}
NETS = {
    "architecture": {
        "cnn": {
            "nodes": 4,
            "operations": ["conv1", "conv3", "conv5", "separable3", "max3"],
            "skips": True,
            "stages": {"min": 1, "max": 3},
            "widths": [8, 16, 32],
        }
    }
}
"""For the algorithms of architectures: up to 16 decisions."""
PARALLEL = 4
ASKS = 20
"""Suggestions that are timed at each size; the median counts."""


def space_for(algorithm: str) -> dict[str, object]:
    """The space above that an algorithm can search, or the part of it."""
    name = AlgorithmName(algorithm)
    if name in ARCHITECTURES_ONLY:
        return NETS
    able = name in WITH_CHOICES
    return {"parameters": [p for p in SPACE["parameters"] if able or "choice" not in p]}


def spec_of(algorithm: str, space: dict[str, object] | None = None) -> SearchJobSpec:
    """A search of that space, or of another one."""
    return SearchJobSpec.model_validate(
        {
            "trial": {"image": "none"},
            "objectives": [{"metric": "loss", "goal": "Minimize"}],
            "space": space or space_for(algorithm),
            "algorithm": {"name": algorithm, "seed": 7},
        }
    )


def timed(call: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    before = time.thread_time()
    call()
    return (time.thread_time() - before) * 1000


def filled(algorithm: str, records: list[Record]) -> SearchEngine:
    """An engine that has observed these trials."""
    spec = spec_of(algorithm)
    engine = make_engine(spec, parse_space(spec.space))
    for record in records:
        engine.observe(record)
    return engine


def history(size: int, space: dict[str, object]) -> list[Record]:
    """Finished trials as Random suggests them, with scores that mean nothing."""
    spec, source = spec_of("Random", space), random.Random(1)  # noqa: S311 -- scores, no secrets
    engine = make_engine(spec, parse_space(spec.space))
    points = ((number, engine.suggest(number)) for number in range(1, size + 1))
    return [
        Record(number, point, Outcome.SUCCEEDED, source.random(), known_before(number))
        for number, point in points
        if point is not None
    ]


def known_before(number: int) -> str:
    """The history of a trial when as many others run beside it as by default."""
    return f"1-{number - PARALLEL}" if number > PARALLEL else ""


def bare_study(records: list[Record]) -> tuple[optuna.Study, dict[str, object]]:
    """Optuna as it comes, with the same trials."""
    distributions = {
        "rate": optuna.distributions.FloatDistribution(0.0001, 0.1, log=True),
        "decay": optuna.distributions.FloatDistribution(1e-6, 0.1, log=True),
        "dropout": optuna.distributions.FloatDistribution(0, 0.5),
        "width": optuna.distributions.IntDistribution(8, 512, log=True),
        "depth": optuna.distributions.IntDistribution(1, 10),
        "activation": optuna.distributions.CategoricalDistribution(["relu", "gelu", "tanh"]),
    }
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=7))
    for record in records:
        study.add_trial(
            optuna.trial.create_trial(
                params=dict(record.assignment), distributions=distributions, value=record.score
            )
        )
    return study, distributions


def measure(algorithm: str, size: int, records: list[Record]) -> tuple[float, float, float]:
    """Milliseconds to rebuild with a first suggestion, per suggestion, and of bare Optuna."""
    engine = filled(algorithm, [])
    rebuild = timed(lambda: (filled(algorithm, records).suggest(size + 1),))
    for record in records:
        engine.observe(record)
    engine.suggest(size + 1)
    study, distributions = bare_study(records) if algorithm == "TPE" else (None, {})
    asks, bare = list[float](), list[float]()
    for number in range(size + 2, size + 2 + ASKS):
        asks.append(timed(lambda n=number: engine.suggest(n)))
        if study is not None:
            with as_it_comes():
                bare.append(timed(lambda: study.ask(distributions)))
    return rebuild, statistics.median(asks), statistics.median(bare or [0.0])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 and 1,000 trials only")
    names = [str(name) for name in AlgorithmName if name is not AlgorithmName.AUTO]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ALGORITHM")
    given = parser.parse_args()
    sizes = (100, 1000) if given.quick else (100, 1000, 10_000)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| engine | trials | suggestion, ms | bare Optuna, ms | rebuild, ms |")
    print("|---|---|---|---|---|")
    for size in sizes:
        records, nets = history(size, SPACE), history(size, NETS)
        for algorithm in given.only:
            own = nets if AlgorithmName(algorithm) in ARCHITECTURES_ONLY else records
            rebuild, ask, bare = measure(algorithm, size, own)
            beside = f"{bare:.2f}" if bare else "-"
            print(f"| {algorithm} | {size} | {ask:.2f} | {beside} | {rebuild:.0f} |")


if __name__ == "__main__":
    main()
