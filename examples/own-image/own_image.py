"""A trial that needs neither torch nor anything else: boosted trees on Friedman's first problem.

The rows are made here (Friedman, 1991): ten features, of which five matter, and noise of standard
deviation 1, so no model has an RMSE below 1 but by luck. Whatever you train, the contract is the
last function and the last line.
"""

from __future__ import annotations

import json
import math
import random
import statistics
from collections.abc import Sequence

from boosting import Boosting, Row

from winnow_contract.report import Trial, TrialFailedError, run

DATA_SEED = 0
"""The same rows for every trial: they are compared on them."""
TRAIN, VALIDATION, TEST = 600, 400, 400

Split = tuple[Sequence[Row], Sequence[float]]


def friedman(count: int, source: random.Random) -> Split:
    """Rows and targets of Friedman's first problem."""
    rows = [[source.random() for _ in range(10)] for _ in range(count)]
    targets = [
        10 * math.sin(math.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + source.gauss(0, 1)
        for a, b, c, d, e, *_ in rows
    ]
    return rows, targets


def rmse(model: Boosting, split: Split) -> tuple[float, float]:
    """Root mean squared error and its standard error (delta method)."""
    squares = [(model.predict(row) - target) ** 2 for row, target in zip(*split, strict=True)]
    root = math.sqrt(statistics.fmean(squares))
    return root, statistics.stdev(squares) / math.sqrt(len(squares)) / (2 * root)


def sample(split: Split, share: float, source: random.Random) -> Split:
    """A random share of the training rows: each trial's seed draws its own."""
    rows, targets = split
    chosen = source.sample(range(len(rows)), max(20, round(share * len(rows))))
    return [rows[i] for i in chosen], [targets[i] for i in chosen]


def numbers(trial: Trial, names: Sequence[str]) -> list[float]:
    """Some parameters of the trial, which has failed if they are no numbers."""
    values = [trial.parameters.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, int | float) or value <= 0:
            message = f"parameter {name} is {value!r}, a number above 0 is needed"
            raise TrialFailedError("BadParameters", message)
    return [float(value) for value in values if isinstance(value, int | float)]


def train(trial: Trial) -> None:
    """One trial: its parameters in, values and a file out."""
    rate, depth, rounds, share = numbers(trial, ("rate", "depth", "rounds", "share"))
    source = random.Random(DATA_SEED)  # noqa: S311 -- data, not secrets
    training, validation, test = (friedman(n, source) for n in (TRAIN, VALIDATION, TEST))
    model = Boosting(*sample(training, share, random.Random(trial.seed)))  # noqa: S311 -- same
    for number in range(1, int(rounds) + 1):
        model.add_tree(int(depth), rate)
        if number % 20 == 0 or number == int(rounds):
            value, error = rmse(model, validation)
            trial.report(number, rmse=value, trees=number)
            trial.standard_error(rmse=error)
    value, error = rmse(model, test)
    trial.test(rmse=value)
    trial.test_standard_error(rmse=error)
    (trial.folder / "model.json").write_text(json.dumps(model.to_json()))


if __name__ == "__main__":
    run(train)
