"""What every part of a reconcile of a ModelServer is given: the server as it was read, and the means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from winnow_operator.api.modelserver import ModelServer
from winnow_operator.kube.gateway import Gateway
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.servers import Server
from winnow_operator.reconcile.jobcontext import Tools
from winnow_operator.reconcile.queue import Key


@dataclass(frozen=True, slots=True)
class ServerContext:
    """One server in one reconcile."""

    tools: Tools
    body: dict[str, Any]
    """The server as the API server holds it."""
    server: ModelServer
    owner: Owner

    @property
    def gateway(self) -> Gateway:
        """The way to the API server."""
        return self.tools.gateway

    @property
    def key(self) -> Key:
        """Namespace, name and kind."""
        return Key(self.owner.namespace, self.owner.name, self.owner.kind)

    @property
    def generation(self) -> int:
        """Generation of the spec."""
        return int(self.body["metadata"].get("generation", 0))

    def manifests(self) -> Server:
        """The server as its children see it."""
        return Server(self.owner, self.server.spec, self.tools.settings.server_image)
