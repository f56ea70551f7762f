"""Which parameters told good trials from others, when a search has ended.

PED-ANOVA (Watanabe et al., "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces", IJCAI 2023) as Optuna has it: by how far the distribution of a parameter's values in the
best tenth of the trials lies from that in all of them. It takes conditions, needs no forest of trees,
and its cost grows with the trials and no faster. What parameters do only together it does not see.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection
from optuna.trial import create_trial

from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines.base import Record
from winnow_operator.engines.distributions import distributions_of, several_valued, to_study

FEWEST_TRIALS = 10
"""The best tenth of fewer is not even one."""
MOST_TRIALS = 10_000
"""Of more, these are taken, evenly over all numbers."""


def importances(
    space: Space, records: Sequence[Record], objectives: int
) -> Mapping[str, tuple[float, ...]]:
    """For each parameter its share for each objective.

    The shares of an objective add up to 1, or are all 0 where all trials are alike in it.
    Empty where there are too few trials with a value, or fewer than two parameters to tell apart. An
    architecture is none of them: its decisions differ from net to net.

    Args:
        space: of the search.
        records: its trials; those without a value do not count.
        objectives: how many there are.
    """
    space = space.without_nets()
    distributions = distributions_of(space)
    names = list(several_valued(distributions))
    valued = sorted((r for r in records if len(r.results) == objectives), key=lambda r: r.number)
    if len(valued) < FEWEST_TRIALS or len(names) < 2:  # noqa: PLR2004 -- one alone has all of it
        return {}
    if len(valued) > MOST_TRIALS:
        step = len(valued) / MOST_TRIALS
        valued = [valued[int(place * step)] for place in range(MOST_TRIALS)]
    each = [_of_one(space, valued, place) for place in range(objectives)]
    return {name: tuple(shares.get(name, 0.0) for shares in each) for name in names}


def _of_one(space: Space, valued: Sequence[Record], place: int) -> dict[str, float]:
    """Shares for one objective; none where all trials are alike."""
    distributions = several_valued(distributions_of(space))
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
                params={
                    name: value
                    for name, value in to_study(space, record.assignment).items()
                    if name in distributions
                },
                distributions={n: d for n, d in distributions.items() if n in record.assignment},
            )
            for record in valued
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's words are for people who call it
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {name: float(share) for name, share in found.items()}
