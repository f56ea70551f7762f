"""Keeps what a ModelServer is made of as it shall be: made, changed, made again, removed.

A child is applied where it is missing, where what is wanted of it is new, and where somebody has
changed it. For the last two this process remembers what it has applied and what that gave; so a
settled server costs reads alone, and after a start each child is applied once, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from winnow_operator.api.conditions import Reason
from winnow_operator.domain.blockages import blockage_from_words
from winnow_operator.domain.pods import Blockage
from winnow_operator.errors import ForbiddenError, NotFoundError, RefusedError
from winnow_operator.kube.resources import PASSING_CHILDREN, SERVER_CHILDREN
from winnow_operator.reconcile.jobcontext import is_owned
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers import notes as servernotes
from winnow_operator.reconcile.servers.context import ServerContext
from winnow_operator.reconcile.servers.digests import digest
from winnow_operator.reconcile.servers.refusals import Refusals

Document = dict[str, Any]
Name = tuple[str, str]
"""Kind and name of a child."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was applied, and what it gave."""

    wanted: str
    found: str


@dataclass(slots=True)
class Children:
    """The children of all servers, as this process has applied them."""

    refusals: Refusals
    _applied: dict[Key, dict[Name, Applied]] = field(default_factory=dict)

    def forget(self, key: Key) -> None:
        """A server is gone, or what is remembered of it may be wrong."""
        self._applied.pop(key, None)

    async def keep(self, context: ServerContext, documents: Iterable[Document]) -> Blockage | None:
        """Bring the children in these documents about, in order; gives what refused one."""
        for document in documents:
            refusal = await self._keep(context, document)
            if refusal is not None:
                return refusal
        return None

    async def _keep(self, context: ServerContext, document: Document) -> Blockage | None:
        name = _name(document)
        live = await read_child(context, *name)
        if live is not None and (taken := _taken(context, live)):
            return taken
        wanted = digest(document)
        known = self._applied.setdefault(context.key, {})
        applied = known.get(name)
        if live is None and applied is not None:
            await context.tools.recorder.record(context.body, servernotes.made_again(*name))
        is_settled = live is not None and applied == Applied(wanted, _essence(live))
        if is_settled:
            return None
        refusal = self.refusals.holds(context.key, document)
        if refusal is not None:
            return refusal
        try:
            made = await _apply(context, document)
        except RefusedError as error:
            words = str(error).replace("spec.template.", "spec.podTemplate.")
            refusal = Blockage(Reason.INVALID_SPEC, f"{name[0]} {name[1]} is refused: {words}")
        except ForbiddenError as error:
            refusal = blockage_from_words(str(error))
        else:
            known[name] = Applied(wanted, _essence(made))
            return None
        return self.refusals.note(context.key, document, refusal)

    async def remove(self, context: ServerContext, kind: str, name: str) -> None:
        """Delete a child, if it is there and the server's own."""
        live = await read_child(context, kind, name)
        self._applied.get(context.key, {}).pop((kind, name), None)
        if live is None or not is_owned(live, context.owner.uid) or _is_deleting(live):
            return
        namespace, uid = context.owner.namespace, live["metadata"]["uid"]
        await context.gateway.delete(PASSING_CHILDREN[kind], namespace, name, uid=uid)


async def read_child(context: ServerContext, kind: str, name: str) -> Document | None:
    """A child as the API server holds it, whoever owns it."""
    try:
        return await context.gateway.get(SERVER_CHILDREN[kind], context.owner.namespace, name)
    except NotFoundError:
        return None


async def _apply(context: ServerContext, document: Document) -> Document:
    kind = document["kind"]
    return await context.gateway.apply(SERVER_CHILDREN[kind], context.owner.namespace, document)


def _taken(context: ServerContext, live: Mapping[str, Any]) -> Blockage | None:
    """Why a name cannot be used, if it cannot: nothing of somebody else's is ever touched."""
    kind, name = live["kind"], live["metadata"]["name"]
    if is_owned(live, context.owner.uid):
        if not _is_deleting(live):
            return None
        words = f"{kind} {name} is being deleted; it is made again then"
        return Blockage(Reason.WAITING_FOR_DELETION, words)
    owners = live["metadata"].get("ownerReferences") or ()
    if any(
        o.get("kind") == context.owner.kind and o.get("name") == context.owner.name for o in owners
    ):
        words = f"{kind} {name} of a deleted {context.owner.kind} of the same name is still being removed"
        return Blockage(Reason.WAITING_FOR_DELETION, words)
    words = (
        f"there is a {kind} {name} that is not this {context.owner.kind}'s: rename the "
        f"{context.owner.kind}, or delete that {kind}"
    )
    return Blockage(Reason.NAME_TAKEN, words)


def _is_deleting(live: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in live["metadata"]


def _name(document: Mapping[str, Any]) -> Name:
    return document["kind"], document["metadata"]["name"]


def _essence(live: Mapping[str, Any]) -> str:
    """All of a child that somebody may have changed."""
    metadata = live["metadata"]
    return digest(
        [metadata["uid"], metadata.get("labels"), metadata.get("ownerReferences"), live.get("spec")]
    )
