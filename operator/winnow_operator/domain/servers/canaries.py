"""The canary of a rollout: which step it is in, what its checks say, and what follows.

    step 0 --all its pods ready--> pause, checks --passed--> step 1 ... --passed--> takes over pod by pod
                                        |
                                        +--failed, or inconclusive until the deadline--> aborted

A check that knows too little is inconclusive: it has not passed, and the canary waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from winnow_operator.api.fields import decimal_text, duration_seconds
from winnow_operator.api.modelserver import Canary, CanaryStep, ModelServerSpec, Strategy
from winnow_operator.api.modelserver_status import (
    AgreementStatus,
    CheckStatus,
    CheckVerdict,
    RolloutStatus,
)
from winnow_operator.domain.blockages import format_time, parse_time
from winnow_operator.domain.servers.agreement import Probed, check_agreement, is_checked
from winnow_operator.domain.servers.loads import Loads
from winnow_operator.domain.servers.pods import ServerPod, words_of

MAX_MESSAGE = 256
MIN_ERRORS = 5
"""Fewer failed requests than this fail no canary before its minimum of requests is there."""


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """What is observed of a canary."""

    now: datetime
    pods: Sequence[ServerPod]
    loads: Loads | None = None
    """What Prometheus says; None where there is none to ask."""
    probed: Probed = field(default_factory=Probed)
    """What the probe of the step says."""

    @property
    def ready(self) -> int:
        """Pods of it that are ready."""
        return sum(pod.ready for pod in self.pods)


def canary_of(spec: ModelServerSpec) -> Canary | None:
    """Steps and checks, where the strategy has them."""
    if spec.rollout.strategy is not Strategy.CANARY:
        return None
    return spec.rollout.canary or Canary()


def current_step(rollout: RolloutStatus, canary: Canary | None) -> CanaryStep | None:
    """The step that a rollout is in; None while it takes over, or where there are no steps."""
    if canary is None or rollout.step is None or rollout.step >= len(canary.steps):
        return None
    return canary.steps[rollout.step]


def follow_step(
    rollout: RolloutStatus, step: CanaryStep, canary: Canary, facts: CanaryFacts
) -> RolloutStatus:
    """The rollout with what its step has come to, and in the next step if this one is through."""
    agreement = rollout.agreement or facts.probed.agreement
    checks = check_canary(canary, step, facts, agreement)
    weight = None if facts.loads is None else facts.loads.weight
    shown = None if weight is None else decimal_text(round(weight, 4))
    found = {"checks": checks, "weight": shown, "agreement": agreement}
    rollout = rollout.model_copy(update=found)
    moment = format_time(facts.now)
    if rollout.step_since is None:
        if facts.ready < step.replicas:
            return rollout
        return rollout.model_copy(update={"step_since": moment, "since": moment})
    is_over = seconds_of_pause(rollout, step, facts.now) <= 0
    if not is_over or any(c.verdict is not CheckVerdict.PASSED for c in checks):
        return rollout
    later = (rollout.step or 0) + 1
    following = later if later < len(canary.steps) else None
    begun = {"step": following, "step_since": None, "since": moment, "agreement": None}
    return rollout.model_copy(update=begun)


def seconds_of_pause(rollout: RolloutStatus, step: CanaryStep, now: datetime) -> float:
    """What is left of a step's pause; all of it before its pods are ready."""
    pause = float(duration_seconds(step.pause))
    if rollout.step_since is None:
        return pause
    return pause - (now - parse_time(rollout.step_since)).total_seconds()


def check_canary(
    canary: Canary, step: CanaryStep, facts: CanaryFacts, agreement: AgreementStatus | None
) -> tuple[CheckStatus, ...]:
    """What each check says now.

    Args:
        canary: with what must be kept.
        step: that it is in.
        facts: what is observed.
        agreement: with the revision that serves, once it is known in this step.
    """
    checks, loads = canary.checks, facts.loads
    found = [_readiness(step, facts), _restarts(canary, facts)]
    if loads is not None:
        found += [_error_rate(canary, loads), _latency(canary, loads)]
    if is_checked(checks):
        found.append(check_agreement(checks, agreement, facts.probed))
    return tuple(found)


