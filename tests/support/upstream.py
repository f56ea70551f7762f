"""The API server behind a test proxy, as its kubeconfig describes it."""

from __future__ import annotations

import base64
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml


@dataclass(frozen=True, slots=True)
class Upstream:
    """Cluster and user of a kubeconfig's current context."""

    cluster: dict[str, Any]
    user: dict[str, Any]

    @classmethod
    def read(cls, kubeconfig: Path) -> Self:
        """Read a kubeconfig; files that it names are relative to it."""
        document = yaml.safe_load(kubeconfig.read_text())
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        return cls(_inlined(cluster, kubeconfig), _inlined(user, kubeconfig))

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self.cluster["server"]).rstrip("/")

    def tls(self) -> ssl.SSLContext | bool:
        """How to trust the API server, and the client certificate to show."""
        if not self.server.startswith("https"):
            return True
        context = ssl.create_default_context(
            cadata=self._pem(self.cluster, "certificate-authority")
        )
        certificate = self._pem(self.user, "client-certificate")
        if certificate is not None:
            # ssl reads client certificates from files alone.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(certificate + "\n" + (self._pem(self.user, "client-key") or ""))
                file.flush()
                context.load_cert_chain(file.name)
        return context

    @staticmethod
    def _pem(section: dict[str, Any], name: str) -> str | None:
        data = section.get(f"{name}-data")
        return None if data is None else base64.b64decode(data).decode()

    def kubeconfig(self, server: str, *, token: str | None = None) -> dict[str, Any]:
        """A kubeconfig with another server, and the user's token or the one given."""
        given = token or self.user.get("token")
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": server}}],
            "users": [{"name": "user", "user": {"token": given} if given else {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "user"}}],
            "current-context": "proxy",
        }


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _inlined(section: dict[str, Any], kubeconfig: Path) -> dict[str, Any]:
    """The section with the files that it names read in."""
    read = dict(section)
    for name in ("certificate-authority", "client-certificate", "client-key"):
        if name in read:
            content = (kubeconfig.parent / read[name]).read_bytes()
            read[f"{name}-data"] = base64.b64encode(content).decode()
    if "tokenFile" in read and "token" not in read:
        read["token"] = (kubeconfig.parent / read["tokenFile"]).read_text().strip()
    return read
