"""Early stopping across pods: listens to running trials, and records whom that stops.

What stops is recorded on its Trial, what goes on in the status of the job, and until then neither counts
as decided. Pods of trials with an outcome are ended by every look, as always (`starting`): so a crash
after any write leaves nothing decided that is not recorded, nor recorded and never carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from winnow_operator.api.searchjob import Goal
from winnow_operator.domain.ledger import scores_of_rungs
from winnow_operator.domain.pods import PodFact
from winnow_operator.domain.searches.early_stopping import decide, is_decided_here, rule_of
from winnow_operator.domain.searches.metrics_condition import GRACE_SECONDS, Listening
from winnow_operator.domain.searches.trial_metrics import ATTEMPT_LENGTH, Heard, TrialQuestion
from winnow_operator.domain.settlements import Run, Settlement, stopped
from winnow_operator.reconcile.jobcontext import Step
from winnow_operator.reconcile.searches.searching import SearchContext
from winnow_operator.reconcile.searches.searchstate import SearchState
from winnow_operator.reconcile.searches.trialfeed import TrialFeed


@dataclass(frozen=True, slots=True)
class Climb:
    """A trial that runs, and the rungs that it has reached."""

    run: Run
    values: Mapping[int, float]
    """The objective at each of them, as measured."""


def listen(context: SearchContext, step: Step, feed: TrialFeed) -> float | None:
    """Note what is known of the trials that run; gives when to look again for want of it."""
    state, now = context.state, context.tools.clock.monotonic()
    if context.job.spec.suspend or not any(map(_trains, step.pods)):
        feed.forget(context.key)
        state.unheard_since = None
        state.listening = Listening(feed.is_configured)
        return None
    heard = feed.heard(context.key, _question(context))
    seconds = unheard_seconds(state, heard, now)
    state.listening = Listening(feed.is_configured, heard, seconds)
    is_waiting = heard is not None and state.unheard_since is not None and seconds < GRACE_SECONDS
    return GRACE_SECONDS - seconds if is_waiting else None


def unheard_seconds(state: SearchState, heard: Heard | None, now: float) -> float:
    """How long pods have been running while Prometheus might have had series of them, and had none.

    Looks come with news, so an end of its series or of an outage is where the time begins.

    Args:
        state: of the search, which keeps since when.
        heard: what is known now.
        now: in monotonic seconds.
    """
    if heard is not None and (heard.is_scraped or heard.problem):
        state.unheard_since = None
        return 0.0
    if state.unheard_since is None:
        state.unheard_since = now
    return now - state.unheard_since


def _trains(pod: PodFact) -> bool:
    return pod.phase == "Running" and pod.goes_on


def _question(context: SearchContext) -> TrialQuestion:
    spec = context.job.spec
    first = spec.objectives[0]
    return TrialQuestion(
        namespace=context.key.namespace,
        job_uid=context.owner.uid,
        metric=first.metric,
        is_higher_better=first.goal is Goal.MAXIMIZE,
        wants_rungs=is_decided_here(spec),
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be decided at one look, before any of it is recorded."""

    passed: Mapping[int, int] = field(default_factory=dict)
    """The rung at which a trial is let go on, by number."""
    stops: tuple[Settlement, ...] = ()


def propose(context: SearchContext, step: Step) -> Proposal:
    """Decide what is known of trials that run."""
    spec, state, heard = context.job.spec, context.state, context.state.listening.heard
    rule, ended = rule_of(spec), state.ledger.at_rungs
    if rule is None or ended is None or heard is None or not heard.rungs:
        return Proposal()
    climbs = _climbs(context, step, heard, frozenset(rule.rungs()))
    if not any(max(climb.values) > state.passed.get(n, 0) for n, climb in climbs.items()):
        return Proposal()  # most looks
    first = spec.objectives[0]
    running = {n: scores_of_rungs(climb.values, first) for n, climb in climbs.items()}
    decisions = decide(rule, ended, running, state.passed)
    stops = (
        stopped(number, verdict, climbs[number].values, climbs[number].run, first)
        for number, verdict in decisions.stopped.items()
    )
    return Proposal(decisions.passed, tuple(stops))


def _climbs(
    context: SearchContext, step: Step, heard: Heard, rungs: frozenset[int]
) -> dict[int, Climb]:
    """Of trials that run: by the very pods that run now, not by those of an attempt before."""
    batches, found = {batch.uid: batch for batch in step.batches}, dict[int, Climb]()
    for pod in filter(_trains, step.pods):
        batch = batches.get(pod.batch_uid)
        for number in () if batch is None else batch.trials_of(pod.index):
            attempt = (context.owner.trial_name(number), pod.uid[:ATTEMPT_LENGTH])
            if (
                batch is not None
                and number in context.state.ledger.searching
                and attempt in heard.rungs
            ):
                runs = batch.runs_of(number, pod.attempt)
                values = {r: v for r, v in heard.rungs[attempt].items() if r in rungs}
                if values:
                    found[number] = Climb(Run(pod.batch, runs), values)
    return found
