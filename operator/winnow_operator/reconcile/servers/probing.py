"""Has the probe of a canary's step made, and reads what it says: two reads while one is needed, else none."""

from __future__ import annotations

from winnow_operator.api.conditions import Reason
from winnow_operator.api.names import LABEL_PROBE
from winnow_operator.domain.blockages import blockage_from_words
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.agreement import Probed, read_probed
from winnow_operator.domain.servers.probes import Probe
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.errors import AlreadyExistsError, ForbiddenError, RefusedError
from winnow_operator.kube.resources import JOBS, PODS
from winnow_operator.manifests.probes import probe_job, probe_name
from winnow_operator.reconcile.explaining import latest_event
from winnow_operator.reconcile.queries import of_cluster_job
from winnow_operator.reconcile.servers.context import ServerContext
from winnow_operator.reconcile.servers.refusals import Refusals


async def read_probe(context: ServerContext, probe: Probe) -> Probed:
    """What the pods of a probe say by now; those of a deleted namesake never count."""
    owner, name = context.owner, probe_name(context.owner.name, probe)
    bodies = await context.gateway.list(PODS, owner.namespace, labels=of_cluster_job(name))
    mark = owner.kind.uid_annotation
    own = [b for b in bodies if (b["metadata"].get("annotations") or {}).get(mark) == owner.uid]
    if own:
        return read_probed(own)
    # A quota, or an admission rule, keeps its pod from being made at all: only an Event tells that.
    return Probed(words=(await latest_event(context, "Job", name)).warning)


async def keep_probe(
    context: ServerContext, revisions: Revisions, probe: Probe, refusals: Refusals
) -> Blockage | None:
    """Have a probe made, unless it is there; gives what refused it."""
    owner, revision = context.owner, revisions.get(probe.canary.revision)
    if revision is None:
        return None
    document = probe_job(context.manifests(), revision, probe)
    labels = f"{LABEL_PROBE}={owner.name}"
    there = await context.gateway.list(JOBS, owner.namespace, labels=labels)
    if document["metadata"]["name"] in {body["metadata"]["name"] for body in there}:
        return None
    refusal = refusals.holds(context.key, document)
    if refusal is not None:
        return refusal
    try:
        await context.gateway.create(JOBS, owner.namespace, document)
    except AlreadyExistsError:
        return None
    except RefusedError as error:
        words = str(error).replace("spec.template.", "spec.podTemplate.")
        refusal = Blockage(Reason.INVALID_SPEC, f"the probe of the canary is refused: {words}")
    except ForbiddenError as error:
        refusal = blockage_from_words(str(error))
    else:
        return None
    return refusals.note(context.key, document, refusal)
