"""Neurons, channels and heads cut out of a model, as the unit `Neuron` of a prune step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.amounts import Scope, kept_units
from winnow_trainer.compress.pruning.couplings import Coupling, find_couplings
from winnow_trainer.compress.pruning.importance import Importance, unit_scores
from winnow_trainer.compress.pruning.norms import settle_norms
from winnow_trainer.compress.pruning.slicing import cut
from winnow_trainer.compress.workshop import Work, Workshop
from winnow_trainer.errors import TrialError


class Neurons:
    """Cuts units out of one model, a share of what it had at the start."""

    claims: Mapping[str, bool] = {"smallerThanParent": True, "masked": False}

    def __init__(self, start: Work, workshop: Workshop) -> None:
        self._workshop = workshop
        self._start = self._units(start.model)
        if all(coupling.units == 1 for coupling in self._start):
            raise TrialError(
                "NothingToPrune",
                f"prune.unit is Neuron, the {start.architecture.family} has no layer with more than "
                "one neuron inside: use unit Weight, or another step",
            )

    def remove(self, work: Work, amount: float, scope: Scope, importance: Importance) -> Work:
        """A model without its least important units.

        Args:
            work: what is cut; it stays as it is.
            amount: share of the units at the start that is gone then.
            scope: what is ranked together.
            importance: what decides.
        """
        couplings = self._units(work.model)
        evidence = self._workshop.evidence(work.model)
        scores = unit_scores(importance, work.model, couplings, evidence)
        starts = [coupling.units for coupling in self._start]
        kept = kept_units(scores, starts, amount, scope)
        model, architecture = cut(work.model, work.architecture, couplings, kept)
        settle_norms(model, self._workshop.training.features)
        return Work(model, architecture)

    def held(self, model: Model) -> AbstractContextManager[None]:
        """Nothing needs to be held: what is cut cannot come back."""
        del model
        return nullcontext()

    def layers(self, end: Work) -> list[dict[str, Any]]:
        """What each layer had and has, for the report."""
        return [
            {
                "layer": before.name,
                "unit": before.unit,
                "before": before.units,
                "after": after.units,
                "amount": _share_gone([before], [after]),
            }
            for before, after in zip(self._start, self._units(end.model), strict=True)
        ]

    def share_gone(self, work: Work) -> float:
        """Share of the units at the start that a model has lost."""
        return _share_gone(self._start, self._units(work.model))

    def _units(self, model: Model) -> tuple[Coupling, ...]:
        return find_couplings(model, self._workshop.training.features)


def _share_gone(before: Sequence[Coupling], after: Sequence[Coupling]) -> float:
    left, had = (sum(coupling.units for coupling in listed) for listed in (after, before))
    return round(1 - left / had, 6)
