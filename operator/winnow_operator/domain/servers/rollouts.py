"""Rollouts of a ModelServer, as pure functions: what is observed in, what is remembered and wanted out.

                 chosen                    through
    (nothing) ------------> RollingOut ----------------> Serving ---another is through---> Retired
                               |   |
                a fault of it  |   |  another was chosen
                               v   v
                         Aborted   Superseded

`advance` says what is to be remembered next. It is written down first, and only a look that finds
nothing new to remember acts, by `replicas_of`: so a restart at any moment goes on with the same.
While a revision is on its way, the one that serves is never smaller than what the new one lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from winnow_operator.api.conditions import Reason
from winnow_operator.api.fields import duration_seconds
from winnow_operator.api.modelserver import ModelServerSpec, Promotion
from winnow_operator.api.modelserver_status import RevisionOutcome, RevisionStatus, RolloutStatus
from winnow_operator.domain.blockages import format_time, parse_time
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.agreement import Probed
from winnow_operator.domain.servers.canaries import (
    CanaryFacts,
    canary_of,
    current_step,
    failed_check,
    follow_step,
    inconclusive_checks,
    seconds_of_pause,
)
from winnow_operator.domain.servers.deployments import DeploymentFact
from winnow_operator.domain.servers.loads import Loads
from winnow_operator.domain.servers.pods import ServerPod, words_of
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.domain.servers.served_models import Model


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What is observed of a server."""

    spec: ModelServerSpec
    wanted: Model | Blockage
    """What shall be served, or why nothing new can be."""
    now: datetime
    pods: Sequence[ServerPod] = ()
    deployments: Mapping[int, DeploymentFact] = field(default_factory=dict)
    """By revision."""
    loads: Loads | None = None
    """What Prometheus says of the rollout; None where there is none to ask."""
    probed: Probed = field(default_factory=Probed)
    """What the probe of the canary's step says."""

    def pods_of(self, revision: int | None) -> list[ServerPod]:
        """The pods of a revision that are to stay."""
        return [p for p in self.pods if p.revision == revision and not p.deleting]

    def ready(self, revision: int | None) -> int:
        """How many of them are ready."""
        return sum(p.ready for p in self.pods_of(revision))

    def why(self, revision: int | None) -> str:
        """What is said of its pods that are not there or not ready, to be put after a sentence."""
        deployment = self.deployments.get(revision or 0)
        if deployment is not None and deployment.failure:
            return f": {deployment.failure}"
        for pod in self.pods_of(revision):
            if pod.blockage is not None:
                return f": {pod.blockage.message}"
            if not pod.ready and pod.ended:
                return f": {words_of(pod.ended[-1])}"
        return ""


def advance(known: Revisions, facts: ServerFacts) -> Revisions:
    """What is to be remembered, given what is and what is observed."""
    revisions = _with_choice(known, facts)
    if revisions.pinned != facts.spec.revision:
        revisions = replace(revisions, pinned=None)
    target = _target(revisions, facts)
    revisions = _superseded(revisions, target, facts)
    if target is not None and revisions.rollout is None and target != revisions.serving:
        revisions = _begun(revisions, target, facts)
    if revisions.rollout is not None:
        revisions = _on_its_way(revisions, revisions.rollout, facts)
    return revisions.trimmed([facts.spec.revision])


def _with_choice(known: Revisions, facts: ServerFacts) -> Revisions:
    """Another choice than before is a new revision, unless one with that model is alive."""
    if isinstance(facts.wanted, Blockage) or known.is_chosen(facts.wanted):
        return known
    live = known.live_with(facts.wanted)
    return (
        known.add(facts.wanted, facts.now) if live is None else replace(known, chosen=live.number)
    )


def asked_for(revisions: Revisions, facts: ServerFacts) -> RevisionStatus | None:
    """The revision that shall serve by what the spec says, if there is one."""
    spec = facts.spec
    if spec.revision is not None:
        return revisions.get(spec.revision)
    is_first = revisions.serving is None
    if spec.promotion is Promotion.MANUAL and not is_first:
        return None
    return revisions.get(revisions.chosen)


