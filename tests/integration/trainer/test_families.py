"""Each model family is searched as a pod does it, and its artifact answers as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.proofs import proofs
from tests.support.trainer_process import TrialPod
from tests.support.trainings import assignment_document
from winnow_contract.exit_codes import ExitCode
from winnow_trainer.artifacts import load_golden, load_model

DIGITS, WINE = ({"uri": f"builtin://{name}"} for name in ("digits", "wine"))
SEARCHES: dict[str, tuple[dict[str, Any], dict[str, str], list[dict[str, Any]], float]] = {
    "MLP": (DIGITS, {"epochs": "10"}, [{"width": 64}, {"activation": "gelu"}], 0.92),
    "CNN": (DIGITS, {"epochs": "8", "norm": "batch"}, [{"width": 8}, {"kernel": "5"}], 0.95),
    "ResNet": (
        DIGITS,
        {"epochs": "4", "width": "8", "resize": "16", "schedule": "onecycle"},
        [{"depth": 1}, {"stem": "large"}],
        0.9,
    ),
    "Transformer": (
        DIGITS,
        {"epochs": "12", "width": "32", "depth": "2", "schedule": "onecycle", "batch_size": "32"},
        [{"summary": "mean"}, {"summary": "token", "heads": 2}],
        0.9,
    ),
}
"""Data, fixed settings, the trials' parameters, and the accuracy that each must reach."""


# Programs that train the two simple families are in `test_trainer_program` too.
@pytest.mark.parametrize("family", ["Transformer", *proofs("MLP", "CNN", "ResNet")])
def test_a_family_is_searched_and_its_artifacts_answer_as_they_did(
    family: str, tmp_path: Path
) -> None:
    data, settings, trials, accuracy = SEARCHES[family]
    document = assignment_document(*trials, family=family, settings=settings, data=data)
    pod = TrialPod(tmp_path, document)

    ended = pod.run()

    assert ended.code == ExitCode.OK, ended.log
    assert [trial.outcome for trial in ended.result.trials] == ["Succeeded"] * len(trials)
    for number, trial in enumerate(ended.result.trials, 1):
        assert (trial.test or 0) > accuracy
        folder = pod.artifacts / f"digits-t{number:05d}/aaaaaaaa"
        rows, outputs = load_golden(folder)
        with torch.no_grad():
            torch.testing.assert_close(load_model(folder, trial.digest)(rows), outputs)


def test_columns_of_a_table_are_tokens_of_a_transformer(tmp_path: Path) -> None:
    settings = {"epochs": "20", "width": "16", "batch_size": "32"}
    document = assignment_document({}, family="Transformer", settings=settings, data=WINE)

    ended = TrialPod(tmp_path, document).run()

    assert ended.code == ExitCode.OK, ended.log
    assert (ended.result.trials[0].test or 0) > 0.9


def test_a_resnet_over_a_table_needs_a_shape(tmp_path: Path) -> None:
    ended = TrialPod(tmp_path, assignment_document({}, family="ResNet", data=WINE)).run()

    assert ended.code == ExitCode.PERMANENT
    assert ended.result.job_fault
    assert "family ResNet needs images, the data has rows of 13 numbers" in ended.result.message
