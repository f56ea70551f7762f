"""The round that is kept: the smallest model that is as good as the best, but for noise."""

from __future__ import annotations

import pytest

from winnow_trainer.compress.pruning.rounds import Round, best_round


def rounds(*values: float, error: float | None = 0.01) -> list[Round]:
    return [
        Round(place / 10, (0.1, None), (value, error), 1) for place, value in enumerate(values, 1)
    ]


@pytest.mark.parametrize(
    ("values", "metric", "kept"),
    [
        ((0.97, 0.98, 0.975), "accuracy", 2),  # within an error of the best: the smaller one
        ((0.97, 0.98, 0.96), "accuracy", 1),
        ((0.99, 0.979, 0.90), "accuracy", 0),
        ((0.99, 0.981, 0.90), "accuracy", 1),
        ((0.9, 0.5, 0.505), "rmse", 2),
        ((0.5, 0.52, 0.9), "log_loss", 0),
    ],
)
def test_the_smallest_round_within_one_standard_error_of_the_best_is_kept(
    values: tuple[float, ...], metric: str, kept: int
) -> None:
    assert best_round(rounds(*values), metric) == kept


def test_without_an_error_only_the_best_will_do() -> None:
    assert best_round(rounds(0.97, 0.98, 0.979, error=None), "accuracy") == 1
