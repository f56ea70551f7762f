"""Certificates, tokens and kubeconfigs of one cluster, made anew with each `up`."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devcluster.profiles import Profile

NODE_NAME = "winnow"
_CURVE = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")  # RSA takes seconds to make
_NEW_KEY = ("-newkey", "ec", *_CURVE[2:])
USERS = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "kubelet": (f"system:node:{NODE_NAME}", "system:nodes"),
    # What devcluster itself does in the cluster (DNS, volumes) never counts as the admin's.
    "devcluster": ("devcluster", "system:masters"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files of the cluster's credentials."""

    folder: Path

    def file(self, name: str) -> str:
        """Path of a credential file."""
        return str(self.folder / name)

    def kubeconfig(self, user: str) -> str:
        """Path of a component's kubeconfig."""
        return self.file(f"{user}.kubeconfig")

    def kubeconfig_text(self, user: str) -> str:
        """Text of a component's kubeconfig."""
        return Path(self.kubeconfig(user)).read_text()


def open_credentials(profile: Profile) -> Credentials:
    """Credentials of a cluster, made or not."""
    return Credentials(profile.state / "pki")


def make_credentials(profile: Profile) -> Credentials:
    """Make all credentials of a cluster."""
    credentials = open_credentials(profile)
    folder = credentials.folder
    folder.mkdir(parents=True, mode=0o700)
    _authority(credentials)
    names = [
        "DNS:localhost",
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        "DNS:kubernetes.default.svc.cluster.local",
        "IP:127.0.0.1",
        f"IP:{profile.node_address}",
        f"IP:{profile.first_service}",
        f"IP:{profile.bridge_address}",
    ]
    _certificate(credentials, "apiserver", "/CN=kube-apiserver", names)
    # In system:masters, because logs and exec go through the kubelet's own authorization.
    _certificate(credentials, "kubelet-client", "/O=system:masters/CN=kubelet-client", [])
    _service_account_key(credentials)
    tokens = {user: secrets.token_hex(24) for user in USERS}
    lines = (f'{tokens[u]},{name},{u},"{group}"' for u, (name, group) in USERS.items())
    (folder / "tokens.csv").write_text("\n".join(lines) + "\n")
    for user, token in tokens.items():
        text = _kubeconfig(profile, credentials, user, token)
        (folder / f"{user}.kubeconfig").write_text(text)
    profile.kubeconfig.write_text(Path(credentials.kubeconfig("admin")).read_text())
    profile.kubeconfig.chmod(0o600)
    return credentials


def _authority(credentials: Credentials) -> None:
    _openssl(
        *("req", "-x509", *_NEW_KEY, "-nodes", "-days", "3650"),
        *("-subj", "/CN=winnow-devcluster", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", credentials.file("ca.key"), "-out", credentials.file("ca.crt")),
    )


def _certificate(credentials: Credentials, name: str, subject: str, names: list[str]) -> None:
    key, request = credentials.file(f"{name}.key"), credentials.file(f"{name}.csr")
    certificate, extensions = credentials.file(f"{name}.crt"), credentials.file(f"{name}.ext")
    _openssl("req", *_NEW_KEY, "-nodes", "-subj", subject, "-keyout", key, "-out", request)
    alternative = f"subjectAltName={','.join(names)}\n" if names else ""
    Path(extensions).write_text(f"extendedKeyUsage=serverAuth,clientAuth\n{alternative}")
    _openssl(
        *("x509", "-req", "-in", request, "-days", "3650", "-CAcreateserial"),
        *("-CA", credentials.file("ca.crt"), "-CAkey", credentials.file("ca.key")),
        *("-extfile", extensions, "-out", certificate),
    )


def _service_account_key(credentials: Credentials) -> None:
    private, public = (credentials.file(f"service-account.{end}") for end in ("key", "pub"))
    _openssl("genpkey", *_CURVE, "-out", private)
    _openssl("pkey", "-in", private, "-pubout", "-out", public)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _kubeconfig(profile: Profile, credentials: Credentials, user: str, token: str) -> str:
    """A kubeconfig as JSON, which every client reads as YAML."""
    name = f"winnow-{profile.name}"
    authority = (credentials.folder / "ca.crt").read_bytes()
    cluster = {
        "server": f"https://{profile.node_address}:6443",
        "certificate-authority-data": base64.b64encode(authority).decode(),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"
