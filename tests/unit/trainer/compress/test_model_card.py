"""The model card: what it is, how it is run, how good it is, where it comes from."""

from __future__ import annotations

from typing import Any

from winnow_trainer.compress.model_card import model_card


def manifest(**changes: Any) -> dict[str, Any]:
    return {
        "job": {"kind": "CompressionJob", "namespace": "team", "name": "small"},
        "trial": {"name": "small-c00002", "seed": 47},
        "candidate": "half",
        "metrics": {"parameters": 85_002, "operations": 84_000},
        "steps": [
            {
                "prune": {"unit": "Neuron", "amount": 0.5, "importance": "Taylor"},
                "report": {"sentences": ["Half of the neurons are gone."]},
            }
        ],
        "values": [
            {"metric": "accuracy", "split": "validation", "value": 0.98, "standardError": 0.007},
            {"metric": "accuracy", "split": "test", "value": 0.975, "standardError": None},
        ],
        "task": {
            "data": {"uri": "pvc://tables/t.csv", "sha256": "ab" * 32, "target": "y", "rows": 100},
            "evaluation": {"rows": {"train": 60, "validation": 21, "test": 19}},
        },
        "claims": {"smallerThanParent": True, "masked": False},
        "lineage": [
            {"kind": "source", "uri": "pvc://m/a", "digest": "cd" * 32, "trial": {"seed": 9}},
        ],
        "environment": {"torch": "2.15.0", "onnx": "1.23.2"},
        **changes,
    }


DESCRIPTION = {
    "family": "MLP",
    "input": {"shape": [4], "image": None},
    "classes": ["cat", "dog"],
    "columns": ["a", "b", "c", "d"],
}


def test_the_card_says_what_the_manifest_says() -> None:
    card = model_card(manifest(), DESCRIPTION)

    assert card.startswith("# small/half\n\nMLP of 85k parameters and 84k multiply-adds for a row")
    assert "prune 50 % of the neurons and channels (Taylor)" in card
    assert "   - Half of the neurons are gone.\n" in card
    assert "rows = numpy.zeros((1, 4), dtype=numpy.float32)" in card
    assert "in the order a, b, c, d" in card
    assert "Outputs are 2 logits, of the classes cat, dog in this order" in card
    assert "| accuracy | 0.98 +- 0.007 | 0.975 |" in card
    assert "60 were trained on, 21 compared by and 19 kept for the test" in card
    assert "| source | `cdcdcdcdcdcd` | 9 | pvc://m/a |" in card
    assert card.endswith("Made with torch 2.15.0, onnx 1.23.2.\n")
    assert "zeros in tensors of the same shape" not in card
    assert "integer kernels" not in card


def test_the_card_says_what_a_mask_and_integers_are_worth() -> None:
    claims = {"masked": True, "integerLayers": ["Linear"], "excluded": 0}

    card = model_card(manifest(claims=claims), DESCRIPTION)

    assert "the model is neither smaller nor faster for it" in card
    assert "on others it may be no faster than 32 bits" in card


def test_a_baseline_of_values_has_neither_steps_nor_classes() -> None:
    card = model_card(
        manifest(candidate="baseline", steps=[]), {**DESCRIPTION, "classes": [], "columns": []}
    )

    assert "Nothing: this is the source as it came" in card
    assert "The output of a row is the value, in the unit of the data." in card
    assert "logits" not in card


def test_thousands_of_classes_are_not_named_one_by_one() -> None:
    names = [f"class{number}" for number in range(1000)]

    card = model_card(manifest(), {**DESCRIPTION, "classes": names})

    assert "Outputs are 1000 logits, of the classes class0, " in card
    assert "class9, ... in this order" in card
    assert "class10" not in card
