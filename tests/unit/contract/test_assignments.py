"""The assignment file: written, read, refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.assignments import (
    Assignments,
    AssignmentsError,
    ContractVersionError,
    JobIdentity,
    ObjectiveSpec,
    Source,
    TrialAssignment,
    decode_assignments,
    encode_assignments,
)
from winnow_contract.stopping import StoppingRule

values = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def trial(number: int, **parameters: Any) -> TrialAssignment:
    return TrialAssignment(f"digits-t{number:05d}", number, 7, parameters)


def assignments(*trials: TrialAssignment, per_pod: int = 1) -> Assignments:
    job = JobIdentity("SearchJob", "ns", "digits", "uid")
    return Assignments(job, (ObjectiveSpec("accuracy", "Maximize"),), trials, per_pod)


@given(st.dictionaries(st.text(min_size=1), values, max_size=5), st.integers(1, 32))
def test_what_is_written_is_read(parameters: dict[str, Any], per_pod: int) -> None:
    written = assignments(TrialAssignment("digits-t00001", 1, 2**31, parameters), per_pod=per_pod)

    assert decode_assignments(encode_assignments(written)) == written


def test_a_net_goes_beside_the_parameters() -> None:
    net = {"family": "MLP", "layers": [{"width": 8}]}
    written = assignments(replace(trial(1, architecture="8"), architecture=net))

    assert decode_assignments(encode_assignments(written)) == written


def test_what_may_end_a_trial_is_read_as_it_was_written() -> None:
    rule = StoppingRule("Median", "Steps", minimum=100, eta=4, min_trials=7)
    written = replace(assignments(trial(1)), early_stopping=rule, max_trial_seconds=90)

    assert decode_assignments(encode_assignments(written)) == written
    assert "earlyStopping" not in encode_assignments(assignments(trial(1)))


def test_an_index_runs_its_own_group_and_the_last_one_the_rest() -> None:
    batch = assignments(*(trial(n) for n in range(1, 6)), per_pod=2)

    assert [t.number for t in batch.of_index(0)] == [1, 2]
    assert [t.number for t in batch.of_index(2)] == [5]


@pytest.mark.parametrize("index", [-1, 1])
def test_an_index_without_trials_is_refused(index: int) -> None:
    with pytest.raises(AssignmentsError, match="has no trials: the file holds 1, 1 for each pod"):
        assignments(trial(1)).of_index(index)


def document(**changes: Any) -> str:
    return json.dumps({**json.loads(encode_assignments(assignments(trial(1)))), **changes})


def test_another_contract_version_is_refused_naming_both() -> None:
    with pytest.raises(
        ContractVersionError, match="speaks contract version 9, this image speaks 1"
    ):
        decode_assignments(document(contractVersion=9))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (document(job=None), "'job' of the assignment file must be an object"),
        (document(task=3), "'task' of the assignment file must be an object or null"),
        (document(trialsPerPod=0), "'trialsPerPod' is 0, it must be at least 1"),
        (document(trialsPerPod=True), "'trialsPerPod' of the assignment file must be a whole"),
        (document(objectives=[]), "'objectives' of the assignment file is empty"),
        (document(trials=[1]), "'trials' of the assignment file must be a list of objects"),
        (document(trials=[{"name": "../x"}]), "must be an object"),
        (
            document(trials=[{"name": "../x", "number": 1, "seed": 1, "parameters": {}}]),
            "'../x' is not the name of a Trial",
        ),
        (
            document(trials=[{"name": "x", "number": 1, "seed": 1, "parameters": {"a": []}}]),
            "parameter 'a' is [], not a number or a text",
        ),
    ],
)
def test_what_is_no_assignment_file_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(AssignmentsError) as refusal:
        decode_assignments(text)

    assert words in str(refusal.value)


COMPRESSION = Assignments(
    JobIdentity("CompressionJob", "ns", "small", "uid"),
    (ObjectiveSpec("accuracy", "Maximize"),),
    (
        TrialAssignment("small-c00001", 1, 7, {}, candidate="baseline"),
        TrialAssignment("small-c00002", 2, 7, {}, "int8", ({"quantize": {"mode": "Dynamic"}},)),
    ),
    source=Source("pvc://models/digits/1", "ab" * 32),
)


def test_candidates_and_their_source_are_read_as_they_were_written() -> None:
    assert decode_assignments(encode_assignments(COMPRESSION)) == COMPRESSION


def test_the_file_of_a_search_says_nothing_of_candidates() -> None:
    assert encode_assignments(assignments(trial(1, width=32))) == (
        '{"contractVersion":1,"job":{"kind":"SearchJob","namespace":"ns","name":"digits",'
        '"uid":"uid"},"task":null,"objectives":[{"metric":"accuracy","goal":"Maximize"}],'
        '"trialsPerPod":1,"trials":[{"name":"digits-t00001","number":1,"seed":7,'
        '"parameters":{"width":32}}]}'
    )


def compression(**changes: Any) -> str:
    return json.dumps({**json.loads(encode_assignments(COMPRESSION)), **changes})


_TRIAL = json.loads(encode_assignments(COMPRESSION))["trials"][1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (compression(source=None), "'source' of the assignment file must be an object"),
        (compression(source={"uri": "pvc://a/b", "digest": "sha256:1"}), "not a sha256 in hex"),
        (compression(source={"uri": "pvc://a/../b", "digest": "ab" * 32}), "leaves the claim"),
        (compression(trials=[{**_TRIAL, "candidate": None}]), "'candidate' of the assignment file"),
        (compression(trials=[{**_TRIAL, "steps": ["int8"]}]), "'steps' of the assignment file"),
    ],
)
def test_a_compression_without_what_its_candidates_need_is_refused(text: str, words: str) -> None:
    with pytest.raises(AssignmentsError) as refusal:
        decode_assignments(text)

    assert words in str(refusal.value)