def failed_check(checks: Sequence[CheckStatus]) -> CheckStatus | None:
    """The first check that has failed."""
    return next((c for c in checks if c.verdict is CheckVerdict.FAILED), None)


def inconclusive_checks(checks: Sequence[CheckStatus]) -> str:
    """What the checks lack that know too little, in words; empty if all know enough."""
    words = (c.message for c in checks if c.verdict is CheckVerdict.INCONCLUSIVE)
    return "; ".join(dict.fromkeys(words))  # two may lack the same


def _check(name: str, verdict: CheckVerdict, message: str) -> CheckStatus:
    return CheckStatus(name=name, verdict=verdict, message=message[:MAX_MESSAGE])


def _readiness(step: CanaryStep, facts: CanaryFacts) -> CheckStatus:
    """A pod is ready once it has reproduced its golden batch, and as long as it answers."""
    is_ready = facts.ready >= step.replicas
    verdict = CheckVerdict.PASSED if is_ready else CheckVerdict.INCONCLUSIVE
    return _check("Readiness", verdict, f"{facts.ready} of {step.replicas} pods are ready")


def _restarts(canary: Canary, facts: CanaryFacts) -> CheckStatus:
    worst = max(facts.pods, key=lambda pod: pod.restarts, default=None)
    if worst is None or worst.restarts <= canary.checks.max_restarts:
        count = sum(pod.restarts for pod in facts.pods)
        return _check("Restarts", CheckVerdict.PASSED, f"{count} restarts")
    how = words_of(worst.ended[-1]) if worst.ended else "it does not say why"
    words = (
        f"pod {worst.name} was started again {worst.restarts} times, allowed are "
        f"{canary.checks.max_restarts} (canary.checks.maxRestarts): {how}"
    )
    return _check("Restarts", CheckVerdict.FAILED, words)


def _too_few(name: str, canary: Canary, loads: Loads) -> CheckStatus | None:
    """Why nothing can be said of requests, if nothing can."""
    if loads.problem:
        return _check(name, CheckVerdict.INCONCLUSIVE, loads.problem)
    seen, least = loads.canary.requests, canary.checks.min_requests
    if seen >= least:
        return None
    words = f"{seen:.0f} of at least {least} requests were seen (canary.checks.minRequests)"
    return _check(name, CheckVerdict.INCONCLUSIVE, words)


def _error_rate(canary: Canary, loads: Loads) -> CheckStatus:
    load, allowed = loads.canary, canary.checks.max_error_rate
    words = (
        f"{load.errors:.0f} of {load.requests:.0f} requests failed ({load.error_rate:.1%}), allowed "
        f"is a share of {allowed} (canary.checks.maxErrorRate)"
    )
    # As many as no later success could make good are enough, however few requests there were.
    beyond = load.errors > max(MIN_ERRORS, float(allowed) * canary.checks.min_requests)
    if not loads.problem and beyond and load.error_rate > float(allowed):
        return _check("ErrorRate", CheckVerdict.FAILED, words)
    unknown = _too_few("ErrorRate", canary, loads)
    if unknown is not None:
        return unknown
    failed = load.error_rate > float(allowed)
    return _check("ErrorRate", CheckVerdict.FAILED if failed else CheckVerdict.PASSED, words)


def _latency(canary: Canary, loads: Loads) -> CheckStatus:
    unknown = _too_few("Latency", canary, loads)
    if unknown is not None:
        return unknown
    own, stable = loads.canary.p95_seconds, loads.serving.p95_seconds
    if own is None or not stable:
        words = "there were no requests to the revision that serves, to compare with"
        return _check("Latency", CheckVerdict.INCONCLUSIVE, words)
    ratio, allowed = own / stable, canary.checks.max_latency_ratio
    words = (
        f"its p95 is {own * 1000:.3g} ms, {ratio:.2g} times the {stable * 1000:.3g} ms of the one that "
        f"serves, allowed are {allowed} (canary.checks.maxLatencyRatio)"
    )
    failed = ratio > float(allowed)
    return _check("Latency", CheckVerdict.FAILED if failed else CheckVerdict.PASSED, words)
