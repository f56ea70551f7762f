"""`python -m winnow_measure` as a pod runs it: a round of real ONNX files in, figures out."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.measuring_pods import HOME, SOURCE, Round, measure, start, wait
from tests.support.onnx_graphs import convolutional, quantized
from winnow_contract.assignments import ObjectiveSpec
from winnow_contract.choosing.goals import parse_goals
from winnow_contract.exit_codes import ExitCode
from winnow_contract.measuring.metrics import measured_keys

INTEGERS = {
    "integerLayers": ["Linear", "Convolution"],
    "excluded": 0,
    "smallerThanParent": True,
    "masked": False,
}
CUT = {"smallerThanParent": True, "masked": False}
MASK = {"smallerThanParent": False, "masked": True}
GOALS = parse_goals(
    [
        {"metric": "accuracy", "maxDrop": "0.05"},
        {"metric": "size_bytes", "maxRatio": "0.5"},
    ],
    (1, 4),
)


@pytest.fixture
def models(tmp_path: Path) -> Round:
    """A round whose baseline is a small convolutional net."""
    made = Round(tmp_path)
    made.add("baseline", convolutional())
    made.changes = {"goals": GOALS, "prefer": ("size_bytes",), "repetitions": 1}
    return made


def test_a_round_is_measured_chosen_from_and_written_down(models: Round) -> None:
    models.add("int8", quantized(convolutional(), models.folder), claims=INTEGERS)
    models.add("cut", convolutional(channels=8), claims=CUT)
    models.changes["repetitions"] = 3

    ended = measure(models)

    assert ended.code == ExitCode.OK, ended.log
    baseline, int8, cut = ended.result.candidates
    assert ended.outcomes == {1: "Succeeded", 2: "Succeeded", 3: "Succeeded"}
    for candidate in ended.result.candidates:
        assert set(candidate.values) == set(measured_keys("Classification", (1, 4)))
        assert set(candidate.test) == {"accuracy", "balanced_accuracy", "f1", "log_loss"}
        final = models.final(candidate.number)
        assert (final.digest, final.size_bytes) == (candidate.digest, candidate.size_bytes)
        for key, pair in final.document["measurements"]["values"].items():
            assert candidate.values[key][0] == pytest.approx(pair["value"], rel=1e-5)
    assert int8.values["quantized_share"] == (1.0, None)
    assert baseline.values["quantized_share"] == (0.0, None)
    assert int8.values["size_bytes"][0] < 0.5 * baseline.values["size_bytes"][0]
    assert cut.values["parameters"] == (997.0, None)
    assert all(cut.values[f"latency_p50_seconds@{b}"][1] is not None for b in (1, 4))
    assert "cut is selected" in ended.log
    assert f"the report lies at pvc://{HOME}/report/1/report.html" in ended.log
    html = (models.artifacts / "report/1/report.html").read_text()
    assert "cut is selected" in html
    assert "turn 3/3, p50 of a request: baseline " in ended.log


def test_a_later_round_measures_beside_the_baseline_that_the_first_one_left(models: Round) -> None:
    first = measure(models)
    assert first.code == ExitCode.OK, first.log
    final = models.final(1)
    models.models[0] = replace(
        models.models[0], uri=f"pvc://{HOME}/small-c00001/bbbbbbbb", digest=final.digest
    )
    models.add("cut", convolutional(channels=8), claims=CUT)
    models.changes |= {"round": 2, "recorded": first.result.candidates[0].values}

    ended = measure(models, attempt="cccccccc")

    assert ended.code == ExitCode.OK, ended.log
    assert ended.outcomes == {1: "Succeeded", 2: "Succeeded"}
    quality = ("accuracy", "balanced_accuracy", "f1", "log_loss")
    before, after = first.result.candidates[0].values, ended.result.candidates[0].values
    assert [after[name] for name in quality] == [before[name] for name in quality]


def test_what_was_measured_can_be_traced_to_every_turn(models: Round) -> None:
    models.add("cut", convolutional(channels=8), claims=CUT)
    models.changes["repetitions"] = 2

    measure(models)

    final = models.final(2)
    measured = json.loads((final.folder / "measurements.json").read_text())
    assert measured == final.document["measurements"]
    assert len(measured["turns"]) == 2
    assert set(measured["turns"][0]) < set(measured["values"])
    assert measured["operators"]["floatLayers"] == {"Linear": 1, "Convolution": 2}
    assert measured["validationRows"] == 240
    assert measured["agreement"]["largestDifference"] <= measured["agreement"]["allowed"]
    assert set(measured["claims"]) == {"smallerThanParent"}
    assert measured["machine"]["ONNX Runtime"]
    assert final.document["lineage"] == [
        SOURCE,
        {"kind": "candidate", "uri": models.models[1].uri, "digest": models.models[1].digest},
    ]


def test_planted_no_ops_and_broken_models_fail_alone_with_a_sentence_each(models: Round) -> None:
    folder, plain = models.folder, convolutional()
    models.add("skips", quantized(plain, folder, leave_out=("Conv",)), claims=INTEGERS)
    models.add("sold", convolutional(zeros=0.5), claims=CUT)
    models.add("keeps", plain, claims=INTEGERS)
    models.add("again", plain)
    models.add("damaged", b"no graph at all", golden=plain)
    models.add("other", convolutional(seed=3), golden=plain)
    models.add("mask", convolutional(zeros=0.5), claims=MASK)
    (models.artifacts / "small-c00008/aaaaaaaa/model.onnx").write_bytes(b"changed")
    models.add("fine", convolutional(channels=8), claims=CUT)

    ended = measure(models)

    assert ended.code == ExitCode.OK, ended.log
    assert ended.outcomes == {
        1: "Succeeded",
        2: "ClaimNotKept",
        3: "ClaimNotKept",
        4: "ClaimNotKept",
        5: "NothingChanged",
        6: "CannotRun",
        7: "OutputsDiffer",
        8: "BadArtifact",
        9: "Succeeded",
    }
    said = {c.number: c.message for c in ended.result.candidates}
    assert "0 of 2 Convolution layers" in said[2]
    assert "smaller than its parent" in said[3]
    assert "0 of 1 Linear layers and 0 of 2 Convolution layers" in said[4]
    assert "the steps changed nothing" in said[5]
    assert "cannot load model.onnx" in said[6]
    assert "allowed is" in said[7]
    assert "is not the file that the manifest names" in said[8]
    finals = {path.parent.name for path in models.artifacts.glob("small-c*/bbbbbbbb")}
    assert finals == {"small-c00001", "small-c00009"}


def test_a_mask_is_measured_and_nothing_is_claimed_of_it(models: Round) -> None:
    models.add("mask", convolutional(zeros=0.5), claims=MASK)

    ended = measure(models)

    baseline, mask = ended.result.candidates
    assert mask.outcome == "Succeeded", ended.log
    assert mask.values["size_bytes"] == baseline.values["size_bytes"]
    assert "the baseline" in ended.log, "no goal is met by what is as large as before"


def test_a_new_pod_gives_a_committed_round_again_and_chooses_anew(models: Round) -> None:
    models.add("cut", convolutional(channels=8), claims=CUT)
    first = measure(models)
    finals = sorted(models.artifacts.glob("small-c*/*"))
    models.changes["goals"] = parse_goals([{"metric": "accuracy", "min": "1"}], (1, 4))

    second = measure(models, "cccccccc")

    assert second.code == ExitCode.OK, second.log
    assert second.message == first.message
    assert "was measured by attempt bbbbbbbb: its result is given again" in second.log
    assert not re.search(r"turn \d", second.log)
    assert sorted(models.artifacts.glob("small-c*/*")) == finals
    assert "accuracy: at least" in (models.artifacts / "report/1/report.html").read_text()


def test_a_pod_that_is_stopped_says_so_and_the_next_one_measures(models: Round) -> None:
    models.changes["repetitions"] = 1000
    process = start(models)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("turn 1/"))
    process.send_signal(signal.SIGTERM)

    ended = wait(models, process)

    assert ended.code == ExitCode.STOPPED
    assert (ended.result.cause, ended.result.candidates) == ("Stopped", ())
    models.changes["repetitions"] = 1
    assert measure(models, "cccccccc").code == ExitCode.OK


def refused(models: Round, **variables: str) -> str:
    ended = measure(models, **variables)
    assert ended.result.job_fault
    assert ended.result.candidates == ()
    assert ended.result.message in ended.log
    assert "Traceback" not in ended.log
    return f"{ended.code} {ended.result.cause}: {ended.result.message}"


def test_without_a_baseline_nothing_can_be_measured(models: Round) -> None:
    (models.artifacts / "small-c00001/aaaaaaaa/evaluation.safetensors").unlink()

    assert refused(models).startswith("65 BadArtifact: the baseline cannot be measured: the artif")


def test_an_objective_that_is_no_quality_of_the_data_is_named(models: Round) -> None:
    models.changes["objective"] = ObjectiveSpec("rmse", "Minimize")

    assert "65 BadTask: the baseline cannot be measured: objective 'rmse'" in refused(models)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    empty = Round(tmp_path)
    assert "65 BadAssignments: the measurement file" in refused(empty)
    (tmp_path / "assignments.json").write_text('{"contractVersion": 99}')
    assert refused(empty).startswith("64 ContractVersion: the operator speaks contract version 99")
    assert "WINNOW_ARTIFACTS is not set" in refused(empty, WINNOW_ARTIFACTS="")


def test_a_storage_that_is_no_folder_is_tried_again(models: Round) -> None:
    file = models.folder / "file"
    file.write_text("")

    ended = measure(models, WINNOW_ARTIFACTS=str(file))

    assert (ended.code, ended.result.cause) == (ExitCode.TEMPORARY, "StorageUnavailable")
