"""Which pods are asked the same in a canary's step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.servers import facts, model, pod, pods
from winnow_operator.api.modelserver_status import AgreementStatus
from winnow_operator.domain.servers.agreement import Probed
from winnow_operator.domain.servers.deployments import DeploymentFact
from winnow_operator.domain.servers.probes import Probe, Target, probe_of
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.domain.servers.rollouts import ServerFacts, advance

STEPS = [{"replicas": 1, "pause": "30s"}, {"replicas": 2, "pause": "30s"}]


def observed(*, seconds: float = 0, found: Any = None, **checks: str) -> ServerFacts:
    """Model b as a canary beside one pod of model a."""
    rollout = {"strategy": "Canary", "canary": {"steps": STEPS, "checks": checks}}
    seen = facts(
        model("b"), pods(r1=1, r2=1) if found is None else found, seconds=seconds, rollout=rollout
    )
    return replace(seen, deployments={2: DeploymentFact(2, 1, uid="uid-2")})


def begun() -> Revisions:
    """A canary whose pod has just become ready."""
    first = facts(model("a"), pods(r1=1))
    known = advance(advance(Revisions(), first), first)
    return advance(advance(known, observed(found=pods(r1=1))), observed(seconds=1))


def test_a_pod_of_each_revision_is_asked_once_the_step_has_begun() -> None:
    assert probe_of(begun(), observed(seconds=2)) == Probe(
        stable=Target(1, "192.0.2.1"),
        canary=Target(2, "192.0.2.1"),
        tolerance="0.1",
        since="2026-01-31T12:00:01Z",
        deployment_uid="uid-2",
    )


@pytest.mark.parametrize(
    "seen",
    [
        observed(found=pods(r2=1)),
        observed(found=pods(r1=1)),
        observed(found=[*pods(r1=1), pod(2, address="")]),
        observed(found=[*pods(r2=1), pod(1, ready=False)]),
        observed(found=[*pods(r2=1), pod(1, deleting=True)]),
        replace(observed(), deployments={}),
        observed(minAgreement="0"),
    ],
    ids=["no stable", "no canary", "no address", "not ready", "deleting", "no Deployment", "off"],
)
def test_nothing_is_asked_where_there_is_nobody_to_ask_or_nothing_to_learn(
    seen: ServerFacts,
) -> None:
    assert probe_of(begun(), seen) is None


def test_what_is_known_is_not_asked_again_in_the_same_step() -> None:
    found = Probed(AgreementStatus(rows=256, equal=256))
    known = advance(begun(), replace(observed(seconds=3), probed=found))
    assert probe_of(known, observed(seconds=4)) is None

    known = advance(known, observed(seconds=40))
    two = [*pods(r1=1, r2=2)]
    known = advance(known, observed(seconds=41, found=two))
    assert probe_of(known, observed(seconds=41, found=two)) is not None


def test_another_pod_another_step_and_another_tolerance_are_another_probe() -> None:
    known = begun()
    moved = [*pods(r1=1), pod(2, address="192.0.2.9")]
    made = [
        probe_of(known, observed()),
        probe_of(known, observed(found=moved)),
        probe_of(known, observed(tolerance="0.5")),
    ]

    assert len({probe.mark for probe in made if probe}) == 3


def test_without_a_canary_nothing_is_asked() -> None:
    first = facts(model("a"), pods(r1=1))
    known = advance(advance(Revisions(), first), first)

    assert probe_of(known, first) is None
    assert probe_of(known, observed()) is None
