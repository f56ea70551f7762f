"""The fields of a termination message: written short, read with checks.

A message has 4096 bytes for everything that a pod has to say, and a pod can say anything: figures
are spelled with few digits, and what is read is a finite number, a plain text, or refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeGuard

from winnow_contract.errors import ResultError
from winnow_contract.version import accepted_text, is_accepted

MAX_BYTES = 4096
"""What the kubelet keeps of a termination message."""
MAX_TEXT = 1024
"""Characters of a sentence."""
MAX_MAGNITUDE = 1e15
LARGEST_SHORT = 9.999e14
"""The largest number below it with as few digits as a value may be left with."""
DECIMALS = 18
"""Status fields hold decimal text of at most 18 digits on either side of the point."""
SIGNIFICANT_DIGITS = 7
MAX_CAUSE = 32
MAX_EXACT_COUNT = 10**12
"""Whole numbers below this (parameters, bytes) are written in full."""

MAX_NUMBER = 99_999
"""Trials are numbered with five digits."""
OUTCOMES = {"S": "Succeeded", "F": "Failed", "T": "Stopped"}
LETTERS = {name: letter for letter, name in OUTCOMES.items()}
_ATTEMPT = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]{0,34}[A-Za-z0-9])?$")


def compact_json(value: Any) -> str:
    """Compact JSON; the standard library's spells numbers longer than they must be."""
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{compact_json(key)}:{compact_json(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(compact_json, value)) + "]"
    if isinstance(value, float):
        return _spelled(value)
    return json.dumps(value, ensure_ascii=False)


def _spelled(value: float) -> str:
    mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
    scientific = f"{mantissa}e{int(exponent)}"
    plain = f"{Decimal(repr(value)).normalize():f}"
    return min(plain, scientific, key=len)


def plain_text(text: str) -> str:
    """A sentence without what JSON would have to escape."""
    # A file name in a sentence may hold what is no text (surrogates); JSON would escape the rest.
    return "".join(c if c.isprintable() else " " for c in text).replace('"', "'").replace("\\", "/")


def is_reportable(value: float | None) -> TypeGuard[float]:
    """Whether a value can stand in a result: a finite number below 1e15."""
    return value is not None and abs(value) < MAX_MAGNITUDE  # NaN is below nothing


def short_number(value: float, digits: int) -> float:
    """A number with so many significant digits; a count keeps all of them as long as there are 7."""
    is_count = float(value).is_integer() and abs(value) < MAX_EXACT_COUNT
    if is_count and digits == SIGNIFICANT_DIGITS:
        return int(value)
    # What the reader rounds to nothing is nothing here, and rounding up stays below the limit.
    short = round(float(f"{value:.{digits}g}"), DECIMALS) + 0.0
    return max(-LARGEST_SHORT, min(short, LARGEST_SHORT))


def digest_text(digest: str) -> str:
    """A sha256 in hex as base64url, a third shorter."""
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def clip(value: object) -> str:
    """A value as a sentence about a message repeats it."""
    return ascii(value)[:20]


def refuse_constant(name: str) -> float:
    """For `json.loads`: NaN and Infinity are no numbers.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{name} is not a number")


def check_outcomes(outcomes: Iterable[str]) -> None:
    """Check outcomes that are to be written.

    Raises:
        ResultError: if one is not known.
    """
    for outcome in outcomes:
        if outcome not in LETTERS:
            raise ResultError(f"{outcome!r} is no outcome, allowed: {', '.join(LETTERS)}")


def check_version(document: Mapping[str, Any]) -> None:
    """Check the version `v` of a message.

    Raises:
        ResultError: if it is one that this code does not read.
    """
    if not is_accepted(document.get("v")):
        raise ResultError(
            f"the result is of contract version {clip(document.get('v'))}, "
            f"this operator reads {accepted_text()}"
        )


def read_entries(document: Mapping[str, Any], most: int, noun: str) -> list[Mapping[str, Any]]:
    """The entries `t` of a message, each an object with a number and an outcome.

    Args:
        document: the message.
        most: how many there may be.
        noun: what each is about, `trial`.

    Raises:
        ResultError: if they are not, or a number stands twice.
    """
    entries = document.get("t", [])
    if not isinstance(entries, list) or len(entries) > most:
        raise ResultError(f"'t' must be a list of at most {most} {noun}s")
    for item in entries:
        _check_head(item, noun)
    if len({item["n"] for item in entries}) < len(entries):
        raise ResultError(f"'t' names a {noun} twice")
    return entries


def _check_head(item: object, noun: str) -> None:
    if not isinstance(item, dict):
        raise ResultError("an entry of 't' is not an object")
    number, word = item.get("n"), item.get("o")
    if type(number) is not int or not 1 <= number <= MAX_NUMBER:
        raise ResultError(f"an entry of 't' has no {noun} number 'n' from 1 to {MAX_NUMBER}")
    if not isinstance(word, str) or OUTCOMES.get(word, word) not in LETTERS:
        raise ResultError(
            f"{noun} {number} has outcome {clip(word)}, allowed are {', '.join(LETTERS)}"
        )


def read_outcome(item: Mapping[str, Any]) -> str:
    """The outcome `o` of an entry that was checked, a letter or the whole word."""
    word = str(item["o"])
    return OUTCOMES.get(word, word)


def read_text(item: Mapping[str, Any], key: str, length: int) -> str:
    """A text of printable characters, cut; empty if there is none.

    Raises:
        ResultError: if it is no text. So do all readers below, where it is not what they read.
    """
    value = item.get(key, "")
    if not isinstance(value, str):
        raise ResultError(f"{key!r} must be a text")
    printable = "".join(c if c.isprintable() else " " for c in value)
    return printable[:length]


def read_cause(item: Mapping[str, Any]) -> str:
    """The cause `c`: one CamelCase word."""
    # It becomes a reason, and those are CamelCase words.
    return "".join(c for c in read_text(item, "c", MAX_CAUSE) if c.isascii() and c.isalnum())


def read_attempt(item: Mapping[str, Any]) -> str:
    """The attempt `a`: the start of a pod's uid.

    Raises:
        ResultError: if it is something else.
    """
    text = read_text(item, "a", 63)
    if text and not _ATTEMPT.match(text):  # it becomes part of the artifact's URI
        raise ResultError(f"'a' is {clip(text)}, not the start of a pod's uid")
    return text


def read_number(item: Mapping[str, Any], key: str) -> float | None:
    """A finite number; None if there is none.

    Raises:
        ResultError: if it is no finite number below 1e15.
    """
    value = item.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ResultError(f"{clip(key)} must be a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ResultError(f"{clip(key)} is not a finite number") from error
    if not is_reportable(number):
        raise ResultError(f"{clip(key)} is not a finite number below {MAX_MAGNITUDE:g}")
    return round(number, DECIMALS) + 0.0  # no minus before a zero


def read_error(item: Mapping[str, Any], key: str) -> float | None:
    """A standard error; None if there is none.

    Raises:
        ResultError: if it is no finite number, or negative.
    """
    value = read_number(item, key)
    if value is not None and value < 0:
        raise ResultError(f"{key!r} is a standard error and cannot be negative")
    return value


def read_size(item: Mapping[str, Any]) -> int:
    """The size `s` in bytes.

    Raises:
        ResultError: if it is no whole number from 0 on.
    """
    value = item.get("s", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ResultError("'s' must be a size in bytes")
    return value


def read_digest(item: Mapping[str, Any]) -> str:
    """The digest `d` in hex; empty if there is none.

    Raises:
        ResultError: if it is no sha256 in base64url.
    """
    text = read_text(item, "d", 64)
    if not text:
        return ""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ResultError("'d' is not base64url") from error
    if len(raw) != 32:  # noqa: PLR2004 -- sha256
        raise ResultError("'d' is not a sha256 digest")
    return raw.hex()
