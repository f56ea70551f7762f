"""Results: what fits, what survives, what is refused."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.results import (
    MAX_BYTES,
    PodResult,
    ResultError,
    TrialResult,
    decode_result,
    encode_result,
)

DIGEST = "0123456789abcdef" * 4
finite = st.floats(min_value=-1e14, max_value=1e14)
errors = st.none() | st.floats(min_value=0, max_value=1e6)


@st.composite
def pod_results(draw: st.DrawFn) -> PodResult:
    numbers = draw(st.lists(st.integers(1, 99_999), min_size=1, max_size=32, unique=True))
    return PodResult("abcdef12", tuple(draw(trial_results(number)) for number in numbers))


@st.composite
def trial_results(draw: st.DrawFn, number: int) -> TrialResult:
    if draw(st.booleans()):
        cause = draw(st.sampled_from(["NaN", "OutOfMemory", "A" * 40]))
        message = draw(st.text(max_size=3000))
        return TrialResult(number, "Failed", cause=cause, message=message)
    return TrialResult(
        number,
        "Succeeded",
        objective=draw(finite),
        standard_error=draw(errors),
        test=draw(finite),
        test_standard_error=draw(errors),
        digest=DIGEST,
        size_bytes=draw(st.integers(0, 2**40)),
        attempt=draw(st.sampled_from(["abcdef12", "12345678"])),
        metrics=draw(st.dictionaries(st.text("abc_", min_size=1), st.floats(), max_size=9)),
    )


@given(pod_results())
def test_what_must_always_be_there_survives_for_up_to_32_trials(result: PodResult) -> None:
    text = encode_result(result)

    assert len(text.encode()) <= MAX_BYTES
    for before, after in zip(result.trials, decode_result(text).trials, strict=True):
        assert (after.number, after.outcome) == (before.number, before.outcome)
        assert after.digest == before.digest
        assert after.cause == before.cause[:32]
        assert after.attempt in {before.attempt, ""}
        if before.objective is not None:
            assert after.objective == pytest.approx(before.objective, rel=6e-4, abs=1e-17)
            assert after.test == pytest.approx(before.test, rel=6e-4, abs=1e-17)
            assert (after.standard_error is None) == (before.standard_error is None)
            if before.standard_error is not None:
                assert after.standard_error == pytest.approx(
                    before.standard_error, rel=0.06, abs=1e-17
                )


@pytest.mark.parametrize(
    "value", [-1.2345678e-17, -123456789012.5, -999_999_999_999, -9.99999e14, -0.00012345678]
)
def test_32_results_fit_with_their_errors_whatever_their_values(value: float) -> None:
    trials = tuple(
        TrialResult(n, "Succeeded", value, -value, value, -value, DIGEST, 2**40, "12345678")
        for n in range(99_968, 100_000)
    )

    text = encode_result(PodResult("abcdef12", trials))

    assert len(text.encode()) <= MAX_BYTES
    for trial in decode_result(text).trials:
        assert trial.objective == pytest.approx(value, rel=6e-4)
        assert trial.standard_error == pytest.approx(-value, rel=0.06)
        assert trial.test == pytest.approx(value, rel=6e-4)
        assert (trial.digest, trial.attempt) == (DIGEST, "12345678")


def test_31_results_and_what_ended_the_pod_fit() -> None:
    trials = tuple(
        TrialResult(n, "Succeeded", -1.2345678e-17, 1.5e-17, -1.5e-17, 1e-17, DIGEST, 1, "12345678")
        for n in range(99_968, 99_999)
    )
    result = PodResult("abcdef12", trials, "StorageUnavailable", "the disk is full " * 100)

    decoded = decode_result(encode_result(result))

    assert decoded.cause == "StorageUnavailable"
    assert len(decoded.trials) == 31


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_no_text_raises_anything_but_a_result_error(text: str) -> None:
    with contextlib.suppress(ResultError):
        decode_result(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
entries = st.dictionaries(
    st.sampled_from(["n", "o", "y", "e", "z", "ze", "d", "s", "a", "m", "c", "w", "j"]), json_values
)


@given(
    st.fixed_dictionaries(
        {"v": st.just(1) | json_values, "t": st.lists(entries, max_size=3) | json_values},
        optional={"a": json_values, "c": json_values, "w": json_values},
    )
)
def test_no_odd_document_raises_anything_but_a_result_error(document: dict[str, Any]) -> None:
    with contextlib.suppress(ResultError):
        result = decode_result(json.dumps(document))

        for trial in result.trials:
            assert trial.objective is None or math.isfinite(trial.objective)


def entry(**fields: object) -> str:
    return json.dumps({"v": 1, "a": "abcdef12", "t": [{"n": 1, "o": "S", "y": 0.5, **fields}]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("Traceback (most recent call last):", "not JSON"),
        ("[" * 5000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"v":2,"t":[]}', "contract version 2, this operator reads 1"),
        ('{"v":[1],"t":[]}', "contract version [1]"),
        ('{"v":true,"t":[]}', "contract version True"),
        ('{"v":1,"t":{}}', "list of at most 32"),
        (json.dumps({"v": 1, "t": [{"n": 1, "o": "S"}] * 33}), "list of at most 32"),
        (json.dumps({"v": 1, "t": [{"n": 1, "o": "S"}] * 2}), "names a trial twice"),
        (entry(n=0), "no trial number"),
        (entry(n=True), "no trial number"),
        (entry(n=100_000), "no trial number"),
        (entry(o="Won"), "allowed are Succeeded, Failed, Stopped"),
        (entry(y="high"), "must be a number"),
        ('{"v":1,"t":[{"n":1,"o":"S","y":NaN}]}', "not JSON: NaN is not a number"),
        ('{"v":1,"t":[{"n":1,"o":"S","y":1e999}]}', "not a finite number"),
        (entry(y=10**400), "not a finite number"),
        (entry(e=-1), "cannot be negative"),
        (entry(d="../../etc"), "base64url"),
        (entry(d="AAAA"), "sha256"),
        (entry(s=-1), "size in bytes"),
        (entry(a="../../other-job"), "not the start of a pod's uid"),
        (entry(m=[1]), "object of numbers"),
        (entry(w=5), "must be a text"),
        (" " * 20_000, "longer than 4096"),
    ],
)
def test_what_is_no_result_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ResultError) as refusal:
        decode_result(text)

    assert words in str(refusal.value)


def test_both_spellings_of_an_outcome_are_read() -> None:
    assert decode_result(entry(o="Succeeded")) == decode_result(entry(o="S"))


def full(metrics: dict[str, float], message: str = "") -> PodResult:
    trials = [
        TrialResult(
            n, "Succeeded", 0.98611, 0.0061, 0.98333, 0.0067, DIGEST, 42_897, metrics=metrics
        )
        for n in range(1, 32)
    ]
    failed = TrialResult(32, "Failed", cause="Crash", message=message)
    return PodResult("abcdef12", (*trials, failed))


def test_other_metrics_go_before_sentences_and_errors() -> None:
    many = {f"metric_{i}": 0.123456 for i in range(12)}

    result = decode_result(encode_result(full(many, "a sentence of some length")))

    assert all(trial.metrics == {} for trial in result.trials)
    assert all(trial.standard_error == 0.0061 for trial in result.trials[:-1])
    assert result.trials[-1].message == "a sentence of some length"


def test_a_small_result_keeps_everything() -> None:
    trial = TrialResult(7, "Succeeded", 0.5, 0.1, 0.4, 0.2, DIGEST, 9, "12345678", {"loss": 1.5})
    result = PodResult("abcdef12", (trial,))

    assert decode_result(encode_result(result)) == result


def test_why_no_trial_could_start_is_kept() -> None:
    result = PodResult("abcdef12", cause="BadData", message="no column 'x'", job_fault=True)

    assert decode_result(encode_result(result)) == result


def test_more_trials_than_a_pod_may_have_are_refused() -> None:
    with pytest.raises(ResultError, match="at most 32 trials, not 33"):
        encode_result(PodResult("a", tuple(TrialResult(n, "Stopped") for n in range(1, 34))))


@pytest.mark.parametrize("objectives", [2, 4])
def test_further_objectives_are_never_left_out(objectives: int) -> None:
    names = [f"objective_{number}_{'x' * 45}" for number in range(1, objectives)]
    values = dict.fromkeys(names, -1.2345678e-10)
    extras = {f"extra_{n}": 0.5 for n in range(20)}
    trials = tuple(
        TrialResult(
            n,
            "Succeeded",
            0.5,
            0.1,
            0.25,
            0.1,
            DIGEST,
            2**40,
            metrics={**values, **extras},
            message="long " * 40,
            kept=len(names),
        )
        for n in range(1, 9)
    )

    text = encode_result(PodResult("abcdef12", trials))

    assert len(text.encode()) <= MAX_BYTES
    for trial in decode_result(text).trials:
        assert list(trial.metrics)[: len(names)] == names
        assert trial.metrics[names[0]] == pytest.approx(-1.2345678e-10, rel=6e-4)


@pytest.mark.parametrize("outcome", ["Succeeded", "Stopped"])
def test_values_at_rungs_are_read_as_they_were_written(outcome: str) -> None:
    trial = TrialResult(1, outcome, objective=0.5, rungs={1: 0.25, 3: -0.5, 3486784401: 0.5})

    (read,) = decode_result(encode_result(PodResult("abcdef12", (trial,)))).trials

    assert dict(read.rungs) == dict(trial.rungs)


def test_where_there_is_no_room_rungs_go_and_objectives_stay() -> None:
    rungs = {3**k: 1 / 7 for k in range(20)}
    trials = tuple(
        TrialResult(n, "Succeeded", objective=1 / 3, digest=DIGEST, rungs=rungs)
        for n in range(1, 33)
    )

    read = decode_result(encode_result(PodResult("abcdef12", trials)))

    assert all(t.objective == pytest.approx(1 / 3, abs=1e-3) and not t.rungs for t in read.trials)


@pytest.mark.parametrize("rungs", [[], {"one": 1}, {"-1": 1}, {"1": "x"}, {"9" * 99: 1}])
def test_what_are_no_rungs_is_refused(rungs: object) -> None:
    text = json.dumps({"v": 1, "t": [{"n": 1, "o": "S", "y": 1, "r": rungs}]})

    with pytest.raises(ResultError):
        decode_result(text)
