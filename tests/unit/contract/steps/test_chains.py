"""Steps: resolved once, the same for everyone, refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.models.settings import FAMILIES
from winnow_contract.steps.chains import (
    OPTIONS,
    StepError,
    check_candidate_name,
    check_chain,
    layers_of,
    resolve_chain,
    resolve_step,
    step_text,
)

Step = dict[str, Any]

shares = st.decimals("0.001", "0.999", places=3).map(str)
positive = st.decimals("0.001", "9", places=3).map(str)
epochs = st.integers(6, 50)

quantize = st.one_of(
    st.fixed_dictionaries(
        {"mode": st.just("PostTraining")},
        optional={"calibrationRows": st.integers(1, 10**6), "maxDrop": shares},
    ),
    st.fixed_dictionaries({"mode": st.just("Dynamic")}, optional={"maxDrop": shares}),
    st.fixed_dictionaries(
        {"mode": st.just("Aware")},
        optional={"epochs": epochs, "learningRate": positive, "layers": st.just(["Convolution"])},
    ),
)
prune = st.fixed_dictionaries(
    {},
    optional={
        "unit": st.sampled_from(["Weight", "Neuron"]),
        "amount": shares,
        "importance": st.sampled_from(["Magnitude", "Taylor", "Random"]),
        "schedule": st.sampled_from(["OneShot", "Iterative"]),
        "scope": st.sampled_from(["Global", "Layer"]),
        "epochs": epochs,
        "learningRate": positive,
    },
)
students = st.one_of(
    st.fixed_dictionaries({"width": shares}, optional={"depth": shares}),
    st.just({"settings": [{"name": "width", "value": "8"}, {"name": "depth", "value": "1"}]}),
)
distill = st.fixed_dictionaries(
    {},
    optional={"student": students, "temperature": positive, "alpha": shares, "epochs": epochs},
)
steps = st.one_of(
    quantize.map(lambda options: {"quantize": options}),
    prune.map(lambda options: {"prune": options}),
    distill.map(lambda options: {"distill": options}),
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*OPTIONS, "student", "layers", "settings", "amount", "mode", "name"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(steps)
def test_what_is_resolved_stays_the_same_when_it_is_resolved_again(step: Step) -> None:
    resolved = resolve_step(step)

    assert resolve_step(resolved) == resolved
    assert json.loads(step_text(step)) == resolved


@given(steps)
def test_a_step_and_its_resolved_form_have_one_text(step: Step) -> None:
    assert step_text(step) == step_text(resolve_step(step))


@given(steps)
def test_a_single_step_that_resolves_is_a_chain(step: Step) -> None:
    assert check_chain([step]) == []


@given(st.lists(steps | junk, max_size=9), st.sampled_from(["", *FAMILIES, "RNN"]))
def test_whatever_a_chain_is_the_answer_is_sentences(chain: list[Any], family: str) -> None:
    faults = check_chain(chain, family)

    assert all(isinstance(fault, str) and fault for fault in faults)
    if not faults:
        assert len(resolve_chain(chain)) == len(chain)


def test_numbers_become_numbers_and_one_amount_has_one_text() -> None:
    resolved = resolve_step({"prune": {"amount": "5e-1", "epochs": 8}})["prune"]

    assert (resolved["amount"], resolved["epochs"]) == (0.5, 8)
    texts = {step_text({"prune": {"amount": amount}}) for amount in ("0.5", "0.50", "5e-1", 0.5)}
    assert len(texts) == 1


def test_options_without_a_meaning_are_not_resolved() -> None:
    assert set(resolve_step({"quantize": {}})["quantize"]) == {
        "mode",
        "layers",
        "maxDrop",
        "calibrationRows",
    }
    assert "rounds" not in resolve_step({"prune": {}})["prune"]
    assert resolve_step({"prune": {"schedule": "Iterative"}})["prune"]["rounds"] == 3


def test_defaults_follow_what_they_depend_on() -> None:
    assert resolve_step({"quantize": {"mode": "Dynamic"}})["quantize"]["layers"] == ["Linear"]
    assert resolve_step({"distill": {}})["distill"]["transfer"] == ["Outputs"]
    student = resolve_step({"distill": {"student": {"depth": "0.5"}}})["distill"]
    assert student["transfer"] == ["Outputs", "Parameters"]
    assert student["student"] == {"width": 1.0, "depth": 0.5}


def test_a_manifests_step_is_read_without_its_report() -> None:
    step = {**resolve_step({"prune": {}}), "report": {"accuracy": 0.9}}

    assert resolve_step(step) == resolve_step({"prune": {}})


def test_a_quantize_step_takes_over_the_drop_that_goals_allow_unless_it_says_its_own() -> None:
    chain: list[Step] = [{"prune": {}}, {"quantize": {}}]

    assert resolve_chain(chain, max_drop=0.01)[1]["quantize"]["maxDrop"] == 0.01
    assert resolve_chain(chain, max_drop=0.0)[1]["quantize"]["maxDrop"] == 0.0
    assert resolve_chain(chain)[1]["quantize"]["maxDrop"] is None
    own = resolve_chain([{"quantize": {"maxDrop": "0.2"}}], max_drop=0.01)
    assert own[0]["quantize"]["maxDrop"] == 0.2


REFUSED = {
    "nothing": ({}, "exactly one of quantize, prune, distill, given: none"),
    "two": ({"prune": {}, "distill": {}}, "given: prune, distill"),
    "no object": ({"prune": 3}, "prune is '3', allowed is an object"),
    "unknown": ({"prune": {"ratio": "0.5"}}, "prune has no option 'ratio', allowed: unit, amount"),
    "amount 0": ({"prune": {"amount": "0"}}, "amount is 0, allowed: numbers above 0 and below 1"),
    "amount 1": ({"prune": {"amount": "1.0"}}, "amount is 1.0, allowed: numbers above 0 and"),
    "amount NaN": ({"prune": {"amount": "nan"}}, "prune.amount is nan, allowed: numbers above 0"),
    "true": ({"prune": {"epochs": True}}, "prune.epochs is True, allowed: whole numbers from 1"),
    "half an epoch": ({"prune": {"epochs": 1.5}}, "prune.epochs is 1.5, allowed: whole numbers"),
    "no rows": ({"quantize": {"calibrationRows": 0}}, "calibrationRows is 0, allowed: whole"),
    "rows of dynamic": (
        {"quantize": {"mode": "Dynamic", "calibrationRows": 9}},
        "quantize.calibrationRows has no meaning with mode Dynamic, only with PostTraining or Aware",
    ),
    "layers twice": (
        {"quantize": {"layers": ["Linear", "Linear"]}},
        "layers is Linear, Linear, allowed: a list without repeats of Linear, Convolution",
    ),
    "layers as a text": ({"quantize": {"layers": "Linear"}}, "layers is Linear, allowed: a list"),
    "dynamic convolutions": (
        {"quantize": {"mode": "Dynamic", "layers": ["Convolution"]}},
        "with mode Dynamic only Linear is allowed",
    ),
    "rounds": ({"prune": {"rounds": 3}}, "rounds has no meaning with schedule OneShot"),
    "few epochs": (
        {"prune": {"schedule": "Iterative", "epochs": 2}},
        "prune.epochs is 2, rounds is 3: each round needs at least one epoch",
    ),
    "nothing to transfer": ({"distill": {"transfer": []}}, "transfer is empty, allowed: a list"),
    "parameters of itself": (
        {"distill": {"transfer": ["Outputs", "Parameters"]}},
        "Parameters without a student",
    ),
    "a temperature": (
        {"distill": {"student": {"width": "0.5"}, "transfer": ["Parameters"], "temperature": "2"}},
        "temperature has no meaning with transfer Parameters, only with Outputs",
    ),
    "a student as large": ({"distill": {"student": {"width": "1"}}}, "as large as the teacher"),
    "an empty student": ({"distill": {"student": {}}}, "student has nothing, allowed: width"),
    "an odd student": ({"distill": {"student": {"heads": "1"}}}, "student has heads, allowed"),
    "a wide student": ({"distill": {"student": {"width": "1.5"}}}, "width is 1.5, allowed"),
    "settings beside": (
        {"distill": {"student": {"width": "0.5", "settings": []}}},
        "settings beside width or depth",
    ),
    "no settings": ({"distill": {"student": {"settings": []}}}, "has 0 entries, allowed are 1"),
    "a setting twice": (
        {"distill": {"student": {"settings": [{"name": "depth", "value": "1"}] * 2}}},
        "names depth more than once",
    ),
}


@pytest.mark.parametrize(("step", "words"), REFUSED.values(), ids=REFUSED)
def test_a_step_that_cannot_be_used_is_refused_with_a_sentence(step: Step, words: str) -> None:
    with pytest.raises(StepError) as refusal:
        resolve_step(step)

    assert words in str(refusal.value)
    assert words in "; ".join(check_chain([step]))


WEIGHT: Step = {"prune": {"unit": "Weight"}}
NEURON: Step = {"prune": {}}
INT8: Step = {"quantize": {}}
STUDENT: Step = {"distill": {"student": {"width": "0.5"}}}
ORDERS: dict[str, tuple[list[Step], str]] = {
    "quantize then prune": ([INT8, NEURON], "steps[1]: prune cannot follow quantize (steps[0])"),
    "quantize then distil": ([INT8, {"distill": {}}], "distill cannot follow quantize"),
    "quantize twice": (
        [NEURON, INT8, INT8],
        "steps[2]: the chain is quantized already by steps[1]",
    ),
    "mask then cut": ([WEIGHT, NEURON], "steps[1]: prune with unit Neuron cannot follow"),
    "the same mask": ([WEIGHT, WEIGHT], "has set 0.5 of the weights to zero already"),
    "a student late": ([NEURON, STUDENT], "steps[1]: distill with a student must be the first"),
    "two students": ([STUDENT, STUDENT], "nothing of distill before it would survive"),
    "no step": ([], "steps has 0 entries, allowed are 1 to 8"),
    "nine steps": ([NEURON] * 9, "steps has 9 entries, allowed are 1 to 8"),
}


@pytest.mark.parametrize(("chain", "words"), ORDERS.values(), ids=ORDERS)
def test_an_order_that_makes_no_sense_is_refused_with_the_reason(
    chain: list[Step], words: str
) -> None:
    assert words in "; ".join(check_chain(chain))


def test_sensible_orders_are_taken() -> None:
    larger = {"prune": {"unit": "Weight", "amount": "0.9"}}

    for family in FAMILIES:
        assert check_chain([STUDENT, NEURON, {"distill": {}}, INT8], family) == []
        assert check_chain([NEURON, WEIGHT, larger, {"distill": {}}, INT8], family) == []


def test_a_family_is_asked_only_for_layers_that_it_has() -> None:
    convolutions = [{"quantize": {"layers": ["Convolution"]}}]

    for family in FAMILIES:
        expected = "Convolution" in layers_of(family)
        assert (check_chain(convolutions, family) == []) is expected
        assert check_chain([INT8], family) == []
    assert "family Transformer has no such layers, only Linear" in "; ".join(
        check_chain(convolutions, "Transformer")
    )


def test_a_family_that_is_not_known_is_refused_by_name() -> None:
    assert check_chain([INT8], "RNN") == [
        f"the source is of family RNN, steps know {', '.join(FAMILIES)}"
    ]


def test_a_student_has_settings_of_its_family_that_shape_it() -> None:
    def student(**settings: str) -> list[Step]:
        listed = [{"name": name, "value": value} for name, value in settings.items()]
        return [{"distill": {"student": {"settings": listed}}}]

    assert check_chain(student(width="8", depth="1"), "MLP") == []
    assert "no setting 'heads'" in check_chain(student(heads="2"), "MLP")[0]
    assert "names epochs, which does not shape" in check_chain(student(epochs="2"), "MLP")[0]
    assert "setting width is '0'" in check_chain(student(width="0"), "CNN")[0]


@pytest.mark.parametrize("name", ["int8", "a", "7", "half-int8", "a" * 40])
def test_a_name_of_letters_digits_and_dashes_is_taken(name: str) -> None:
    assert check_candidate_name(name) == []


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a" * 41, "baseline", "a\n"])
def test_another_name_is_refused(name: str) -> None:
    (sentence,) = check_candidate_name(name)

    assert "name" in sentence
