"""Which parameters told good trials from others, when a search has ended.

PED-ANOVA (Watanabe et al., "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces", IJCAI 2023) as Optuna has it: by how far the distribution of a parameter's values in the
best tenth of the trials lies from that in all of them. It takes conditions, needs no forest of trees,
and its cost grows with the trials and no faster. What parameters do only together it does not see.

Of an architecture each decision counts as a parameter with a condition: `architecture.layer2.width` is
of those nets that have a second layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection
from optuna.trial import create_trial

from winnow_operator.domain.spaces.space import Nets, Space
from winnow_operator.engines.base import FEWEST_TO_RANK, Record
from winnow_operator.engines.distributions import (
    Distributions,
    distributions_of,
    several_valued,
    to_study,
)

MOST_TRIALS = 4_000
"""Of more, these are taken, evenly over all numbers: each takes some 4 KiB of the operator's memory."""


def importances(
    space: Space, records: Sequence[Record], objectives: int
) -> Mapping[str, tuple[float, ...]]:
    """For each parameter, and each decision of an architecture, its share for each objective.

    The shares of an objective add up to 1, or are all 0 where all trials are alike in it.
    Empty where there are too few trials with a value, or fewer than two parameters to tell apart.

    Args:
        space: of the search.
        records: its trials; those without a value do not count.
        objectives: how many there are.
    """
    valued = sorted((r for r in records if len(r.results) == objectives), key=lambda r: r.number)
    if len(valued) < FEWEST_TO_RANK:
        return {}
    if len(valued) > MOST_TRIALS:
        step = len(valued) / MOST_TRIALS
        valued = [valued[int(place * step)] for place in range(MOST_TRIALS)]
    points = [_point(space, record) for record in valued]
    distributions = several_valued(
        {**distributions_of(space), **_decided(space, points)},
    )
    if len(distributions) < 2:  # noqa: PLR2004 -- one alone has all of it
        return {}
    each = [_of_one(distributions, points, valued, place) for place in range(objectives)]
    return {name: tuple(shares.get(name, 0.0) for shares in each) for name in distributions}


def _point(space: Space, record: Record) -> dict[str, Any]:
    """A trial's values by name, those of its architecture by decision."""
    values = to_study(space.without_nets(), record.assignment)
    if space.nets is not None:
        values |= _decisions(space.nets, str(record.assignment[space.nets.name]))
    return values


def _decisions(nets: Nets, text: str) -> dict[str, str]:
    decided = nets.grammar.decisions(nets.grammar.parse(text))
    return {f"{nets.name}.{slot}": nets.grammar.vocabulary[token] for slot, _, token in decided}


def _decided(space: Space, points: Sequence[Mapping[str, Any]]) -> dict[str, BaseDistribution]:
    """The decisions of the architectures that were tried, each over what was chosen there."""
    if space.nets is None:
        return {}
    ordinary, words = set(distributions_of(space)), dict[str, dict[str, None]]()
    for point in points:
        for name in point.keys() - ordinary:
            words.setdefault(name, {})[point[name]] = None
    return {name: CategoricalDistribution(sorted(words[name])) for name in sorted(words)}


def _of_one(
    distributions: Distributions,
    points: Sequence[Mapping[str, Any]],
    valued: Sequence[Record],
    place: int,
) -> dict[str, float]:
    """Shares for one objective; none where all trials are alike."""
    values = [record.results[place] for record in valued]
    worst = max(values)
    if worst == min(values):
        return {}
    study = optuna.create_study(directions=[StudyDirection.MINIMIZE], study_name="winnow")
    study.add_trials(
        [
            create_trial(
                # What was stopped early is no better than the worst that ran on.
                value=worst if record.stopped_at else record.results[place],
                params={name: value for name, value in point.items() if name in distributions},
                distributions={name: d for name, d in distributions.items() if name in point},
            )
            for record, point in zip(valued, points, strict=True)
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's words are for people who call it
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {name: float(share) for name, share in found.items()}
