"""Reconciles one ModelServer: observe, decide, remember, act.

what shall be served? --> advance the revisions --> anything new? --yes--> write it down, look again
                                                        |
                                                        no --> children, then the status
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.modelserver import ModelServer
from winnow_operator.domain.checks.servers import check_server
from winnow_operator.domain.figures import identity_of, server_figures
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.loads import NOT_YET, Loads, Question
from winnow_operator.domain.servers.probes import probe_of
from winnow_operator.domain.servers.revisions import (
    ENDED,
    Revisions,
    changed_outcomes,
    revisions_of,
)
from winnow_operator.domain.servers.rollouts import (
    ServerFacts,
    advance,
    replicas_of,
    seconds_to_look,
    unknown_pin,
)
from winnow_operator.domain.servers.served_models import Model, chosen_model, given_model, source_of
from winnow_operator.domain.servers.status import ServerSituation, make_server_status
from winnow_operator.errors import NotFoundError, RefusedError
from winnow_operator.kube.resources import JOB_KINDS, MODELSERVERS
from winnow_operator.manifests.servers import (
    autoscaler,
    deployment,
    deployment_name,
    disruption_budget,
    network_policy,
    service,
)
from winnow_operator.metrics.own import ROLLOUTS
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.jobcontext import Tools, owner_of
from winnow_operator.reconcile.lifecycle import first_sentence, soonest, status_document
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers import notes as servernotes
from winnow_operator.reconcile.servers.analysis import PERIOD_SECONDS, Analysis
from winnow_operator.reconcile.servers.children import Children
from winnow_operator.reconcile.servers.context import ServerContext
from winnow_operator.reconcile.servers.observing import is_silent, read_deployments, read_pods
from winnow_operator.reconcile.servers.probing import keep_probe, read_probe
from winnow_operator.reconcile.servers.refusals import Refusals

LOOK_AGAIN_SECONDS = 60.0
"""How soon to look again at a server that waits for something, besides the events of that."""
SOON_SECONDS = 5.0
"""The same where something is in the way that no event tells of."""

Body = dict[str, Any]


class ModelServerReconciler:
    """Brings ModelServers to where their specs, and the choices of jobs, want them."""

    def __init__(self, tools: Tools, analysis: Analysis) -> None:
        self.tools = tools
        self.analysis = analysis
        self._refusals = Refusals(tools.clock)
        self._children = Children(self._refusals)

    async def reconcile(self, key: Key) -> float | None:
        """One look at a server; gives the seconds after which to look again, if any.

        Raises:
            KubernetesError: if the API server refused or was away; the queue tries again. That it
                refuses for good is said by an Event, as of a job.
        """
        try:
            body = await self.tools.gateway.get(MODELSERVERS, key.namespace, key.name)
        except NotFoundError:
            self._forget(key)
            self.tools.shown.forget(key.kind, key.namespace, key.name)
            return None
        if "deletionTimestamp" in body["metadata"]:  # its children go with it
            self._forget(key)
            return None
        try:
            return await self._look(body)
        except RefusedError as error:
            await self.tools.recorder.record(body, notes.write_refused(str(error)))
            raise

    async def _look(self, body: Body) -> float | None:
        context, obstacle = self._context(body)
        identity = identity_of(Kind.SERVER, body["metadata"])
        self.tools.shown.note(server_figures(identity, context.server.status))
        facts = await self._observe(context, obstacle)
        if obstacle is not None:
            await self._write(context, facts, obstacle=obstacle)
            return None  # until the spec is edited, or the job that it names
        known = revisions_of(context.server.status)
        revisions = advance(known, facts)
        if revisions != known:
            await self._write(context, facts, revisions=revisions)
            return 0.0
        refusal = await self._act(context, facts, revisions)
        await self._write(context, facts, obstacle=refusal or unknown_pin(revisions, facts))
        waits = LOOK_AGAIN_SECONDS if isinstance(facts.wanted, Blockage) else None
        retry = self._seconds_to_retry(context.key, refusal)
        soon = SOON_SECONDS if any(map(is_silent, facts.pods)) else None
        asks = None if facts.loads is None else PERIOD_SECONDS
        return soonest(waits, retry, soon, asks, seconds_to_look(revisions.rollout, facts))

    def _seconds_to_retry(self, key: Key, refusal: Blockage | None) -> float | None:
        """After which to look again at what is in the way of a child, if anything is."""
        if refusal is None:
            self._refusals.forget(key)
            return None
        seconds = self._refusals.seconds(key, refusal)
        return SOON_SECONDS if seconds is None else seconds  # somebody else's of the same name

    def forget_state(self, key: Key) -> None:
        """Drop what is remembered of the children, which are applied again."""
        self._children.forget(key)

    def meet(self, key: Key, body: Mapping[str, Any]) -> bool:  # noqa: ARG002 -- the same for all
        """A server lasts: it is always looked at."""
        return True

    def mark_stale(self, key: Key, number: int) -> bool:  # noqa: ARG002 -- a server has no Trials
        """A server has no Trials."""
        return False

    def is_urgent(self, key: Key) -> bool:  # noqa: ARG002 -- the same for all servers
        """A server's pods are looked at by events of their own."""
        return False

    def _forget(self, key: Key) -> None:
        self.tools.waiting.forget(key)
        self._children.forget(key)
        self._refusals.forget(key)
        self.analysis.forget(key)

    def _context(self, body: Body) -> tuple[ServerContext, Blockage | None]:
        """The server, and why it cannot be served as it stands, if it cannot."""
        owner = owner_of(body, Kind.SERVER)
        try:
            server = ModelServer.model_validate(body)
        except ValidationError as error:
            sentence = first_sentence(error)
            return (
                ServerContext(self.tools, body, owner, _placeholder(body)),
                Blockage(Reason.INVALID_SPEC, sentence),
            )
        complaints = check_server(server.spec)
        obstacle = Blockage(Reason.INVALID_SPEC, "; ".join(complaints)) if complaints else None
        return ServerContext(self.tools, body, owner, server), obstacle

    async def _observe(self, context: ServerContext, obstacle: Blockage | None) -> ServerFacts:
        wanted = obstacle or await self._wanted(context)
        facts = ServerFacts(
            spec=context.server.spec,
            wanted=wanted,
            now=self.tools.clock.now(),
            pods=await read_pods(context),
            deployments=await read_deployments(context),
            loads=self._loads(context),
        )
        probe = probe_of(revisions_of(context.server.status), facts)
        return facts if probe is None else replace(facts, probed=await read_probe(context, probe))

    def _loads(self, context: ServerContext) -> Loads | None:
        """What is known of the requests that a canary gets; None where there is none, or none to ask."""
        status, key = context.server.status, context.key
        rollout = status.rollout
        if rollout is None or rollout.step is None or status.revision is None:
            self.analysis.forget(key)
            return None
        if not self.analysis.is_configured:
            return None
        if rollout.step_since is None:
            return NOT_YET
        question = Question(
            namespace=key.namespace,
            server=key.name,
            serving=status.revision,
            canary=rollout.revision,
            since=rollout.step_since,
            is_first=rollout.step == 0,
        )
        return self.analysis.loads(key, question)

    async def _wanted(self, context: ServerContext) -> Model | Blockage:
        """What shall be served, or why nothing new can be."""
        spec, key = context.server.spec, context.key
        source = source_of(spec.model)
        if source is None:
            self.tools.waiting.forget(key)
            return given_model(spec.model)
        kind, name = source
        # First: what happens after the read wakes it.
        self.tools.waiting.note(key, Key(key.namespace, name, kind))
        try:
            body = await self.tools.gateway.get(JOB_KINDS[kind], key.namespace, name)
        except NotFoundError:
            body = None
        return chosen_model(spec, kind, body)

    async def _act(
        self, context: ServerContext, facts: ServerFacts, revisions: Revisions
    ) -> Blockage | None:
        """Bring the children about; gives what is in the way."""
        wanted = replicas_of(revisions, facts)
        refusal = await self._children.keep(context, _documents(context, revisions, wanted))
        if refusal is not None:
            return refusal
        probe = probe_of(revisions, facts)
        if probe is not None:
            refusal = await keep_probe(context, revisions, probe, self._refusals)
        for number in sorted(facts.deployments.keys() - wanted.keys()):
            name = deployment_name(context.owner.name, number)
            await self._children.remove(context, "Deployment", name)
        spec, name = context.server.spec, context.owner.name
        if spec.autoscaling is None:
            await self._children.remove(context, "HorizontalPodAutoscaler", name)
        if spec.network_policy is None:
            await self._children.remove(context, "NetworkPolicy", name)
        return refusal

    async def _write(
        self,
        context: ServerContext,
        facts: ServerFacts,
        *,
        revisions: Revisions | None = None,
        obstacle: Blockage | None = None,
    ) -> None:
        """Write the status if it has changed; Events first, since a restart sees no transition."""
        previous = context.server.status
        known = revisions_of(previous)
        situation = ServerSituation(
            name=context.owner.name,
            namespace=context.owner.namespace,
            generation=context.generation,
            previous=previous,
            facts=facts,
            revisions=known if revisions is None else revisions,
            obstacle=obstacle,
            is_blind=not self.analysis.is_configured,
        )
        status = make_server_status(situation)
        if status == previous:
            return
        changed = changed_outcomes(known, situation.revisions)
        said = servernotes.transitions(changed)
        waits = obstacle or situation.waits_for
        if waits is not None and _is_news(previous.conditions, waits):
            said.append(servernotes.waits(waits))
        for note in said:
            await self.tools.recorder.record(context.body, note)
        document = status_document(context.body, status)
        await self.tools.gateway.apply_status(MODELSERVERS, context.owner.namespace, document)
        for revision in changed:
            if revision.outcome in ENDED:
                ROLLOUTS.labels(revision.outcome.value).inc()


def _documents(
    context: ServerContext, revisions: Revisions, wanted: dict[int, int]
) -> Iterator[Body]:
    """All children but those that go: what grows before what shrinks."""
    server = context.manifests()
    yield service(server)
    yield disruption_budget(server)
    yield from (d for d in (network_policy(server), autoscaler(server)) if d is not None)
    for number in sorted(wanted, reverse=True):
        revision = revisions.get(number)
        if revision is not None:
            yield deployment(server, revision, wanted[number])


def _is_news(conditions: Any, waits: Blockage) -> bool:
    known = {
        c.reason for c in conditions if c.type in {ConditionType.PROGRESSING, ConditionType.STALLED}
    }
    return str(waits.reason) not in known


def _placeholder(body: Body) -> ModelServer:
    """A server whose own spec cannot be read, so that its status can be written all the same."""
    server = ModelServer.model_validate(
        {"spec": {"model": {"uri": "pvc://unknown/unknown", "digest": f"sha256:{'0' * 64}"}}}
    )
    try:
        status = type(server.status).model_validate(body.get("status") or {})
    except ValidationError:
        return server
    return server.model_copy(update={"status": status})
