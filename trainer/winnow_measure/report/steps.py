"""Steps in words. They come from a manifest: a word that is not known here is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from winnow_measure.report.facts import inline

__all__ = ["REPORT", "chain_words", "settings_of", "step_words"]

KINDS = ("quantize", "prune", "distill")
REPORT = "report"


def chain_words(steps: Sequence[Mapping[str, Any]]) -> str:
    """A whole chain: `prune 50 % of the neurons (taylor), then quantize ... `."""
    return ", then ".join(step_words(step) for step in steps) or "none: the model as it came"


def step_words(step: Mapping[str, Any]) -> str:
    """One step in a few words."""
    for kind in KINDS:
        settings = step.get(kind)
        if isinstance(settings, Mapping):
            return _WORDS[kind](settings)
    return ", ".join(str(key) for key in step if key != REPORT)


def _quantize(settings: Mapping[str, Any]) -> str:
    layers = settings.get("layers")
    listed = " and ".join(map(str, layers)) if isinstance(layers, Sequence) else "all"
    how = {
        "PostTraining": "after training, calibrated",
        "Dynamic": "after training, activations on the fly",
        "Aware": "with quantization-aware training",
    }
    mode = str(settings.get("mode", ""))
    return f"quantize {listed} layers to int8 {how.get(mode, mode)}"


def _prune(settings: Mapping[str, Any]) -> str:
    what = {"Weight": "weights (a mask)", "Neuron": "neurons and channels"}
    unit, amount = str(settings.get("unit", "")), str(settings.get("amount", "?"))
    details = [str(settings[key]) for key in ("importance", "scope", "schedule") if key in settings]
    return f"prune {_percent(amount)} of the {what.get(unit, unit)} ({', '.join(details)})"


def _distill(settings: Mapping[str, Any]) -> str:
    transfer = settings.get("transfer")
    listed = " and ".join(map(str, transfer)) if isinstance(transfer, Sequence) else str(transfer)
    student = settings.get("student")
    if not isinstance(student, Mapping):
        return f"distill {listed.lower()} into the model so far"
    pairs = ", ".join(f"{key} {inline(value)}" for key, value in student.items())
    return f"distill {listed.lower()} into a student ({pairs})"


_WORDS = {"quantize": _quantize, "prune": _prune, "distill": _distill}


def _percent(amount: str) -> str:
    try:
        return f"{float(amount) * 100:g} %"
    except ValueError:
        return amount


def settings_of(step: Mapping[str, Any]) -> object:
    """The options of a step."""
    return next((step[kind] for kind in KINDS if kind in step), {})
