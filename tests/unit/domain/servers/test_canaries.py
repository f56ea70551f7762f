"""The checks of a canary: what passes, what fails, and what knows too little."""

from __future__ import annotations

import pytest

from tests.support.servers import NOW, pods
from winnow_operator.api.modelserver import Canary, CanaryChecks
from winnow_operator.api.modelserver_status import AgreementStatus
from winnow_operator.domain.servers.canaries import CanaryFacts, check_canary
from winnow_operator.domain.servers.loads import NOT_YET, Load, Loads

CANARY = Canary(checks=CanaryChecks(min_requests=100))
STABLE = Load(1000, 0, 0.010)


SAME = AgreementStatus(rows=256, equal=256)


def verdicts(loads: Loads | None, canary: Canary = CANARY) -> dict[str, tuple[str, str]]:
    facts = CanaryFacts(NOW, pods(r2=1), loads)
    checks = check_canary(canary, canary.steps[0], facts, SAME)
    return {c.name: (str(c.verdict), c.message) for c in checks}


def test_without_prometheus_only_the_pods_and_their_answers_are_looked_at() -> None:
    assert verdicts(None).keys() == {"Readiness", "Restarts", "Agreement"}


def test_agreement_is_looked_at_unless_it_is_turned_off() -> None:
    free = Canary(checks=CanaryChecks(min_agreement="0"))

    assert verdicts(None, free).keys() == {"Readiness", "Restarts"}


def test_as_good_as_the_one_that_serves_passes() -> None:
    found = verdicts(Loads(STABLE, Load(200, 1, 0.012)))

    assert {verdict for verdict, _ in found.values()} == {"Passed"}
    assert "1 of 200 requests failed (0.5%)" in found["ErrorRate"][1]
    assert "1.2 times the 10 ms" in found["Latency"][1]


@pytest.mark.parametrize(
    ("loads", "words"),
    [
        (Loads(STABLE, Load(99, 0, 0.01)), "99 of at least 100 requests were seen"),
        (Loads(STABLE, Load()), "0 of at least 100 requests were seen"),
        (Loads(problem="Prometheus does not answer: TimeoutError"), "does not answer"),
        (NOT_YET, "is being asked"),
    ],
)
def test_too_little_is_never_passed(loads: Loads, words: str) -> None:
    found = verdicts(loads)

    for name in ("ErrorRate", "Latency"):
        assert found[name][0] == "Inconclusive"
        assert words in found[name][1]


def test_without_requests_to_compare_with_latency_is_inconclusive() -> None:
    found = verdicts(Loads(Load(), Load(200, 0, 0.01)))

    assert found["ErrorRate"][0] == "Passed"
    assert found["Latency"][0] == "Inconclusive"


def test_too_many_errors_fail_with_the_figures() -> None:
    verdict, message = verdicts(Loads(STABLE, Load(200, 3, 0.01)))["ErrorRate"]

    assert verdict == "Failed"
    assert "3 of 200 requests failed (1.5%), allowed is a share of 0.01" in message


def test_a_canary_that_fails_at_once_is_not_left_to_fail_a_hundred_times() -> None:
    found = verdicts(Loads(STABLE, Load(8, 8, 0.01)))

    assert found["ErrorRate"][0] == "Failed"


def test_three_times_as_slow_fails() -> None:
    verdict, message = verdicts(Loads(STABLE, Load(200, 0, 0.030)))["Latency"]

    assert verdict == "Failed"
    assert "its p95 is 30 ms, 3 times the 10 ms" in message
