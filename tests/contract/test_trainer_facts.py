"""What the operator believes of the trainer is what the trainer does."""

from __future__ import annotations

import pytest

from winnow_contract.models.settings import FAMILIES
from winnow_contract.uris import BUILTIN_DATA
from winnow_measure.quality import quality_metrics
from winnow_operator.api.searchjob import DataKind, Family
from winnow_operator.domain.checks.trainer_facts import BUILTIN, EXTRA_METRICS, METRICS
from winnow_trainer.bench import EXTRAS
from winnow_trainer.data.builtin import load_builtin
from winnow_trainer.task import DataKind as TrainerKind


def test_metrics_of_each_kind_are_the_same() -> None:
    for kind in (DataKind.CLASSIFICATION, DataKind.REGRESSION):
        assert METRICS[kind] == quality_metrics(TrainerKind(kind))
    assert EXTRA_METRICS == EXTRAS


def test_kinds_families_and_data_sets_are_the_same() -> None:
    assert [str(kind) for kind in DataKind] == [str(kind) for kind in TrainerKind]
    assert tuple(Family) == FAMILIES
    assert tuple(BUILTIN) == BUILTIN_DATA


@pytest.mark.parametrize("name", BUILTIN)
def test_a_builtin_data_set_is_what_the_operator_believes(name: str) -> None:
    believed = BUILTIN[name]

    loaded = load_builtin(name, TrainerKind.AUTO)

    assert str(loaded.kind) == believed.kind
    assert loaded.row_size == believed.row_size
    assert (loaded.image.text if loaded.image else "") == believed.image
