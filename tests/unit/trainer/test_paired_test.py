"""A trial is stopped after some of its folds where it is surely worse than the best one."""

from __future__ import annotations

import random

import pytest

from winnow_trainer.paired_test import chance_to_be_better

RIVAL = (0.80, 0.90, 0.85, 0.95, 0.75)
LOWER, HIGHER = 1, -1


def test_surely_worse_on_each_fold_leaves_little_chance() -> None:
    own = (0.60, 0.71, 0.64)

    assert chance_to_be_better(own, RIVAL, 5, HIGHER) < 0.01
    assert chance_to_be_better(own, RIVAL, 5, LOWER) > 0.99


def test_what_two_values_do_not_tell_apart_their_differences_do() -> None:
    """The folds differ far more than the two trials: only a paired test can know."""
    own = (0.77, 0.868, 0.823)

    assert chance_to_be_better(own, RIVAL, 5, HIGHER) < 0.05


@pytest.mark.parametrize("own", [(), (0.1,), (0.80, 0.90, 0.85), (0.9, 0.95, 0.99)])
def test_too_few_folds_or_none_worse_is_no_reason_to_stop(own: tuple[float, ...]) -> None:
    assert chance_to_be_better(own, RIVAL, 5, HIGHER) >= 0.5


def test_the_same_difference_on_each_fold_is_sure() -> None:
    assert chance_to_be_better((2.0, 3.0), (1.0, 2.0, 9.0), 3, LOWER) == 0.0


def test_a_trial_as_good_as_its_rival_is_seldom_stopped() -> None:
    """Of equals no more than the level, for folds that share nothing; the correction leaves fewer."""
    source, stopped = random.Random(5), 0  # noqa: S311 -- figures, not secrets
    for _ in range(400):
        rival = [source.gauss(0, 1) for _ in range(5)]
        own = [source.gauss(0, 1) for _ in range(4)]
        stopped += chance_to_be_better(own, rival, 5, LOWER) < 0.05

    assert stopped / 400 <= 0.05
