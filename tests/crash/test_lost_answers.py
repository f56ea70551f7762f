"""A write comes through and its answer does not: it is tried again, and nothing is done twice."""

from __future__ import annotations

import pytest

from tests.crash import scenarios
from tests.crash.invariants import broken_invariants
from tests.crash.stage import Theatre, play
from tests.support.proxy_faults import WRITES, Cut, Fault

pytestmark = pytest.mark.control_plane

KINDS = (
    "/persistentvolumeclaims$",
    "/trials[?]?$",
    "/jobs[?]?$",
    "/trials/.*/status",
    "/searchjobs/.*/status",
)


async def test_a_write_whose_answer_is_lost_counts_once(theatre: Theatre) -> None:
    faults = [Fault(Cut(after=True), WRITES, kind, times=1) for kind in KINDS]

    played = await play(theatre, scenarios.RANDOM, faults=faults)

    assert [fault.seen > 0 for fault in faults] == [True] * len(faults)
    assert broken_invariants(scenarios.RANDOM.job, played.world) == []
    assert played.ran == (1, 2, 3, 4)
    assert played.complaints == ()