def _target(revisions: Revisions, facts: ServerFacts) -> int | None:
    """Number of the revision that shall serve; an aborted one is not tried again by itself."""
    asked = asked_for(revisions, facts)
    if asked is None:
        return revisions.rollout.revision if revisions.rollout else revisions.serving
    was_tried = facts.spec.revision is None or revisions.pinned == asked.number
    if asked.outcome is RevisionOutcome.ABORTED and was_tried:
        return revisions.serving
    return asked.number


def unknown_pin(revisions: Revisions, facts: ServerFacts) -> Blockage | None:
    """Why `spec.revision` cannot be followed, if it cannot."""
    pin = facts.spec.revision
    if pin is None or revisions.get(pin) is not None:
        return None
    known = ", ".join(str(r.number) for r in reversed(revisions.history)) or "none yet"
    words = f"spec.revision is {pin}, known revisions (status.history) are: {known}"
    return Blockage(Reason.INVALID_SPEC, words)


def _superseded(revisions: Revisions, target: int | None, facts: ServerFacts) -> Revisions:
    rollout = revisions.rollout
    if rollout is None or rollout.revision == target:
        return revisions
    words = "another revision was asked for before it was through"
    gone = revisions.mark(rollout.revision, RevisionOutcome.SUPERSEDED, facts.now, words)
    return replace(gone, rollout=None)


def _begun(revisions: Revisions, target: int, facts: ServerFacts) -> Revisions:
    # Where nothing serves, there is nothing to protect and nothing to compare with; and what has
    # served before is gone back to, which must be quick.
    begun = revisions.get(target)
    is_back = begun is not None and begun.outcome is RevisionOutcome.RETIRED
    is_first = revisions.serving is None
    has_steps = canary_of(facts.spec) is not None and not is_first and not is_back
    rollout = RolloutStatus(
        revision=target, step=0 if has_steps else None, since=format_time(facts.now)
    )
    revisions = revisions.mark(target, RevisionOutcome.ROLLING_OUT, facts.now)
    return replace(revisions, rollout=rollout, pinned=facts.spec.revision)


def _on_its_way(revisions: Revisions, rollout: RolloutStatus, facts: ServerFacts) -> Revisions:
    ready = facts.ready(rollout.revision)
    if ready > rollout.ready:
        since = format_time(facts.now)
        rollout = rollout.model_copy(update={"ready": ready, "since": since})
    canary = canary_of(facts.spec)
    step = current_step(rollout, canary)
    if step is not None and canary is not None:
        rollout = follow_step(rollout, step, canary, _of_canary(rollout, facts))
    revisions = replace(revisions, rollout=rollout)
    fault = fault_of(rollout, facts)
    if fault is not None and revisions.serving is not None:
        aborted = RevisionOutcome.ABORTED
        revisions = revisions.mark(rollout.revision, aborted, facts.now, fault.message)
        return replace(revisions, rollout=None)
    if step is None and ready >= facts.spec.replicas:
        return _promoted(revisions, rollout.revision, facts)
    return revisions


def _of_canary(rollout: RolloutStatus, facts: ServerFacts) -> CanaryFacts:
    pods = facts.pods_of(rollout.revision)
    return CanaryFacts(facts.now, pods, facts.loads, facts.probed)


def _promoted(revisions: Revisions, number: int, facts: ServerFacts) -> Revisions:
    retired = revisions.mark(revisions.serving, RevisionOutcome.RETIRED, facts.now)
    serving = retired.mark(number, RevisionOutcome.SERVING, facts.now)
    return replace(serving, serving=number, rollout=None)


