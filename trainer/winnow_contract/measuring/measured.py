"""The result of a measuring pod: its termination message, packed into at most 4096 bytes.

    winnow-measured-1:<words>:<digests>:<figures>     each base85

Words are zlib of compact JSON, digests 32 bytes each, figures as in `packed_numbers`. Up to 16
models with 33 figures each, most with a standard error, are 11 KB of JSON; so they fit, with
fewer digits if they must. Who chooses from these figures reads them from the
message, the measuring pod too (`as_recorded`): a report and a status that rounded differently
could choose differently. What a message says is input to be checked: a pod can write anything
there.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from winnow_contract.errors import GoalError, ResultError
from winnow_contract.measuring.measurements import MAX_MODELS, Values
from winnow_contract.measuring.metrics import metric_of
from winnow_contract.measuring.packed_numbers import Packer, Unpacker
from winnow_contract.message_fields import (
    LETTERS,
    MAX_BYTES,
    MAX_CAUSE,
    MAX_TEXT,
    SIGNIFICANT_DIGITS,
    check_outcomes,
    check_version,
    clip,
    compact_json,
    is_reportable,
    plain_text,
    read_attempt,
    read_cause,
    read_entries,
    read_error,
    read_number,
    read_outcome,
    read_size,
    read_text,
    refuse_constant,
)
from winnow_contract.version import CONTRACT_VERSION

__all__ = [
    "MAX_VALUES",
    "PREFIX",
    "MeasuredCandidate",
    "MeasurementResult",
    "ResultError",
    "as_recorded",
    "decode_measured",
    "encode_measured",
]

PREFIX = "winnow-measured-1:"
MAX_VALUES = 32
"""Figures of one model; a Trial's status holds as many."""
_MAX_JSON_BYTES = 65_536
"""Words that unpack to more are none."""
_DIGEST_BYTES = 32
_PARTS = 3
_SEPARATOR = ":"
"""Not among the characters of base85."""
_LADDER = (
    (SIGNIFICANT_DIGITS, 3, 250),
    (SIGNIFICANT_DIGITS, 2, 120),
    (6, 2, 120),
    (6, 2, 60),
    (5, 2, 30),
    (5, 2, 0),
    (4, 2, 0),
    (3, 1, 0),
)
"""Digits of values, digits of errors, characters of a sentence: what is tried until it fits."""


@dataclass(frozen=True, slots=True)
class MeasuredCandidate:
    """What was found out about one model, the baseline or a candidate."""

    number: int
    """Number of its Trial."""
    outcome: str
    """Succeeded or Failed."""
    values: Values = field(default_factory=dict)
    """On the validation split and in the serving runtime, by key."""
    test: Values = field(default_factory=dict)
    """Quality on the test split; nothing that chooses reads it."""
    digest: str = ""
    """sha256 of the final artifact's manifest in hex; empty without one."""
    size_bytes: int = 0
    """Size of all files of the final artifact."""
    attempt: str = ""
    """Attempt id of the final artifact, where it is not the measuring pod's own."""
    cause: str = ""
    """Of a failure, one CamelCase word."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class MeasurementResult:
    """What became of a round."""

    attempt: str
    """First 8 characters of the measuring pod's uid."""
    candidates: tuple[MeasuredCandidate, ...] = ()
    cause: str = ""
    """Why nothing could be measured."""
    message: str = ""
    job_fault: bool = False
    """It would be the same for every pod of the job."""


