"""Makes Optuna's TPE three times as fast: the normal distribution in C in place of Python.

A suggestion of TPE takes the logarithm of the normal distribution function some ten thousand times,
and Optuna, which does without SciPy, calls a Python function for each. SciPy has the same function
over arrays. Optuna has no setting for it, so its module is given SciPy's; a test holds the two against
each other, and fails where a release of Optuna has moved it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from optuna.samplers._tpe import _truncnorm
from scipy.special import log_ndtr

_OPTUNAS = _truncnorm._log_ndtr  # noqa: SLF001 -- no other way


def speed_up() -> None:
    """From now on, in this process."""
    _truncnorm._log_ndtr = log_ndtr  # noqa: SLF001 -- same


@contextlib.contextmanager
def as_it_comes() -> Iterator[None]:
    """Optuna as it comes, for as long as the block lasts; for whoever compares."""
    before = _truncnorm._log_ndtr  # noqa: SLF001 -- same
    _truncnorm._log_ndtr = _OPTUNAS  # noqa: SLF001 -- same
    try:
        yield
    finally:
        _truncnorm._log_ndtr = before  # noqa: SLF001 -- same