def fault_of(rollout: RolloutStatus, facts: ServerFacts) -> Blockage | None:
    """Why a revision on its way must not serve; None if nothing speaks against it."""
    pods = facts.pods_of(rollout.revision)
    limits = facts.spec.rollout
    for pod in pods:
        if pod.refusal:
            words = f"pod {pod.name} refuses the model: {pod.refusal}"
            return Blockage(Reason.MODEL_REFUSED, words)
    for pod in pods:
        if pod.restarts > limits.max_restarts:
            how = words_of(pod.ended[-1]) if pod.ended else "it does not say why"
            words = (
                f"the server of pod {pod.name} was started again {pod.restarts} times, allowed are "
                f"{limits.max_restarts} (rollout.maxRestarts): {how}"
            )
            return Blockage(Reason.CRASHING, words)
    failed = failed_check(rollout.checks)
    if failed is not None:
        words = f"check {failed.name} has failed: {failed.message}"
        return Blockage(Reason.ROLLOUT_ABORTED, words)
    return _late(rollout, facts)


def _late(rollout: RolloutStatus, facts: ServerFacts) -> Blockage | None:
    left = seconds_to_deadline(rollout, facts)
    if left is None or left > 0:
        return None
    limit = f"{facts.spec.rollout.progress_deadline} (rollout.progressDeadline)"
    if rollout.step_since is not None:
        words = f"for {limit} checks were inconclusive: {inconclusive_checks(rollout.checks)}"
        return Blockage(Reason.INCONCLUSIVE, words)
    words = (
        f"{facts.ready(rollout.revision)} of {_aim(rollout, facts)} pods are ready, and for "
        f"{limit} no more became so{facts.why(rollout.revision)}"
    )
    return Blockage(Reason.NO_PROGRESS, words)


def _aim(rollout: RolloutStatus, facts: ServerFacts) -> int:
    """Pods that a revision on its way shall have before it comes further."""
    step = current_step(rollout, canary_of(facts.spec))
    return facts.spec.replicas if step is None else step.replicas


def seconds_to_deadline(rollout: RolloutStatus | None, facts: ServerFacts) -> float | None:
    """How long a revision on its way has left to come further; None if none is."""
    if rollout is None:
        return None
    limit = timedelta(seconds=duration_seconds(facts.spec.rollout.progress_deadline))
    step = current_step(rollout, canary_of(facts.spec))
    if rollout.step_since is not None and step is not None:
        limit += timedelta(seconds=duration_seconds(step.pause))  # which is no time lost
    return (parse_time(rollout.since) + limit - facts.now).total_seconds()


def seconds_to_look(rollout: RolloutStatus | None, facts: ServerFacts) -> float | None:
    """How soon to look again although nothing happens; None if there is no need to."""
    if rollout is None:
        return None
    left = [seconds_to_deadline(rollout, facts)]
    step = current_step(rollout, canary_of(facts.spec))
    if step is not None and rollout.step_since is not None:
        left.append(seconds_of_pause(rollout, step, facts.now))
    # Where nothing else serves, a revision that has passed its deadline goes on trying.
    return min((seconds for seconds in left if seconds is not None and seconds > 0), default=None)


def replicas_of(revisions: Revisions, facts: ServerFacts) -> dict[int, int]:
    """How many pods each live revision shall have; a revision that is not named has none."""
    serving, rollout, wanted = revisions.serving, revisions.rollout, facts.spec.replicas
    if rollout is None:
        return {} if serving is None else {serving: wanted}
    if serving is None:
        return {rollout.revision: wanted}
    step = current_step(rollout, canary_of(facts.spec))
    if step is not None:
        return {serving: wanted, rollout.revision: step.replicas}
    ready = facts.ready(rollout.revision)
    # What a pod has cost is not given back because it is not ready for a moment.
    deployment = facts.deployments.get(rollout.revision)
    told = 0 if deployment is None else min(deployment.replicas, wanted)
    return {
        serving: max(0, wanted - ready),
        rollout.revision: max(told, min(wanted, ready + 1)),
    }
