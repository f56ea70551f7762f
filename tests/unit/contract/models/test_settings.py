"""The table of settings and the checks made with it."""

from __future__ import annotations

import pytest

from winnow_contract.models.settings import (
    FAMILIES,
    SETTINGS,
    SettingError,
    SettingValue,
    check_settings,
    resolve_settings,
    settings_of,
)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_default_is_allowed(family: str) -> None:
    resolved = resolve_settings(family, {})

    assert set(resolved) == {setting.name for setting in settings_of(family)}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("learning_rate", "1e-3", 0.001),
        ("learning_rate", 1, 1.0),
        ("batch_size", "32", 32),
        ("batch_size", 32.0, 32),
        ("widths", "64-32", (64, 32)),
        ("widths", "64", (64,)),
        ("widths", 64, (64,)),
        ("activation", "gelu", "gelu"),
    ],
)
def test_values_become_their_own_type(
    name: str, given: str | float, expected: SettingValue
) -> None:
    value = resolve_settings("MLP", {name: given})[name]

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("learning_rate", 0, "learning_rate is '0', allowed: numbers above 0 to 100"),
        ("learning_rate", "nan", "allowed: numbers above 0 to 100"),
        ("learning_rate", "fast", "'fast'"),
        ("batch_size", 1.5, "allowed: whole numbers from 1 to"),
        ("batch_size", "1e400", "batch_size"),
        ("dropout", 0.99, "allowed: numbers from 0 to 0.95"),
        ("widths", "64-", "joined by '-', as 64-32"),
        ("widths", "0-4", "joined by '-'"),
        ("activation", "swish", "allowed: relu, gelu, tanh"),
        ("layers", 3, "family MLP has no setting 'layers', allowed: depth, width"),
        ("kernel", "3", "family MLP has no setting 'kernel'"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(
    name: str, given: str | float, words: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        resolve_settings("MLP", {name: given})

    assert words in str(refusal.value)


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(SettingError, match="with norm batch it must be at least 2"):
        resolve_settings("MLP", {"norm": "batch", "batch_size": 1})


def test_a_job_is_checked_before_any_pod() -> None:
    faults = check_settings(
        "CNN",
        {"epochs": "0", "widths": "3"},
        {"learning_rate": [0.001, 0.1], "kernel": [3, 4], "momentun": [0.9]},
    )

    assert [fault.split(",")[0] for fault in faults] == [
        "family CNN has no setting 'widths'",
        "family CNN has no setting 'momentun'",
        "setting epochs is '0'",
        "setting kernel is '4'",
    ]
    assert check_settings("MLP", {"epochs": "30"}, {"width": [16, 256]}) == []
    assert check_settings("RNN", {}, {}) == [
        "family is 'RNN', allowed: MLP, CNN, ResNet, Transformer"
    ]


def test_every_setting_says_in_a_sentence_what_it_is() -> None:
    assert all(setting.doc.endswith(".") for setting in SETTINGS.values())
