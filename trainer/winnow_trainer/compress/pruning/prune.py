"""The step `prune`: find what matters least, take it away, train what is left, measure.

In this order, once or in rounds, since Han et al., "Learning both Weights and Connections for Efficient
Neural Networks", NeurIPS 2015.

unit Weight   weights become zero and stay so (`masks`): nothing shrinks, and the report says so
unit Neuron   neurons, channels and heads are cut out (`cuts`): tensors shrink

A model is never judged before it was trained again: right after a cut it is often no better than
chance, however well it recovers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.amounts import Scope, amounts_of_rounds, epochs_of_rounds
from winnow_trainer.compress.pruning.cuts import Neurons
from winnow_trainer.compress.pruning.importance import Importance
from winnow_trainer.compress.pruning.masks import Weights
from winnow_trainer.compress.pruning.rounds import Round, best_round
from winnow_trainer.compress.workshop import Made, Work, Workshop
from winnow_trainer.errors import TrialError


class Remover(Protocol):
    """Takes weights or neurons away."""

    claims: Mapping[str, bool]
    """What must be true of the result."""

    def remove(self, work: Work, amount: float, scope: Scope, importance: Importance) -> Work:
        """A model without the least important; the one given stays as it is."""

    def held(self, model: Model) -> AbstractContextManager[None]:
        """Keep away, within the block, what was taken away."""

    def layers(self, end: Work) -> list[dict[str, Any]]:
        """Of each layer, how much it has lost."""

    def share_gone(self, work: Work) -> float:
        """Share of everything that is gone."""


def prune(work: Work, options: Mapping[str, Any], workshop: Workshop) -> Made:
    """Prune a model as a resolved step says.

    Args:
        work: what the chain has made so far; it stays as it is.
        options: unit, amount, scope, importance, schedule, rounds, epochs and learningRate.
        workshop: data, settings and seed.

    Raises:
        TrialError: if there is nothing to prune, or a loss is not finite.
        Stopping: when the watch says so.
    """
    is_masked = options["unit"] == "Weight"
    remover: Remover = (Weights if is_masked else Neurons)(work, workshop)
    before = workshop.quality(work.model)
    gone_before = remover.share_gone(work)
    done = list(_rounds(work, options, workshop, remover))
    place = best_round([finished for finished, _ in done], workshop.metric)
    best = done[place][1]
    if remover.share_gone(best) <= gone_before:
        raise TrialError(
            "NothingToPrune",
            f"prune.amount is {options['amount']:g}, which takes nothing from layers this small: "
            "give a larger amount",
        )
    metric = workshop.metric
    report = {
        "amount": remover.share_gone(best),
        f"before_{metric}": before[0],
        f"cut_{metric}": done[place][0].before[0],
        f"after_{metric}": done[place][0].after[0],
        "parameters": {"before": work.model.parameter_count, "after": best.model.parameter_count},
        "layers": remover.layers(best),
        "rounds": [
            _entry(finished, metric, kept=number == place)
            for number, (finished, _) in enumerate(done)
        ],
        "keptRound": place + 1,
        "sentences": list(_sentences(options, workshop, [finished for finished, _ in done], place)),
    }
    return Made(best.model, best.architecture, report, remover.claims)


def _rounds(
    work: Work, options: Mapping[str, Any], workshop: Workshop, remover: Remover
) -> Iterator[tuple[Round, Work]]:
    """Remove and train, round after round; what each has led to."""
    count = options.get("rounds", 1) if options["schedule"] == "Iterative" else 1
    scope, importance = Scope(options["scope"]), Importance(options["importance"])
    amounts = amounts_of_rounds(options["amount"], count)
    for amount, epochs in zip(amounts, epochs_of_rounds(options["epochs"], count), strict=True):
        work = remover.remove(work, amount, scope, importance)
        before = workshop.quality(work.model)
        with remover.held(work.model):
            workshop.retrain(work.model, epochs, options["learningRate"])
        after = workshop.quality(work.model)
        yield Round(remover.share_gone(work), before, after, epochs), work


def _entry(finished: Round, metric: str, *, kept: bool) -> dict[str, Any]:
    return {
        "amount": finished.amount,
        "epochs": finished.epochs,
        f"cut_{metric}": finished.before[0],
        f"after_{metric}": finished.after[0],
        "standardError": finished.after[1],
        "kept": kept,
    }


def _sentences(
    options: Mapping[str, Any], workshop: Workshop, rounds: list[Round], place: int
) -> Iterator[str]:
    kept, metric = rounds[place], workshop.metric
    what = "weights" if options["unit"] == "Weight" else "neurons, channels and heads"
    yield (
        f"{kept.amount:.1%} of the {what} are gone, chosen by {options['importance']} importance, "
        f"scope {options['scope']}, schedule {options['schedule']}."
    )
    yield (
        f"{metric} was {kept.before[0]:.4g} right after the cut and {kept.after[0]:.4g} after "
        f"training; only the latter is judged."
    )
    if options["unit"] == "Weight":
        yield (
            "Size and speed do not change: the weights are zeros in tensors of the same shape, "
            "and no kernel here skips them."
        )
    if len(rounds) > 1:
        yield (
            f"Round {place + 1} of {len(rounds)} is kept: the most pruned one whose {metric} is "
            "within one standard error of the best round's."
        )
