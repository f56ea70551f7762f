"""The measurement file: written, read, refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from winnow_contract.assignments import AssignmentsError, JobIdentity, ObjectiveSpec
from winnow_contract.choosing.goals import Bound, Goal
from winnow_contract.errors import ContractVersionError
from winnow_contract.measuring.measurements import (
    MAX_FILE_BYTES,
    Earlier,
    MeasuredModel,
    Measurement,
    decode_measurement,
    encode_measurement,
)
from winnow_contract.measuring.metrics import measured_keys

MOST_CANDIDATES = 100
"""`spec.auto.maxCandidates` is at most this."""


def model(number: int, candidate: str) -> MeasuredModel:
    name = f"digits-c{number:05d}"
    return MeasuredModel(number, name, candidate, f"pvc://a/{name}/x", "ab" * 32)


def measurement(**changes: Any) -> Measurement:
    whole = Measurement(
        job=JobIdentity("CompressionJob", "ns", "digits", "uid"),
        round=1,
        baseline=model(1, "baseline"),
        candidates=(model(2, "int8"), model(3, "half")),
        objective=ObjectiveSpec("accuracy", "Maximize"),
        batch_sizes=(1, 64),
        goals=(
            Goal("accuracy", Bound.MAX_DROP, 0.01),
            Goal("cpu_seconds", Bound.MAX_RATIO, 0.5, 64),
        ),
        prefer=("latency_p95_seconds@1", "size_bytes"),
        earlier=(
            Earlier(4, "digits-c00004", "dead", round=0, outcome="Failed", cause="OOMKilled"),
            Earlier(
                5,
                "digits-c00005",
                "old",
                uri="pvc://a/b",
                digest="cd" * 32,
                values={"accuracy": (0.98, 0.01), "size_bytes": (11_181_642.0, None)},
                baseline={"size_bytes": (44_761_001.0, None)},
            ),
        ),
        recorded={"accuracy": (0.99, 0.001)},
        recorded_round=2,
    )
    return replace(whole, **changes)


def test_what_is_written_is_read() -> None:
    assert decode_measurement(encode_measurement(measurement())) == measurement()


def test_the_baseline_comes_first() -> None:
    assert [m.candidate for m in measurement().models] == ["baseline", "int8", "half"]


def test_more_models_than_one_round_measures_are_refused() -> None:
    many = tuple(model(n, f"c{n}") for n in range(2, 18))

    with pytest.raises(AssignmentsError, match="one round measures 16 models"):
        encode_measurement(measurement(candidates=many))


def old(number: int, room: str = "") -> Earlier:
    """A candidate with every figure at four batch sizes, most of which the baseline has otherwise."""
    keys = measured_keys("Classification", (1, 8, 64, 256))
    name = f"{'n' * 40}-c{number:05d}"
    return Earlier(
        number,
        name,
        f"auto-{number}-{'n' * 30}",
        round=number,
        uri=f"pvc://winnow-artifacts/{room}{'n' * 63}/compressionjob/{'n' * 40}-12345678/{name}/12345678",
        digest="ab" * 32,
        values=dict.fromkeys(keys, (0.0001234567, 0.00000123)),
        baseline=dict.fromkeys(keys[4:25], (0.0001234567, 0.00000123)),
    )


def test_all_earlier_candidates_of_the_longest_search_fit_with_all_their_digits() -> None:
    earlier = tuple(map(old, range(2, 2 + MOST_CANDIDATES)))

    text = encode_measurement(measurement(earlier=earlier))

    assert decode_measurement(text).earlier == earlier


def test_a_history_that_is_too_long_all_the_same_is_cut_at_its_old_end() -> None:
    earlier = tuple(old(number, room="x" * 900) for number in range(2, 302))

    text = encode_measurement(measurement(earlier=earlier))

    kept = decode_measurement(text).earlier
    assert len(text.encode()) <= MAX_FILE_BYTES
    assert 50 < len(kept) < 300
    assert kept == earlier[-len(kept) :]


def document(**changes: Any) -> str:
    return json.dumps({**json.loads(encode_measurement(measurement())), **changes})


BASELINE = json.loads(encode_measurement(measurement()))["baseline"]
REFUSED = {
    "not JSON": ("{", "the measurement file is not JSON"),
    "another kind": (document(kind="Assignments"), "'kind' of the measurement file is not Meas"),
    "no round": (document(round=0), "'round' is 0, it must be at least 1"),
    "no models": (document(candidates=None), "'candidates' of the measurement file must be a list"),
    "a path": (document(baseline={**BASELINE, "name": "../x"}), "is not the name of a Trial"),
    "a digest": (document(baseline={**BASELINE, "digest": "x"}), "not a sha256 in hex"),
    "a uri": (document(baseline={**BASELINE, "uri": "pvc://a/../b"}), "leaves the claim"),
    "a model twice": (document(candidates=[BASELINE]), "names 2 models, allowed are 16, each once"),
    "no batch": (document(batchSizes=[]), "'batchSizes' of the measurement file must be 1 to 4"),
    "a large batch": (document(batchSizes=[257]), "whole numbers from 1 to 256"),
    "an odd goal": (document(goals=[{"metric": "x"}]), "metric x is not measured"),
    "an odd preference": (document(prefer=["x"]), "prefer names x, which is not measured"),
    "no text": (document(prefer=[1]), "'prefer' of the measurement file must be a list of texts"),
    "odd values": (
        document(recorded=[["x"]]),
        "recorded.accuracy of the measurement file must be a value and its error",
    ),
    "values without a key": (
        document(recorded=[[1]] * 3),
        "'recorded' of the measurement file must be a list of at most 2 figures",
    ),
    "no keys": (document(keys=[1]), "'keys' of the measurement file must be a list of texts"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_measurement_file_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(AssignmentsError) as refusal:
        decode_measurement(text)

    assert words in str(refusal.value)


def test_another_contract_version_is_refused() -> None:
    with pytest.raises(ContractVersionError, match="speaks contract version 9"):
        decode_measurement(document(contractVersion=9))
