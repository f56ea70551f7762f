"""The settings of the shared trainer's model families: names, types, ranges, defaults.

One table for everyone: the trainer resolves a trial's settings with it, the operator checks a
SearchJob against it before any pod, docs/settings.md is written from it. No setting is read that
does not stand there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from winnow_contract.assignments import Value
from winnow_contract.errors import SettingError
from winnow_contract.models.nets import read_net
from winnow_contract.models.setting import FAMILIES, IMAGE_FAMILIES, Kind, Setting, SettingValue
from winnow_contract.models.settings_table import TABLE

__all__ = [
    "DEPENDENT",
    "FAMILIES",
    "IMAGE_FAMILIES",
    "SETTINGS",
    "Kind",
    "Setting",
    "SettingError",
    "SettingValue",
    "check_settings",
    "check_together",
    "resolve_settings",
    "settings_of",
]

DEPENDENT = ("norm", "batch_size", "channels", "blocks")
"""Settings of which one limits what another may be; `check_together` looks at them."""

SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}
"""All settings by name, architecture first."""


def settings_of(family: str) -> tuple[Setting, ...]:
    """The settings that a family has.

    Raises:
        SettingError: if there is no such family.
    """
    if family not in FAMILIES:
        raise SettingError(f"family is {family!r}, allowed: {', '.join(FAMILIES)}")
    return tuple(setting for setting in TABLE if family in setting.families)


def resolve_settings(family: str, given: Mapping[str, Value]) -> dict[str, SettingValue]:
    """Every setting of a family: what is given, and the defaults of the rest.

    Raises:
        SettingError: naming a setting, its value and what is allowed.
    """
    known = {setting.name: setting for setting in settings_of(family)}
    for name in given:
        if name not in known:
            raise SettingError(_unknown(name, family, known))
    resolved = {
        name: _parsed(family, setting, given.get(name, setting.default_of(family)))
        for name, setting in known.items()
    }
    check_together(resolved)
    return resolved


def _parsed(family: str, setting: Setting, value: Value) -> SettingValue:
    parsed = setting.parse(value)
    if setting.kind is Kind.NET and parsed:
        other = read_net(str(parsed)).family
        if other != family:
            raise SettingError(
                f"setting {setting.name} is {str(value)[:40]!r}, a net of family {other}, allowed "
                f"are nets of family {family}"
            )
    return parsed


def check_together(resolved: Mapping[str, SettingValue]) -> None:
    """Look at settings of which one limits what another may be.

    Raises:
        SettingError: naming the two and their values.
    """
    if resolved.get("norm") == "batch" and resolved.get("batch_size") == 1:
        raise SettingError("setting batch_size is 1, with norm batch it must be at least 2")
    stages = [resolved.get(name) or () for name in ("channels", "blocks")]
    given = [len(sizes) for sizes in stages if isinstance(sizes, tuple) and sizes]
    if len(set(given)) > 1:
        raise SettingError(
            f"setting channels names {given[0]} stages and setting blocks {given[1]}: both must "
            "name the same number"
        )


def _unknown(name: str, family: str, known: Mapping[str, Setting]) -> str:
    return f"family {family} has no setting {name!r}, allowed: {', '.join(known)}"


def check_settings(
    family: str, fixed: Mapping[str, str], searched: Mapping[str, Sequence[Value]]
) -> list[str]:
    """What is wrong with a job's settings, a sentence each; empty if nothing is.

    Args:
        family: the model family.
        fixed: settings that are the same for all trials, as text.
        searched: of each search parameter the values that it can take: both ends of a range, or
            its list of values.
    """
    try:
        known = {setting.name: setting for setting in settings_of(family)}
    except SettingError as error:
        return [str(error)]
    values: list[tuple[str, Value]] = list(fixed.items())
    values += [(name, value) for name, listed in searched.items() for value in listed]
    faults = [_unknown(name, family, known) for name in {**fixed, **searched} if name not in known]
    for name, value in values:
        try:
            if name in known:
                _parsed(family, known[name], value)
        except SettingError as error:
            faults.append(str(error))
    return faults
