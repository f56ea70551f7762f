"""The probe of a canary's step: which pods it is to ask, as a pure function of what is observed.

For each step there is one, once its pods and one of those that serve are ready. Where a pod that it
asks is replaced, there is another one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from winnow_operator.domain.servers.agreement import is_checked
from winnow_operator.domain.servers.canaries import canary_of, current_step
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.domain.servers.rollouts import ServerFacts


@dataclass(frozen=True, slots=True)
class Target:
    """A pod that is asked."""

    revision: int
    address: str
    """Its IP address."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Which pods are asked the same."""

    stable: Target
    canary: Target
    tolerance: str
    """How far numbers may lie apart (`checks.tolerance`)."""
    since: str
    """When the step began."""
    deployment_uid: str
    """Of the canary: with its Deployment the probe goes."""

    @property
    def mark(self) -> str:
        """Differs from that of a probe that asks other pods, or in another step."""
        asked = f"{self.stable} {self.canary} {self.tolerance} {self.since}"
        return hashlib.sha256(asked.encode()).hexdigest()[:8]


def probe_of(revisions: Revisions, facts: ServerFacts) -> Probe | None:
    """The probe that is needed now; None if there is none, or not yet."""
    rollout, canary = revisions.rollout, canary_of(facts.spec)
    if rollout is None or canary is None or current_step(rollout, canary) is None:
        return None
    is_open = rollout.step_since is not None and rollout.agreement is None
    deployment = facts.deployments.get(rollout.revision)
    stable, new = (_target(facts, n) for n in (revisions.serving, rollout.revision))
    if not is_open or not is_checked(canary.checks) or deployment is None:
        return None
    if stable is None or new is None:
        return None
    return Probe(stable, new, canary.checks.tolerance, rollout.step_since or "", deployment.uid)


def _target(facts: ServerFacts, revision: int | None) -> Target | None:
    if revision is None:
        return None
    ready = (pod for pod in facts.pods_of(revision) if pod.ready and pod.address)
    first = min(ready, key=lambda pod: pod.name, default=None)
    return None if first is None else Target(revision, first.address)
