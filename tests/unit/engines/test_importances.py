"""Importances: what made trials good comes out first, with conditions and several objectives too."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.spaces import choice, double, space_of, when
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.architectures import ListedGrammar, MlpGrammar, MlpSpace
from winnow_operator.domain.spaces.space import Nets, Space, Value
from winnow_operator.engines import Record
from winnow_operator.engines.importances import importances
from winnow_operator.engines.sampling import sample

SPACE = space_of(
    double("x", min="0", max="1"),
    double("y", min="0.001", max="1", scale="Log"),
    choice("word", "a", "b", "c"),
    when(double("z", min="0", max="1"), "word", "a"),
    choice("only", "one"),
)
Score = Callable[[dict[str, Value]], tuple[float, ...]]


def by_x(point: dict[str, Value]) -> tuple[float, ...]:
    return ((float(point["x"]) - 0.3) ** 2,)


def records(space: Space, count: int, score: Score) -> list[Record]:
    source = random.Random(1)  # noqa: S311 -- points, not secrets
    points = [sample(space, source) for _ in range(count)]
    return [
        Record(number, point, Outcome.SUCCEEDED, *_results(score(point)))
        for number, point in enumerate(points, 1)
    ]


def _results(scores: tuple[float, ...]) -> tuple[float | None, str, tuple[float, ...]]:
    return (scores[0], "", ()) if len(scores) == 1 else (None, "", scores)


def test_the_parameter_that_decides_has_the_largest_share() -> None:
    found = importances(SPACE, records(SPACE, 80, by_x), 1)

    assert set(found) == {"x", "y", "word", "z"}
    assert max(found, key=lambda name: found[name]) == "x"
    assert sum(shares[0] for shares in found.values()) == pytest.approx(1.0)


def test_each_objective_has_shares_of_its_own() -> None:
    both = records(SPACE, 120, lambda p: (*by_x(p), {"a": 0.0, "b": 1.0, "c": 2.0}[str(p["word"])]))
    found = importances(SPACE, both, 2)

    assert max(found, key=lambda name: found[name][0]) == "x"
    assert max(found, key=lambda name: found[name][1]) == "word"


def test_the_same_trials_give_the_same_shares_whatever_their_order() -> None:
    listed = records(SPACE, 40, by_x)

    assert importances(SPACE, listed, 1) == importances(SPACE, listed[::-1], 1)


@pytest.mark.parametrize("count", [0, 9])
def test_of_few_trials_nothing_is_said(count: int) -> None:
    assert importances(SPACE, records(SPACE, count, by_x), 1) == {}


def test_the_choice_among_listed_nets_counts_beside_parameters() -> None:
    nets = Nets(ListedGrammar(["64-32", "32"]))
    beside = Space((nets, *SPACE.dimensions), SPACE.conditions)

    found = importances(beside, records(beside, 80, by_x), 1)

    assert set(found) == {"x", "y", "word", "z", "architecture.net"}
    assert max(found, key=lambda name: found[name]) == "x"


def test_each_decision_of_a_net_has_a_share_of_its_own() -> None:
    """A layer that only some nets have is compared among those that have it."""
    space = Space((Nets(MlpGrammar(MlpSpace(depths=(1, 2), widths=(8, 16, 32)))),))
    found = importances(space, records(space, 60, by_first_width), 1)

    assert set(found) == {f"architecture.{n}" for n in ("depth", "layer1.width", "layer2.width")}
    assert max(found, key=lambda name: found[name]) == "architecture.layer1.width"
    assert sum(shares[0] for shares in found.values()) == pytest.approx(1.0)


def by_first_width(point: dict[str, Value]) -> tuple[float, ...]:
    return (float(str(point["architecture"]).split("-")[0]),)


def test_of_one_parameter_nothing_is_said() -> None:
    alone = space_of(double("x", min="0", max="1"), choice("only", "one"))

    assert importances(alone, records(alone, 20, by_x), 1) == {}


def test_trials_without_a_value_do_not_count() -> None:
    failed = [Record(99, {"x": 0.5}, Outcome.FAILED)]

    assert importances(SPACE, [*records(SPACE, 9, by_x), *failed], 1) == {}


def test_what_was_stopped_early_is_not_among_the_best() -> None:
    """Its value is that of a rung, which may look better than any at the end."""
    ran = records(SPACE, 60, by_x)
    flattered = [
        Record(100 + n, {**r.assignment, "x": 0.9}, Outcome.STOPPED, -9.0, stopped_at=3)
        for n, r in enumerate(ran[:20])
    ]

    found = importances(SPACE, [*ran, *flattered], 1)

    assert max(found, key=lambda name: found[name]) == "x"
    assert found == importances(SPACE, [*flattered, *ran], 1)
    best = importances(
        SPACE, [replace(r, outcome=Outcome.SUCCEEDED, stopped_at=0) for r in [*ran, *flattered]], 1
    )
    assert found != best


def test_where_all_trials_are_alike_nothing_mattered() -> None:
    alike = importances(SPACE, records(SPACE, 20, lambda _: (0.5,)), 1)

    assert alike == dict.fromkeys(("x", "y", "word", "z"), (0.0,))
