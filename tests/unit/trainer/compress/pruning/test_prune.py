"""The step prune: what is gone, what is kept, and what the report says."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from tests.support.compression import NoWatch, source, step, workshop
from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.importance import prunable_weights
from winnow_trainer.compress.pruning.prune import prune
from winnow_trainer.errors import TrialError


def options(**given: Any) -> dict[str, Any]:
    return step("prune", **{"epochs": 3, "learningRate": "0.005", **given})


def test_layer_takes_the_amount_of_each_and_the_report_says_how_much() -> None:
    shop = workshop("MLP", widths="32-8")

    made = prune(source("MLP", shop), options(amount="0.25", scope="Layer"), shop)

    assert made.report["layers"] == [
        {"layer": "body.1", "unit": "neurons", "before": 32, "after": 24, "amount": 0.25},
        {"layer": "body.4", "unit": "neurons", "before": 8, "after": 6, "amount": 0.25},
    ]


def test_the_source_stays_as_it_is() -> None:
    shop = workshop("MLP")
    start = source("MLP", shop)
    before = {name: tensor.clone() for name, tensor in start.model.state_dict().items()}

    for unit in ("Neuron", "Weight"):
        prune(start, options(unit=unit), shop)

    after = start.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("unit", ["Neuron", "Weight"])
def test_the_same_step_gives_the_same_bits(unit: str) -> None:
    shop = workshop("CNN")
    start = source("CNN", shop)

    first, again = (prune(start, options(unit=unit, importance="Taylor"), shop) for _ in range(2))

    assert first.report == again.report
    states = first.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("unit", ["Neuron", "Weight"])
def test_each_importance_chooses_differently(unit: str) -> None:
    shop = workshop("MLP", widths="24", norm="none")
    start = source("MLP", shop)

    outputs = [
        prune(
            start, options(unit=unit, importance=importance, epochs=1, learningRate="1e-9"), shop
        ).model(shop.validation.features)
        for importance in ("Magnitude", "Taylor", "Random")
    ]

    for one, other in itertools.combinations(outputs, 2):
        assert (one - other).abs().max() > 0.01


@pytest.mark.parametrize("unit", ["Neuron", "Weight"])
def test_an_iterative_schedule_cuts_in_rounds_with_training_after_each(unit: str) -> None:
    shop = workshop("MLP")
    start = source("MLP", shop)
    assert isinstance(shop.watch, NoWatch)
    shop.watch.epochs.clear()

    made = prune(
        start, options(unit=unit, amount="0.6", schedule="Iterative", rounds=3, epochs=7), shop
    )

    rounds = made.report["rounds"]
    assert [entry["epochs"] for entry in rounds] == [2, 2, 3]
    assert [entry["amount"] for entry in rounds] == pytest.approx([0.263, 0.457, 0.6], abs=0.02)
    assert len(shop.watch.epochs) == 7
    kept = made.report["keptRound"] - 1
    assert [entry["kept"] for entry in rounds] == [place == kept for place in range(3)]
    assert made.report["amount"] == rounds[kept]["amount"]
    assert shop.quality(made.model)[0] == rounds[kept]["after_accuracy"]


def test_a_round_that_has_lost_too_much_is_not_kept() -> None:
    shop = workshop("MLP", widths="32-16")
    start = source("MLP", shop)

    # One epoch at this rate teaches nothing, so the last round with 3 of 48 neurons is far behind.
    made = prune(
        start,
        options(
            amount="0.95", schedule="Iterative", rounds=3, learningRate="0.000001", scope="Layer"
        ),
        shop,
    )

    values = [entry["after_accuracy"] for entry in made.report["rounds"]]
    assert values[2] < values[0] - 0.1
    assert made.report["keptRound"] < 3
    assert any("within one standard error" in words for words in made.report["sentences"])


def test_a_mask_grows_over_a_mask() -> None:
    shop = workshop("MLP")
    first = prune(source("MLP", shop), options(unit="Weight", amount="0.4"), shop)

    second = prune(first, options(unit="Weight", amount="0.8", importance="Random"), shop)

    for name, weight in prunable_weights(first.model).items():
        assert not second.model.get_parameter(name)[weight == 0].any()
    assert second.report["amount"] == pytest.approx(0.8, abs=1e-3)


def test_a_model_that_was_cut_is_cut_on() -> None:
    shop = workshop("ResNet")
    first = prune(source("ResNet", shop), options(amount="0.5", epochs=1), shop)

    second = prune(first, options(amount="0.5", epochs=1), shop)

    assert second.model.parameter_count < 0.6 * first.model.parameter_count
    copy = Model(second.architecture)
    copy.load_state_dict(second.model.state_dict())
    rows = shop.validation.features
    assert torch.equal(copy.eval()(rows), second.model.eval()(rows))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"widths": "", "depth": 0}, "the MLP has no layer with more than one neuron inside"),
        ({"widths": "1"}, "the MLP has no layer with more than one neuron inside"),
        ({"widths": "2"}, "prune.amount is 0.1, which takes nothing from layers this small"),
    ],
)
def test_where_nothing_can_be_cut_the_step_fails_with_a_sentence(
    given: dict[str, Any], words: str
) -> None:
    shop = workshop("MLP", **given)

    with pytest.raises(TrialError, match=words) as failure:
        prune(source("MLP", shop), options(amount="0.1"), shop)

    assert failure.value.cause == "NothingToPrune"