def encode_measured(result: MeasurementResult) -> str:
    """The result as a text that fits: sentences go first, then digits.

    Raises:
        ResultError: if there are more than 16 models, or an outcome is not known.
    """
    if len(result.candidates) > MAX_MODELS:
        raise ResultError(f"a round has at most {MAX_MODELS} models, not {len(result.candidates)}")
    check_outcomes(candidate.outcome for candidate in result.candidates)
    for candidate in result.candidates:
        if max(len(candidate.values), len(candidate.test)) > MAX_VALUES:
            raise ResultError(f"candidate {candidate.number} has over {MAX_VALUES} figures")
    for digits, error_digits, length in _LADDER:
        text = _Pen(digits, error_digits, length).text(result)
        if len(text) <= MAX_BYTES:
            return text
    raise ResultError(f"the result of {len(result.candidates)} models is over {MAX_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class _Pen:
    """How short a result is written."""

    digits: int
    error_digits: int
    length: int

    def text(self, result: MeasurementResult) -> str:
        """The whole message."""
        words = zlib.compress(compact_json(self._words(result)).encode(), 9)
        digests = b"".join(bytes.fromhex(candidate.digest) for candidate in result.candidates)
        parts = (words, digests, self._figures(result))
        return PREFIX + _SEPARATOR.join(base64.b85encode(part).decode() for part in parts)

    def _words(self, result: MeasurementResult) -> dict[str, Any]:
        """All but figures and digests; the keys stand once, figures in their order."""
        document: dict[str, Any] = {"v": CONTRACT_VERSION, "a": result.attempt}
        if result.cause:
            document |= {"c": result.cause[:MAX_CAUSE], "w": plain_text(result.message)[:MAX_TEXT]}
        if result.job_fault:
            document["j"] = 1
        document |= {"p": [self.digits, self.error_digits]}
        document |= {"k": _keys(result, "values"), "l": _keys(result, "test")}
        document["t"] = [self._entry(c, result.attempt) for c in result.candidates]
        return document

    def _entry(self, candidate: MeasuredCandidate, attempt: str) -> dict[str, Any]:
        document: dict[str, Any] = {"n": candidate.number, "o": LETTERS[candidate.outcome]}
        if candidate.digest:
            document |= {"d": 1, "s": candidate.size_bytes}
        if candidate.attempt and candidate.attempt != attempt:
            document["a"] = candidate.attempt
        if candidate.cause:
            document["c"] = candidate.cause[:MAX_CAUSE]
        if candidate.message and self.length:
            document["w"] = plain_text(candidate.message)[: self.length]
        return document

    def _figures(self, result: MeasurementResult) -> bytes:
        packer = Packer()
        keys, test_keys = _keys(result, "values"), _keys(result, "test")
        for candidate in result.candidates:
            for key in keys:
                self._add(packer, key, candidate.values)
            for key in test_keys:
                self._add(packer, key, candidate.test)
        return packer.to_bytes()

    def _add(self, packer: Packer, key: str, values: Values) -> None:
        value, error = values.get(key, (None, None))
        if not is_reportable(value):
            packer.add(None, self.digits)
            return
        packer.add(value, self.digits, is_signed=_is_signed(key))
        packer.add(error if is_reportable(error) else None, self.error_digits, is_signed=False)


def _is_signed(key: str) -> bool:
    return metric_of(key).lowest < 0


def _keys(result: MeasurementResult, field_name: str) -> list[str]:
    values = [getattr(candidate, field_name) for candidate in result.candidates]
    return list(dict.fromkeys(key for one in values for key in one))


def as_recorded(result: MeasurementResult) -> MeasurementResult:
    """The result as the operator will read and record it, with as many digits.

    Raises:
        ResultError: if it cannot be written.
    """
    return decode_measured(encode_measured(result))


def decode_measured(text: str) -> MeasurementResult:
    """Read a termination message.

    Raises:
        ResultError: if it is not such a result, whatever it is instead.
    """
    document, digests, figures = _unpack(text.strip())
    check_version(document)
    entries = read_entries(document, MAX_MODELS, "candidate")
    reader = _Reader(document, digests, Unpacker(figures))
    candidates = tuple(reader.candidate(entry) for entry in entries)
    reader.close()
    return MeasurementResult(
        attempt=read_attempt(document),
        candidates=candidates,
        cause=read_cause(document),
        message=read_text(document, "w", MAX_TEXT),
        job_fault=document.get("j") == 1,
    )


def _unpack(text: str) -> tuple[dict[str, Any], bytes, bytes]:
    parts = text.removeprefix(PREFIX).split(_SEPARATOR)
    if not text.startswith(PREFIX) or len(text) > MAX_BYTES or len(parts) != _PARTS:
        raise ResultError(
            f"the result starts with {clip(text)}, expected are {PREFIX} and {_PARTS} parts, at "
            f"most {MAX_BYTES} bytes"
        )
    try:
        words, digests, figures = map(base64.b85decode, parts)
        document = json.loads(_inflate(words), parse_constant=refuse_constant)
    except (ValueError, RecursionError, zlib.error) as error:
        raise ResultError(f"the result cannot be unpacked: {str(error)[:80]}") from error
    if not isinstance(document, dict):
        raise ResultError("the words of the result are not a JSON object")
    return document, digests, figures


def _inflate(words: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(words, _MAX_JSON_BYTES)
    if not unpacker.eof:
        raise ValueError(f"its words end early, or are over {_MAX_JSON_BYTES} bytes")
    return content


class _Reader:
    """Reads the candidates of a message one after the other, with their digests and figures."""

    def __init__(self, document: Mapping[str, Any], digests: bytes, figures: Unpacker) -> None:
        self._keys, self._test_keys = (_read_keys(document, name) for name in ("k", "l"))
        self._digits, self._error_digits = _read_precision(document)
        self._digests = digests
        self._figures = figures

    def candidate(self, item: Mapping[str, Any]) -> MeasuredCandidate:
        return MeasuredCandidate(
            number=item["n"],
            outcome=read_outcome(item),
            digest=self._digest() if item.get("d") == 1 else "",
            size_bytes=read_size(item),
            attempt=read_attempt(item),
            cause=read_cause(item),
            message=read_text(item, "w", MAX_TEXT),
            values=self._values(self._keys),
            test=self._values(self._test_keys),
        )

    def _digest(self) -> str:
        digest, self._digests = self._digests[:_DIGEST_BYTES], self._digests[_DIGEST_BYTES:]
        if len(digest) < _DIGEST_BYTES:
            raise ResultError("the result has fewer digests than it speaks of")
        return digest.hex()

    def _values(self, keys: Sequence[str]) -> Values:
        values: dict[str, tuple[float, float | None]] = {}
        for key in keys:
            value = self._figures.take(self._digits, is_signed=_is_signed(key))
            if value is None:
                continue
            error = self._figures.take(self._error_digits, is_signed=False)
            number = read_number({key: value}, key)
            if number is not None:
                values[key] = (number, read_error({key: error}, key))
        return values

    def close(self) -> None:
        """Check that nothing is left.

        Raises:
            ResultError: if something is.
        """
        self._figures.close()
        if self._digests:
            raise ResultError("the result has more digests than it speaks of")


def _read_keys(document: Mapping[str, Any], name: str) -> list[str]:
    keys = document.get(name, [])
    if not isinstance(keys, list) or len(keys) > MAX_VALUES or len(keys) > len(set(map(str, keys))):
        raise ResultError(f"{name!r} must be a list of at most {MAX_VALUES} keys, each once")
    for key in keys:
        try:
            metric_of(key if isinstance(key, str) else "")
        except GoalError:
            raise ResultError(f"{name!r} has {clip(key)}, which is not measured") from None
    return keys


def _read_precision(document: Mapping[str, Any]) -> tuple[int, int]:
    listed = document.get("p")
    digits = listed if isinstance(listed, list) else []
    are_numbers = all(type(n) is int and 1 <= n <= SIGNIFICANT_DIGITS for n in digits)
    if len(digits) != 2 or not are_numbers:  # noqa: PLR2004 -- of values and of errors
        raise ResultError(f"'p' must be two numbers of digits from 1 to {SIGNIFICANT_DIGITS}")
    return digits[0], digits[1]
