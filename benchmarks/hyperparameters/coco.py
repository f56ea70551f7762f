"""The functions of COCO's suites bbob and bbob-mixint, by the package coco-experiment.

Hansen et al., "COCO: A Platform for Comparing Continuous Optimizers in a Black-Box Setting", 2021. The
seed of a search is the instance: where the optimum lies, its value, and how the axes are turned. In
bbob-mixint four of five variables are whole numbers, with 2, 4, 8 and 16 values.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cocoex
import numpy as np

from benchmarks.hyperparameters.tasks import Objective, Point

SUITES = ("bbob", "bbob-mixint")
FUNCTIONS = range(1, 25)
DIMENSIONS = (5, 10)
TRIALS = {5: (50, 200), 10: (50,)}
"""Of searches, by dimension: longer ones only where they take seconds."""
GRID_POINTS = {5: 3, 10: 2}
"""Values of a variable in a grid: 243 and 1,024 points, or fewer where it has fewer values."""
BEST_POINT = "._bbob_problem_best_parameter.txt"
"""The file that COCO writes where an optimum is asked for: it gives it in no other way."""


@dataclass(frozen=True)
class CocoTask:
    """A function in one number of dimensions."""

    suite: str
    function: int
    dimension: int

    @property
    def name(self) -> str:
        """In tables and rows."""
        return f"{self.suite} f{self.function} {self.dimension}-D"

    @property
    def trials(self) -> tuple[int, ...]:
        """Of its searches."""
        return TRIALS[self.dimension]

    @cached_property
    def space(self) -> dict[str, Any]:
        """What is searched, as a SearchJob has it."""
        with self._problem(1) as problem:
            bounds = list(zip(problem.lower_bounds, problem.upper_bounds, strict=True))
            whole = problem.number_of_integer_variables  # these come first
        points = GRID_POINTS[self.dimension]
        parameters = [
            {"name": f"x{place}", **_range(low, high, points, whole=place < whole)}
            for place, (low, high) in enumerate(bounds)
        ]
        return {"parameters": parameters}

    @contextlib.contextmanager
    def objective(self, seed: int) -> Iterator[Objective]:
        """The function of all searches with a seed, from 1.

        Raises:
            ValueError: if COCO's optimum is none.
        """
        with self._problem(seed) as problem:

            def value(point: Point) -> float:
                return float(problem(np.array(list(point.values()), float)))

            yield Objective(value, _optimum(problem))

    @contextlib.contextmanager
    def _problem(self, instance: int) -> Iterator[Any]:
        # Said, because by default the suite has only some instances.
        suite = cocoex.Suite(self.suite, f"instances:{instance}", f"dimensions:{self.dimension}")
        yield suite.get_problem_by_function_dimension_instance(
            self.function, self.dimension, instance
        )
        suite.free()  # its problems live no longer than it does


def coco_tasks() -> Sequence[CocoTask]:
    """All of them."""
    return [
        CocoTask(suite, function, dimension)
        for suite in SUITES
        for dimension in DIMENSIONS
        for function in FUNCTIONS
    ]


def _range(low: float, high: float, points: int, *, whole: bool) -> dict[str, Any]:
    if whole:
        return {"int": {"min": int(low), "max": int(high), "points": points}}
    return {"double": {"min": f"{low:g}", "max": f"{high:g}", "points": points}}


def _optimum(problem: Any) -> float:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        problem._best_parameter("print")  # noqa: SLF001 -- no other way
        best = float(problem(np.loadtxt(BEST_POINT)))
    if not problem.final_target_hit:
        raise ValueError(f"{problem.id}: COCO's own optimum misses its target")
    return best
