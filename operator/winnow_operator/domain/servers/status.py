"""The status of a ModelServer as one pure function of what is observed and remembered.

    Ready        True while pods answer              Reconciling  True while there is work to do
    Progressing  True while a revision is on its way Stalled      True when only a person can help
    Degraded     True when fewer pods answer than are wanted, or a revision was aborted

All five are there from the first status on, and each says since when it is as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.modelserver_status import (
    ModelServerStatus,
    RevisionOutcome,
    RevisionStatus,
    RolloutStatus,
)
from winnow_operator.api.names import LABEL_MODELSERVER
from winnow_operator.domain.job_conditions import Verdict, condition
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.canaries import canary_of, current_step, inconclusive_checks
from winnow_operator.domain.servers.revisions import Revisions, said_of
from winnow_operator.domain.servers.rollouts import ServerFacts, asked_for, fault_of

SERVICE_PORT = 80


@dataclass(frozen=True, slots=True)
class ServerSituation:
    """What the status of a server is made from."""

    name: str
    namespace: str
    generation: int
    previous: ModelServerStatus
    facts: ServerFacts
    revisions: Revisions = field(default_factory=Revisions)
    obstacle: Blockage | None = None
    """What keeps the operator from doing anything: a spec that cannot work, a name that is taken."""
    is_blind: bool = False
    """Whether there is no Prometheus to judge a canary's requests by."""

    @property
    def ready(self) -> int:
        """Pods that answer."""
        return sum(self.facts.ready(number) for number in self.revisions.live)

    @property
    def wanted(self) -> int:
        """Pods that shall answer."""
        return self.facts.spec.replicas

    @property
    def waits_for(self) -> Blockage | None:
        """Why nothing new can be served."""
        return self.facts.wanted if isinstance(self.facts.wanted, Blockage) else None

    @property
    def fault(self) -> Blockage | None:
        """What is wrong with the first revision, which is not aborted because nothing else serves."""
        rollout = self.revisions.rollout
        return None if rollout is None else fault_of(rollout, self.facts)

    @property
    def aborted(self) -> RevisionStatus | None:
        """The revision that should serve, and was aborted."""
        asked = asked_for(self.revisions, self.facts)
        return asked if asked and asked.outcome is RevisionOutcome.ABORTED else None

    @property
    def waiting(self) -> RevisionStatus | None:
        """The newest choice, if it waits to be promoted."""
        latest = self.revisions.latest
        return latest if latest and latest.outcome is RevisionOutcome.WAITING else None


def make_server_status(situation: ServerSituation) -> ModelServerStatus:
    """The whole status that the situation calls for."""
    facts, revisions = situation.facts, situation.revisions
    verdicts = {
        ConditionType.READY: _ready(situation),
        ConditionType.PROGRESSING: _progressing(situation),
        ConditionType.DEGRADED: _degraded(situation),
        ConditionType.RECONCILING: _reconciling(situation),
        ConditionType.STALLED: _stalled(situation),
    }
    old = {c.type: c for c in situation.previous.conditions}
    serving = revisions.get(revisions.serving)
    return ModelServerStatus(
        observed_generation=situation.generation,
        conditions=tuple(
            condition(kind, verdict, old.get(kind), facts.now, situation.generation)
            for kind, verdict in verdicts.items()
        ),
        state=_state(verdicts),
        revision=revisions.serving,
        model=None if serving is None else serving.model,
        ready=f"{situation.ready}/{situation.wanted}",
        url=f"http://{situation.name}.{situation.namespace}.svc:{SERVICE_PORT}",
        chosen=revisions.chosen,
        pinned=revisions.pinned,
        rollout=revisions.rollout,
        history=revisions.history,
        replicas=sum(not pod.deleting for pod in facts.pods),
        selector=f"{LABEL_MODELSERVER}={situation.name}",
    )


def _ready(situation: ServerSituation) -> Verdict:
    facts, revisions = situation.facts, situation.revisions
    if situation.ready > 0:
        answering = [n for n in sorted(revisions.live) if facts.ready(n)]
        named = " and ".join(said_of(revisions.get(n)) for n in answering)
        verb = "answers" if len(answering) == 1 else "answer"
        return True, Reason.SERVING, f"{named} {verb}"
    if not revisions.live:
        blockage = situation.obstacle or situation.waits_for
        if blockage is not None:
            return False, blockage.reason, blockage.message
        return False, Reason.PENDING, "the first revision is being made"
    if situation.wanted == 0:
        return False, Reason.SCALED_TO_ZERO, "spec.replicas is 0: nothing answers"
    if situation.fault is not None:
        return False, situation.fault.reason, situation.fault.message
    return False, Reason.REPLICAS_NOT_READY, f"no pod is ready yet{_pods_say(situation)}"


