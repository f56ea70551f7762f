"""Command line of every program of a cluster. Pure: it says what to run and runs nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from devcluster.credentials import NODE_NAME, Credentials
from devcluster.profiles import Profile

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""In the node's own /run."""
REGISTRY_PORT = 5000
PROMETHEUS_PORT = 9090
PROMETHEUS_CONFIG, PROMETHEUS_TARGETS = "prometheus.yml", "targets.json"
CONTROL_PLANE = ("etcd", "apiserver", "controller-manager")
FULL_NODE = (
    *CONTROL_PLANE,
    *("scheduler", "containerd", "kubelet", "proxy", "coredns", "provisioner", "registry"),
)
SOURCE = Path(__file__).resolve().parents[1]
"""Folder of this checkout."""
_AUDIT_MEGABYTES, _AUDIT_FILES = 200, 4
_ETCD = "http://127.0.0.1:2379"

Command = list[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the programs of a cluster find what they need."""

    profile: Profile
    binaries: Path
    credentials: Credentials

    def binary(self, name: str) -> str:
        """Path of a program."""
        return str(self.binaries / name)

    @property
    def config_folder(self) -> Path:
        """Folder of the configuration files."""
        return self.profile.state / "config"

    def config(self, name: str) -> str:
        """Path of a configuration file."""
        return str(self.config_folder / name)


def commands(layout: Layout) -> dict[str, Command]:
    """Command line by component."""
    return {
        "etcd": _etcd(layout),
        "apiserver": _apiserver(layout),
        "controller-manager": _controller_manager(layout),
        "scheduler": _scheduler(layout),
        "containerd": ["containerd", "--config", layout.config("containerd.toml")],
        "kubelet": _kubelet(layout),
        "proxy": [layout.binary("kube-proxy"), "--config", layout.config("proxy.json")],
        "coredns": [layout.binary("coredns"), "-conf", layout.config("Corefile")],
        "provisioner": _provisioner(layout),
        "registry": ["docker-registry", "serve", layout.config("registry.json")],
    }


def gpus(layout: Layout, count: int) -> Command:
    """Command that keeps so many fake GPUs on the node."""
    kubeconfig = layout.credentials.kubeconfig("devcluster")
    return [*_own("gpus"), kubeconfig, str(count)]


def _own(module: str) -> Command:
    """A program of devcluster's own, from this checkout: the node may be of an older one."""
    return ["env", f"PYTHONPATH={SOURCE}", sys.executable, "-m", f"devcluster.{module}"]


def prometheus(layout: Layout, version: str) -> dict[str, Command]:
    """Commands of the node's Prometheus, whose series go with the cluster, and of its targets.

    Args:
        layout: where they find what they need.
        version: of what they read when they start: with another one they are started anew.
    """
    versioned = ["env", f"WINNOW_VERSION={version}"]
    kubeconfig = layout.credentials.kubeconfig("devcluster")
    file = layout.config(PROMETHEUS_TARGETS)
    return {
        "targets": [*versioned, *_own("targets"), kubeconfig, file],
        "prometheus": [
            *versioned,
            "prometheus",
            f"--config.file={layout.config(PROMETHEUS_CONFIG)}",
            f"--storage.tsdb.path={layout.profile.state / 'prometheus'}",
            f"--web.listen-address=:{PROMETHEUS_PORT}",
            "--log.level=warn",
        ],
    }


def _etcd(layout: Layout) -> Command:
    return [
        layout.binary("etcd"),
        f"--data-dir={layout.profile.state / 'etcd'}",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",  # a power cut may cost this cluster its data; `reset` makes another
        "--log-level=warn",
    ]


def _apiserver(layout: Layout) -> Command:
    profile, file = layout.profile, layout.credentials.file
    return [
        layout.binary("kube-apiserver"),
        f"--etcd-servers={_ETCD}",
        f"--advertise-address={profile.node_address}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={profile.service_range}",
        f"--tls-cert-file={file('apiserver.crt')}",
        f"--tls-private-key-file={file('apiserver.key')}",
        f"--client-ca-file={file('ca.crt')}",
        f"--token-auth-file={file('tokens.csv')}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={file('service-account.pub')}",
        f"--service-account-signing-key-file={file('service-account.key')}",
        f"--kubelet-client-certificate={file('kubelet-client.crt')}",
        f"--kubelet-client-key={file('kubelet-client.key')}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--audit-policy-file={layout.config('audit-policy.json')}",
        f"--audit-log-path={profile.audit_log}",
        f"--audit-log-maxsize={_AUDIT_MEGABYTES}",
        f"--audit-log-maxbackup={_AUDIT_FILES}",
    ]


def _controller_manager(layout: Layout) -> Command:
    file = layout.credentials.file
    return [
        layout.binary("kube-controller-manager"),
        f"--kubeconfig={layout.credentials.kubeconfig('controller-manager')}",
        "--use-service-account-credentials",
        # Each controller gets its account through one client; at 20 a second that takes 6 s.
        "--kube-api-qps=100",
        "--kube-api-burst=200",
        f"--root-ca-file={file('ca.crt')}",
        f"--service-account-private-key-file={file('service-account.key')}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]


def _scheduler(layout: Layout) -> Command:
    return [
        layout.binary("kube-scheduler"),
        f"--kubeconfig={layout.credentials.kubeconfig('scheduler')}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]


def _kubelet(layout: Layout) -> Command:
    return [
        layout.binary("kubelet"),
        f"--config={layout.config('kubelet.json')}",
        f"--kubeconfig={layout.credentials.kubeconfig('kubelet')}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={layout.profile.node_address}",
    ]


def _provisioner(layout: Layout) -> Command:
    return [
        layout.binary("provisioner"),
        f"-kubeconfig={layout.credentials.kubeconfig('devcluster')}",
        f"-root={layout.profile.state / 'volumes'}",
    ]
