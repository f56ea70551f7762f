"""What every part of a reconcile of a ModelServer is given: the server as it was read, and the means."""

from __future__ import annotations

from dataclasses import dataclass

from winnow_operator.api.modelserver import ModelServer
from winnow_operator.manifests.serverpods import Server
from winnow_operator.reconcile.jobcontext import Context


@dataclass(frozen=True, slots=True)
class ServerContext(Context):
    """One server in one reconcile."""

    server: ModelServer

    @property
    def generation(self) -> int:
        """Generation of the spec."""
        return int(self.body["metadata"].get("generation", 0))

    def manifests(self) -> Server:
        """The server as its children see it."""
        settings = self.tools.settings
        return Server(
            self.owner, self.server.spec, settings.server_image, settings.scrape_annotations
        )
