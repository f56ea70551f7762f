"""SciPy's normal distribution in place of Optuna's: the same figures, and really in its place."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from optuna.samplers._tpe import _truncnorm
from scipy.special import log_ndtr

from winnow_operator.engines import quick_normal, tpe

PLACES = np.concatenate([np.linspace(-40, 10, 5001), [-1e3, -0.0, 0.0, 37.5]])


def test_both_are_the_same_function() -> None:
    with quick_normal.as_it_comes():
        slow = _truncnorm._log_ndtr(PLACES)

    assert np.allclose(log_ndtr(PLACES), slow, rtol=1e-6, atol=1e-300)


def test_an_engine_of_tpe_has_put_it_in_place() -> None:
    assert tpe.__name__ in sys.modules
    assert _truncnorm._log_ndtr is log_ndtr


def test_optuna_asks_for_it_when_it_suggests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it would no longer, the place in its module would have lost its meaning."""
    calls: list[int] = []

    def counted(values: Any) -> Any:
        calls.append(1)
        return log_ndtr(values)

    monkeypatch.setattr(_truncnorm, "_log_ndtr", counted)
    _truncnorm._log_gauss_mass(np.array([-2.0, 1.0]), np.array([-1.0, 2.0]))

    assert calls
