"""The course of the learning rate."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.models.settings import SETTINGS
from winnow_trainer.schedules import rate_factor

SCHEDULES = SETTINGS["schedule"].words
shares = st.floats(0, 1)


@given(st.sampled_from(SCHEDULES), st.floats(0, 0.5), shares)
def test_the_rate_is_never_negative_nor_above_the_highest(
    schedule: str, warmup: float, progress: float
) -> None:
    assert 0 <= rate_factor(schedule, warmup, progress) <= 1 + 1e-12


@given(st.sampled_from([s for s in SCHEDULES if s != "onecycle"]), st.floats(0.01, 0.5), shares)
def test_the_rate_rises_linearly_in_the_warmup(schedule: str, warmup: float, share: float) -> None:
    progress = warmup * share

    assert rate_factor(schedule, warmup, progress) == pytest.approx(share, abs=1e-9) or share == 1


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", [1, 1, 1, 1]),
        ("step", [1, 1, 0.1, 0.01]),
        ("onecycle", [0.04, None, None, 0]),
    ],
)
def test_a_schedule_goes_as_the_settings_page_says(
    schedule: str, factors: list[float | None]
) -> None:
    progress = [0, 0.49, 0.5, 1 if schedule == "onecycle" else 0.75]

    for done, factor in zip(progress, factors, strict=True):
        if factor is not None:
            assert rate_factor(schedule, 0, done) == pytest.approx(factor)


def test_onecycle_is_highest_after_its_rise() -> None:
    assert rate_factor("onecycle", 0, 0.3) == pytest.approx(1)


def test_cosine_is_that_of_torch() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        torch.optim.SGD([parameter], lr=1), T_max=10
    )
    rates = []
    for _ in range(10):
        rates.append(schedule.get_last_lr()[0])
        schedule.optimizer.step()
        schedule.step()

    assert [rate_factor("cosine", 0, step / 10) for step in range(10)] == pytest.approx(rates)