def _progressing(situation: ServerSituation) -> Verdict:
    rollout = situation.revisions.rollout
    if rollout is not None:
        return True, *_on_its_way(situation, rollout)
    if situation.waits_for is not None:
        return False, situation.waits_for.reason, situation.waits_for.message
    if situation.waiting is not None:
        words = (
            f"{said_of(situation.waiting)} waits to be promoted: set spec.revision to "
            f"{situation.waiting.number}"
        )
        return False, Reason.WAITING_FOR_PROMOTION, words
    return False, Reason.AS_EXPECTED, ""


def _on_its_way(situation: ServerSituation, rollout: RolloutStatus) -> tuple[Reason, str]:
    facts = situation.facts
    named, ready = situation.revisions.get(rollout.revision), facts.ready(rollout.revision)
    pods = facts.why(rollout.revision)
    canary = canary_of(facts.spec)
    step = current_step(rollout, canary)
    if step is None or canary is None:
        words = f"{said_of(named)} is rolled out: {ready} of {situation.wanted} pods are ready"
        return Reason.ROLLING_OUT, f"{words}{pods}"
    number, count = (rollout.step or 0) + 1, len(canary.steps)
    where = (
        f"{said_of(named)} is a canary, step {number} of {count}: {ready} of {step.replicas} pods"
    )
    unknown = inconclusive_checks(rollout.checks)
    if unknown and rollout.step_since is not None:
        return Reason.INCONCLUSIVE, f"{where} are ready, checks are inconclusive: {unknown}"
    return Reason.CANARY, f"{where} are ready{pods}"


def _degraded(situation: ServerSituation) -> Verdict:
    if situation.aborted is not None:
        return True, Reason.ROLLOUT_ABORTED, _abort_words(situation, situation.aborted)
    lacks = situation.revisions.serving is not None and situation.ready < situation.wanted
    if lacks:
        words = f"{situation.ready} of {situation.wanted} pods are ready{_pods_say(situation)}"
        return True, Reason.REPLICAS_NOT_READY, words
    if situation.is_blind and canary_of(situation.facts.spec) is not None:
        words = (
            "the operator has no Prometheus: canaries are judged by readiness, golden batch, "
            "restarts and agreement alone, not by errors and latency of requests"
        )
        return True, Reason.NO_PROMETHEUS, words
    return False, Reason.AS_EXPECTED, ""


def _abort_words(situation: ServerSituation, aborted: RevisionStatus) -> str:
    serving = said_of(situation.revisions.get(situation.revisions.serving))
    return f"{said_of(aborted)} was aborted, {serving} goes on: {aborted.message}"


def _pods_say(situation: ServerSituation) -> str:
    words = map(situation.facts.why, sorted(situation.revisions.live))
    return next((said for said in words if said), "")


def _reconciling(situation: ServerSituation) -> Verdict:
    if situation.obstacle is not None:
        return False, situation.obstacle.reason, situation.obstacle.message
    is_going, reason, words = _progressing(situation)
    if is_going or (not situation.revisions.live and situation.waits_for is not None):
        return True, reason, words
    if situation.ready < situation.wanted:
        words = f"{situation.ready} of {situation.wanted} pods are ready"
        return True, Reason.REPLICAS_NOT_READY, words
    return False, Reason.AS_EXPECTED, ""


def _stalled(situation: ServerSituation) -> Verdict:
    if situation.obstacle is not None:
        return True, situation.obstacle.reason, situation.obstacle.message
    if situation.aborted is not None:
        return True, Reason.ROLLOUT_ABORTED, _abort_words(situation, situation.aborted)
    if situation.fault is not None:
        return True, situation.fault.reason, situation.fault.message
    return False, Reason.AS_EXPECTED, ""


def _state(verdicts: dict[ConditionType, Verdict]) -> str:
    """One word for people: what a person must see to first, else what goes on, else Ready."""
    for kind in (ConditionType.STALLED, ConditionType.PROGRESSING, ConditionType.DEGRADED):
        holds, reason, _ = verdicts[kind]
        if holds and reason is not Reason.NO_PROMETHEUS:  # which is no news of this server
            return str(reason)
    is_ready, reason, _ = verdicts[ConditionType.READY]
    return str(ConditionType.READY if is_ready else reason)
