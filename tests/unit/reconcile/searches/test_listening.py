"""Since when Prometheus has had nothing of pods that run: only while it could have had it."""

from __future__ import annotations

import pytest

from tests.support.facts import ledger_of, spec_of
from winnow_operator.domain.searches.trial_metrics import Heard
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.reconcile.searches.searchstate import SearchState
from winnow_operator.reconcile.searches.stopping import unheard_seconds

NOTHING, SCRAPED = Heard(), Heard(is_scraped=True)
AWAY = Heard(problem="Prometheus does not answer: refused")


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        ([(0, None), (5, NOTHING), (95, NOTHING)], 95),
        ([(0, NOTHING), (30, SCRAPED), (600, NOTHING)], 0),
        ([(0, NOTHING), (30, AWAY), (600, NOTHING)], 0),
        ([(0, NOTHING), (30, AWAY), (600, NOTHING), (640, NOTHING)], 40),
        ([(0, NOTHING), (600, AWAY)], 0),
    ],
)
def test_only_the_time_counts_in_which_prometheus_answers_and_has_nothing(
    looks: list[tuple[float, Heard | None]], seconds: float
) -> None:
    spec = spec_of({})
    state = SearchState("uid", ledger_of(), spec=spec, space=parse_space(spec.space))

    found = [unheard_seconds(state, heard, now) for now, heard in looks]

    assert found[-1] == seconds
