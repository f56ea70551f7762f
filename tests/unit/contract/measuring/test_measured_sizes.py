"""docs/design/0005-packed-measurements.md has the sizes that the code makes."""

from __future__ import annotations

import base64
import json
import random
import re
import zlib
from pathlib import Path

import pytest

from winnow_contract.choosing.goals import measured_keys
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult, _Pen
from winnow_contract.measuring.metrics import METRICS, metric_of

PAGE = Path(__file__).parents[4] / "docs/design/0005-packed-measurements.md"
ROWS = [
    tuple(int(cell) for cell in re.findall(r"\d+", line))
    for line in PAGE.read_text().splitlines()
    if re.match(r"^\| \d", line)
]
BATCH_SIZES = (1, 8, 64, 256)
SLACK = 0.03
"""Another zlib may pack a little better or worse."""


def figure(key: str, dice: random.Random) -> tuple[float, float | None]:
    """A value with all its digits, of the size that such a metric has."""
    metric = metric_of(key)
    if metric.is_per_batch_size:
        value = dice.uniform(1, 30) * 10.0 ** dice.randint(-5, -3)
        return value, value * dice.uniform(0.001, 0.05)
    if metric.kind:
        return dice.uniform(0.9, 1), dice.uniform(0.001, 0.01)
    if metric is METRICS["quantized_share"]:
        return dice.random(), None
    return float(dice.randint(10_000, 20_000_000)), None


def a_round(models: int, sizes: int) -> MeasurementResult:
    dice = random.Random(1)  # noqa: S311 -- figures for a size, no secrets
    keys = measured_keys("Classification", BATCH_SIZES[:sizes])
    return MeasurementResult(
        "abcd1234",
        tuple(
            MeasuredCandidate(
                number,
                "Succeeded",
                values={key: figure(key, dice) for key in keys},
                test={key: figure(key, dice) for key in keys[:4]},
                digest=dice.randbytes(32).hex(),
                size_bytes=dice.randint(10**5, 4 * 10**7),
            )
            for number in range(1, models + 1)
        ),
    )


def as_json(result: MeasurementResult, digits: int, error_digits: int) -> bytes:
    def short(value: float, error: float | None) -> list[float]:
        errors = [] if error is None else [float(f"{error:.{error_digits}g}")]
        return [float(f"{value:.{digits}g}"), *errors]

    entries = [
        {
            "n": candidate.number,
            "o": "S",
            "d": base64.b64encode(bytes.fromhex(candidate.digest)).decode(),
            "s": candidate.size_bytes,
            "y": [short(*pair) for pair in candidate.values.values()],
            "z": [short(*pair) for pair in candidate.test.values()],
        }
        for candidate in result.candidates
    ]
    document = {"a": result.attempt, "k": list(result.candidates[0].values), "t": entries}
    return json.dumps(document, separators=(",", ":")).encode()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_of_the_table_is_what_the_code_makes(row: tuple[int, ...]) -> None:
    models, sizes, digits, error_digits, *stated = row

    result = a_round(models, sizes)

    plain = as_json(result, digits, error_digits)
    zipped = base64.b85encode(zlib.compress(plain, 9))
    packed = _Pen(digits, error_digits, 0).text(result)
    assert [len(plain), len(zipped), len(packed)] == [
        pytest.approx(size, rel=SLACK) for size in stated
    ]
