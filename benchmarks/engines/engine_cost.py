"""What one suggestion of each search engine costs, and making an engine anew from its records.

    benchmarks/engine_cost                     100, 1,000 and 10,000 trials; goes on where it was stopped
    benchmarks/engine_cost --quick             without the largest
    benchmarks/engine_cost --only CMAES TPE    some engines
    benchmarks/engine_cost --report FILE       the table of an earlier run; measures nothing

Six parameters, three of them logarithmic; for CMAES, which takes numbers alone, the first five; for
Evolution and Generative the cell of a CNN. Each engine and size has a process of its own.
Times are CPU milliseconds of this thread, so that other work on the machine hardly counts. Beside
TPE stands Optuna's own ask on a study of its own with as many trials, measured in turns with it:
what is above it is ours. Where Optuna's is slower, it is because its normal distribution is Python,
and ours SciPy's (engines/quick_normal.py).
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import yaml

from benchmarks.engines.cost_report import Row, figures, report
from benchmarks.machine import engine_facts
from benchmarks.ranges import check
from benchmarks.results import Results, open_results, read_results
from winnow_operator.api.algorithms import ARCHITECTURES_ONLY, WITH_CHOICES, AlgorithmName
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Value, parse_space
from winnow_operator.engines import Record, SearchEngine, make_engine
from winnow_operator.engines.quick_normal import as_it_comes

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUTPUT = ROOT / "build/benchmarks/engine-cost.json"
RANGES = ROOT / "benchmarks/engine_cost_ranges.yaml"
SIZES = (100, 1_000, 10_000)
ENGINES = tuple(str(name) for name in AlgorithmName if name is not AlgorithmName.AUTO)
SPACE: Mapping[str, Any] = {
    "parameters": [
        {"name": "rate", "double": {"min": "0.0001", "max": "0.1", "scale": "Log", "points": 10}},
        {"name": "decay", "double": {"min": "1e-6", "max": "0.1", "scale": "Log", "points": 10}},
        {"name": "dropout", "double": {"min": "0", "max": "0.5", "points": 10}},
        {"name": "width", "int": {"min": 8, "max": 512, "scale": "Log", "points": 10}},
        {"name": "depth", "int": {"min": 1, "max": 10}},
        {"name": "activation", "choice": {"values": ["relu", "gelu", "tanh"]}},
    ]
}
NETS: Mapping[str, Any] = {
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


def space_for(algorithm: str) -> Mapping[str, Any]:
    """The space above that an algorithm can search, or the part of it."""
    name = AlgorithmName(algorithm)
    if name in ARCHITECTURES_ONLY:
        return NETS
    able = name in WITH_CHOICES
    return {"parameters": [p for p in SPACE["parameters"] if able or "choice" not in p]}


def spec_of(algorithm: str, space: Mapping[str, Any] | None = None) -> SearchJobSpec:
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


def asked(engine: SearchEngine, number: int) -> tuple[float, Mapping[str, Value]]:
    """CPU milliseconds of a suggestion, and what it is.

    Raises:
        LookupError: if every point of the space was suggested.
    """
    before = time.thread_time()
    point = engine.suggest(number)
    took = (time.thread_time() - before) * 1000
    if point is None:
        raise LookupError(f"the space has no {number} points")
    return took, point


def filled(algorithm: str, records: Sequence[Record]) -> SearchEngine:
    """An engine that has observed these trials."""
    spec = spec_of(algorithm)
    engine = make_engine(spec, parse_space(spec.space))
    for record in records:
        engine.observe(record)
    return engine


def history(size: int, space: Mapping[str, Any]) -> list[Record]:
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


def bare_study(records: Sequence[Record]) -> tuple[optuna.Study, dict[str, Any]]:
    """Optuna as it comes, with the same trials."""
    distributions: dict[str, Any] = {
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


def measure(engine: str, size: int) -> Row:
    """What an engine costs that knows so many trials; to be called in a process of its own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    before = resident_mib()
    records = history(size, space_for(engine))
    made = filled(engine, records)
    made.suggest(size + 1)
    study, distributions = bare_study(records) if engine == "TPE" else (None, {})
    source = random.Random(2)  # noqa: S311 -- scores, no secrets
    asks, tells, bare = list[float](), list[float](), list[float]()
    for number in range(size + 2, size + 2 + ASKS):
        took, point = asked(made, number)
        asks.append(took)
        record = Record(number, point, Outcome.SUCCEEDED, source.random(), f"1-{number - 1}")
        tells.append(timed(partial(made.observe, record)))
        if study is not None:
            with as_it_comes():
                bare.append(timed(lambda: study.ask(distributions)))
    grown = resident_mib() - before
    rebuild = timed(lambda: filled(engine, records).suggest(size + 1))
    beside = round(statistics.median(bare), 3) if bare else None
    return Row(
        engine,
        size,
        round(statistics.median(asks), 3),
        round(statistics.median(tells), 4),
        beside,
        round(rebuild, 1),
        round(grown, 1),
    )


def resident_mib() -> float:
    """Memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def measure_missing(engines: Sequence[str], sizes: Sequence[int], results: Results[Row]) -> None:
    """Each engine and size that the file has no row of, the small first."""
    done = {(row.engine, row.trials) for row in results.rows}
    fresh = multiprocessing.get_context("spawn")
    for size in sizes:
        for engine in engines:
            if (engine, size) not in done:
                with ProcessPoolExecutor(1, mp_context=fresh) as pool:
                    results.add([pool.submit(measure, engine, size).result()])
                print(f"{engine}, {size} trials", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print, or only print; the exit code is 1 if a figure lies outside its range."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=ENGINES, default=ENGINES, metavar="ENGINE")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    if given.report is not None:
        rows = read_results(given.report, Row).rows
    else:
        results = open_results(given.output, Row, engine_facts(), {"asks": ASKS})
        measure_missing(given.only, SIZES[: -1 if given.quick else None], results)
        rows = results.rows
    print(report(rows), end="\n\n")
    made, ranges = figures(rows), yaml.safe_load(RANGES.read_text())
    # Of a part of it, only that part has to hold.
    is_part = given.quick or set(given.only) != set(ENGINES)
    verdicts = check(made, {n: r for n, r in ranges.items() if n in made or not is_part})
    print("\n".join(verdict.text() for verdict in verdicts))
    sys.exit(0 if all(verdict.holds for verdict in verdicts) else 1)


if __name__ == "__main__":
    main()
