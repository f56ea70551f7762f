"""Configuration files of the components. Pure: it gives their texts by name."""

from __future__ import annotations

import json
from typing import Any

from devcluster.components import CONTAINERD_SOCKET, REGISTRY_PORT, Layout
from devcluster.credentials import NODE_NAME
from devcluster.profiles import Profile, cache_root

CNI_PLUGINS = "/usr/lib/cni"
PAUSE_IMAGE = "localhost/devcluster-pause:1"
LOCAL_REGISTRY = f"localhost:{REGISTRY_PORT}"
"""What pods call the registry; the node has it on its own loopback interface."""
_QUIET_USERS = [
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:kube-proxy",
    "system:apiserver",
    f"system:node:{NODE_NAME}",
    "devcluster",
]


def control_plane_files() -> dict[str, str]:
    """What the control plane reads."""
    return {"audit-policy.json": _json(_audit_policy())}


def node_files(layout: Layout, snapshotter: str) -> dict[str, str]:
    """What the rest of a full node reads."""
    profile = layout.profile
    return {
        "containerd.toml": _containerd(layout, snapshotter),
        f"registry/{LOCAL_REGISTRY}/hosts.toml": _hosts(),
        "cni/10-devcluster.conflist": _json(_cni(profile)),
        "kubelet.json": _json(_kubelet(layout)),
        "proxy.json": _json(_proxy(layout)),
        "Corefile": _corefile(layout),
        "registry.json": _json(_registry()),
        "resolv.conf": "",
    }


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def _audit_policy() -> dict[str, Any]:
    """Every write of everybody, every read of those who are not the cluster's own parts."""
    reads = ["get", "list", "watch"]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
            {"level": "None", "users": _QUIET_USERS, "verbs": reads},
            {
                "level": "None",
                "userGroups": ["system:serviceaccounts:kube-system"],
                "verbs": reads,
            },
            {"level": "Metadata"},
        ],
    }


def _containerd(layout: Layout, snapshotter: str) -> str:
    state = layout.profile.state
    return f"""\
version = 2
root = {_quoted(layout.profile.images)}
state = "/run/containerd"

[grpc]
  address = {_quoted(CONTAINERD_SOCKET)}

[plugins."io.containerd.internal.v1.opt"]
  path = {_quoted(state / "node" / "containerd-opt")}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {_quoted(PAUSE_IMAGE)}
  # Without CAP_SYS_RESOURCE a lower oom_score_adj than our own is refused.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = {_quoted(snapshotter)}

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {_quoted(CNI_PLUGINS)}
    conf_dir = {_quoted(layout.config("cni"))}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = {_quoted(layout.config("registry"))}
"""


def _quoted(value: object) -> str:
    return json.dumps(str(value))


def _hosts() -> str:
    return f"""\
server = "http://{LOCAL_REGISTRY}"

[host."http://{LOCAL_REGISTRY}"]
  capabilities = ["pull", "resolve"]
"""


def _cni(profile: Profile) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": profile.pod_range, "gateway": profile.bridge_address}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "/run/cni",
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "devcluster", "plugins": [bridge, portmap]}


def _kubelet(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": layout.credentials.file("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.profile.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "evictionHard": {},  # a full disk of the machine is no reason to kill its pods
        "imageGCHighThresholdPercent": 100,  # same for images, which `up` wants to find again
        "oomScoreAdj": 0,
        "clusterDomain": "cluster.local",
        "clusterDNS": [layout.profile.dns_service],
        "resolvConf": layout.config("resolv.conf"),
        "podLogsDir": "/var/log/pods",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "maxPods": 200,
        "serializeImagePulls": False,
    }


def _proxy(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": layout.credentials.kubeconfig("proxy")},
        "mode": "iptables",
        "hostnameOverride": NODE_NAME,
        "oomScoreAdj": 0,
        # These settings belong to the machine, not to a network namespace.
        "conntrack": {
            "maxPerCore": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _corefile(layout: Layout) -> str:
    return f"""\
.:53 {{
    errors
    ready {layout.profile.node_address}:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {layout.credentials.kubeconfig("devcluster")}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def _registry() -> dict[str, Any]:
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(cache_root() / "registry")},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f":{REGISTRY_PORT}"},
    }
