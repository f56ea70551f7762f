"""Many figures in few bytes: decimal digits, packed into one whole number of mixed radix.

A figure of d significant digits takes log2(10^d) bits and about 5 for its exponent, nothing for
separators. JSON behind zlib takes twice as much, and a termination message has no room for that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from winnow_contract.errors import ResultError

__all__ = ["Packer", "Unpacker"]

LOWEST, HIGHEST = -18, 14
"""Exponents of the first digit; figures are below 1e15 and have 18 decimals."""
_MISSING = HIGHEST - LOWEST + 1
_WHOLE = _MISSING + 1
_CODES = _WHOLE + 1
"""Each exponent, no figure, and a whole number with all its digits."""
WHOLE_LIMIT = 10**12


@dataclass(slots=True)
class Packer:
    """Takes figures one after the other; `Unpacker` gives them back in the same order."""

    _digits: list[tuple[int, int]] = field(default_factory=list)
    """Digit and radix, first to last."""

    def add(self, value: float | None, digits: int, *, is_signed: bool = True) -> None:
        """Add a finite figure, rounded to so many digits; None says that there is none.

        Whole numbers below 10^12 keep all their digits.
        """
        if value is None:
            self._digits.append((_MISSING, _CODES))
            return
        size = abs(value)
        mantissa, exponent = _parts(size, digits)
        is_whole = size < WHOLE_LIMIT and float(value).is_integer()
        if is_whole and _joined(mantissa, exponent, digits) != size:
            self._digits += [(_WHOLE, _CODES), (int(size), WHOLE_LIMIT)]
        else:
            self._digits += [(exponent - LOWEST, _CODES), (mantissa, 10**digits)]
        if is_signed:
            self._digits.append((int(value < 0), 2))

    def to_bytes(self) -> bytes:
        """All figures."""
        number = 0
        for digit, radix in reversed(self._digits):
            number = number * radix + digit
        return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _parts(size: float, digits: int) -> tuple[int, int]:
    """The digits as a whole number, and the exponent of the first: 0.0123 is 123 and -2."""
    text, _, exponent = f"{size:.{digits - 1}e}".partition("e")
    if size == 0 or int(exponent) < LOWEST:  # nothing, to all who read it
        return 0, 0
    return int(text.replace(".", "")), min(int(exponent), HIGHEST)


def _joined(mantissa: int, exponent: int, digits: int) -> float:
    return float(f"{mantissa}e{exponent - digits + 1}")


class Unpacker:
    """Reads what a Packer wrote, whatever the bytes really are."""

    def __init__(self, content: bytes) -> None:
        self._number = int.from_bytes(content, "big")

    def take(self, digits: int, *, is_signed: bool = True) -> float | None:
        """The next figure, None where there is none; the arguments are those of `Packer.add`."""
        code = self._pop(_CODES)
        if code == _MISSING:
            return None
        if code == _WHOLE:
            size = float(self._pop(WHOLE_LIMIT))
        else:
            size = _joined(self._pop(10**digits), code + LOWEST, digits)
        return -size if is_signed and self._pop(2) else size

    def _pop(self, radix: int) -> int:
        self._number, digit = divmod(self._number, radix)
        return digit

    def close(self) -> None:
        """Check that nothing is left.

        Raises:
            ResultError: if there is.
        """
        if self._number:
            raise ResultError("the result holds more figures than it has keys for")
