"""What a trial's container may leave behind: mostly results, now and then anything else."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable

from tests.support.simulated_node import Ending, PodView, report
from winnow_contract.results import TrialResult

OddEnding = Callable[[PodView, random.Random], Ending | None]

GARBAGE = (
    "", "not json", "{}", "[]", "null", "NaN", "x" * 4096, "é" * 2048, "\u202e🦆", '{"v": 999}',
    '{"v": 1, "a": "a", "t": [{"n": 1, "o": "S", "y": NaN}]}', "[" * 4000, "Traceback\n\n  boom",
)  # fmt: skip
NUMBERS = (0.0, -0.0, 1e15, 1e-18, -1e14, 1e300, 1e-300, 123456789.123456789, -1.0)


def odd_ending(pod: PodView) -> Ending | None:
    """The end of a pod; the same one for the same trials and the same number of failures."""
    text = f"{[(t.number, t.seed) for t in pod.trials]}/{pod.failures}"
    source = random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311 -- a test's dice
    return source.choice(_ENDINGS)(pod, source)


def _succeeded(number: int) -> TrialResult:
    return TrialResult(number, "Succeeded", objective=number / 7, standard_error=0.1)


def _good(pod: PodView, _: random.Random) -> Ending:
    return report(pod, *(_succeeded(t.number) for t in pod.trials))


def _garbage(_: PodView, source: random.Random) -> Ending:
    return Ending(source.choice((0, 0, 3, 64, 65, 137)), source.choice(GARBAGE))


def _odd_values(pod: PodView, source: random.Random) -> Ending:
    document = {
        "v": 1,
        "a": source.choice((pod.attempt, "", "../..", "x" * 64)),
        "t": [
            {
                "n": source.choice((t.number, t.number, 99_999, 0, -1, "1")),
                "o": source.choice(("S", "F", "T", "Succeeded", "X")),
                "y": source.choice(NUMBERS),
                "e": source.choice((0.0, -1.0, 1e-18, None)),
                "s": source.choice((0, -1, 2**63, 2**62)),
                "d": source.choice(("", "AA", "A" * 43)),
                "c": source.choice(("", "Odd cause!", "ü")),
                "w": source.choice(("", "a sentence", "\u0000\n", "é" * 300)),
                "m": source.choice(({}, {"": 1.0, "ü" * 70: 2, "loss": 1e-9}, {"loss": "1"})),
                "j": source.choice((0, 0, 0, 1)),
            }
            for t in pod.trials
        ],
    }
    return Ending(source.choice((0, 0, 65)), json.dumps(document))


def _failed(pod: PodView, _: random.Random) -> Ending:
    return report(
        pod, *(TrialResult(t.number, "Failed", cause="NaN", message="é" * 200) for t in pod.trials)
    )


def _half(pod: PodView, source: random.Random) -> Ending:
    done = pod.trials[: len(pod.trials) // 2]
    results = (_succeeded(t.number) for t in done)
    return report(pod, *results, exit_code=source.choice((0, 3, 65)))


def _out_of_memory(_: PodView, __: random.Random) -> Ending:
    return Ending(137, reason="OOMKilled")


def _disrupted(pod: PodView, source: random.Random) -> Ending:
    return _good(pod, source) if source.random() < 0.5 else Ending(143, disrupted=True)


def _endless(_: PodView, __: random.Random) -> None:
    return None


_ENDINGS: tuple[OddEnding, ...] = (
    *(_good,) * 6,
    _garbage,
    _odd_values,
    _odd_values,
    _failed,
    _half,
    _out_of_memory,
    _disrupted,
    _endless,
)
