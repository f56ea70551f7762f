"""The devcluster itself: real nodes on profiles of the test's own, brought up, used, removed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devcluster.binaries import binary_folder, find_go
from devcluster.machine import find_node
from devcluster.profiles import Profile, cache_root, open_profile
from devcluster.prometheus import prometheus_address
from devcluster.status import LOGS, existing_log
from tests.support.chart import ROOT

pytestmark = pytest.mark.cluster

FIRST, SECOND = "e2e-devcluster", "e2e-devcluster2"
READY_SECONDS, AGAIN_SECONDS, WAIT_SECONDS = 25.0, 10.0, 60.0
PROBE = "devcluster-probe:e2e"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
FS_GROUP, USER = 4242, 65532


def devcluster(verb: str, profile: str, *arguments: str) -> str:
    """What a verb prints; fails with its words."""
    command = [str(ROOT / "scripts/devcluster"), verb, "--profile", profile, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True)
class Node:
    """A cluster that is up, and what `up` said."""

    profile: Profile
    said: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; fails with its words."""
        program, config = str(binary_folder() / "kubectl"), str(self.profile.kubeconfig)
        command = [program, "--kubeconfig", config, *arguments]
        done = subprocess.run(command, input=stdin, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        """Make objects."""
        self.kubectl("apply", "-f", "-", stdin="\n".join(json.dumps(o) + "\n---" for o in objects))

    def allocatable_gpus(self) -> str:
        """GPUs that pods can have, as the node says."""
        path = r"{.items[*].status.allocatable.nvidia\.com/gpu}"
        return self.kubectl("get", "nodes", "-o", f"jsonpath={path}")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for the cluster to make a condition true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def machine() -> dict[str, str]:
    """What the machine was like before: everything that no other profile's coming changes."""
    for profile in (FIRST, SECOND):
        devcluster("down", profile)
    return machine_state()


def machine_state() -> dict[str, str]:
    """Rules, forwarding, named namespaces and kernel settings of the host."""
    commands = {
        "rules": ["iptables-save"],
        "namespaces": ["ip", "netns"],
        "settings": ["sysctl", "net.ipv4.ip_forward", "vm.overcommit_memory", "kernel.panic"],
    }
    state = {
        name: subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for name, command in commands.items()
    }
    state["folders"] = str([p for p in ("/var/lib/kubelet", "/run/containerd") if Path(p).exists()])
    return state


@pytest.fixture(scope="module")
def node(machine: dict[str, str]) -> Iterator[Node]:
    """A full node with Prometheus, and with two GPUs that do not exist."""
    assert machine
    said = devcluster("up", FIRST, "--gpus", "2", "--prometheus")
    yield Node(open_profile(FIRST), said)
    devcluster("down", FIRST)


@pytest.fixture(scope="module")
def image(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The probe as an image that pods of the node can use."""
    program = tmp_path_factory.mktemp("probe") / "probe"
    source = ROOT / "tests/e2e/devcluster_probe.go"
    env = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run([find_go(), "build", "-o", program, source], check=True, env=env)
    made = buildah("from", "scratch")
    buildah("copy", made, str(program), "/probe")
    buildah("config", "--entrypoint", '["/probe"]', made)
    buildah("commit", "--rm", made, PROBE)
    yield devcluster("load-image", node.profile.name, PROBE).splitlines()[-1]
    buildah("rmi", PROBE)


def buildah(*arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def namespace(name: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": RESTRICTED}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def claim(name: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }


def pod(name: str, namespace: str, image: str, *arguments: str, **more: Any) -> dict[str, Any]:
    """A pod as Pod Security `restricted` wants it."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {"name": "probe", "image": image, "args": arguments, "securityContext": security}
    spec = {
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": FS_GROUP,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{**container, **more.pop("container", {})}],
        **more,
    }
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.quiet
def test_a_node_is_ready_in_the_time_that_is_promised(node: Node) -> None:
    (seconds,) = re.findall(r"node Ready, .*: ([\d.]+) s", node.said)

    assert float(seconds) < READY_SECONDS


@pytest.mark.quiet
def test_a_second_up_returns_at_once_and_says_so(node: Node) -> None:
    started = time.monotonic()
    said = devcluster("up", FIRST)

    assert "is up already, a full node" in said
    assert time.monotonic() - started < AGAIN_SECONDS
    assert node.allocatable_gpus() == "2"


def test_status_names_every_component_that_runs(node: Node) -> None:
    said = devcluster("status", node.profile.name)

    assert "not running" not in said
    assert re.search(r"state\s+Ready", said)


def test_every_component_has_a_log(node: Node) -> None:
    paths = {name: existing_log(node.profile.name, name) for name in LOGS}

    assert all(path.is_file() for path in paths.values())
    assert devcluster("logs", FIRST, "audit", "--path") == f"{paths['audit']}\n"
    assert "Starting" in devcluster("logs", node.profile.name, "controller-manager")


def test_a_restricted_pod_writes_to_its_volume_and_finds_the_api_by_name(
    node: Node, image: str
) -> None:
    url = "https://kubernetes.default.svc.cluster.local/version"
    words = ("-write", "/data", "-resolve", "kubernetes.default", "-get", url)
    mounts = [{"name": "data", "mountPath": "/data"}]
    container = {"volumeMounts": mounts, "resources": {"limits": {"nvidia.com/gpu": "2"}}}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    probe = pod("probe", "volumes", image, *words, container=container, volumes=volumes)

    node.apply(namespace("volumes"), claim("data", "volumes"), probe)
    state = "--for=jsonpath={.status.phase}=Succeeded"
    node.kubectl("-n", "volumes", "wait", "pod/probe", state, "--timeout=60s")

    log = node.kubectl("-n", "volumes", "logs", "probe")
    assert f"wrote as {USER}:{FS_GROUP}" in log
    assert f"resolved kubernetes.default [{node.profile.first_service}]" in log
    assert "got 200" in log
    ended = "{.status.containerStatuses[0].state.terminated.message}"
    message = node.kubectl("-n", "volumes", "get", "pod", "probe", "-o", f"jsonpath={ended}")
    assert message == "all is well"


def test_a_volumes_files_go_with_its_claim(node: Node, image: str) -> None:
    assert image
    volumes = node.profile.state / "volumes"
    assert [path.name for path in volumes.glob("*/*")] == ["probe"]

    node.kubectl("delete", "namespace", "volumes", "--wait=false")

    eventually(lambda: list(volumes.iterdir()) == [])


def test_the_host_reaches_a_service(node: Node, image: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "hello", "namespace": "services"},
        "spec": {"selector": {"app": "hello"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    node.apply(namespace("services"), pod("hello", "services", image, "-serve", ":8080"), service)
    node.kubectl("-n", "services", "wait", "pod/hello", "--for=condition=Ready", "--timeout=60s")
    path = "jsonpath={.spec.clusterIP}"
    address = node.kubectl("-n", "services", "get", "service", "hello", "-o", path)

    eventually(lambda: page(f"http://{address}/") == "hello from hello\n")
    node.kubectl("delete", "namespace", "services", "--wait=false")


def page(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), opener.open(url, timeout=5) as answer:
        return str(answer.read().decode())
    return ""


def test_prometheus_scrapes_a_pod_of_winnow_as_long_as_it_is_there(node: Node, image: str) -> None:
    node.apply(namespace("scraped"))
    container = {"ports": [{"name": "http", "containerPort": 8080}]}
    served = pod("scraped", "scraped", image, "-serve", ":8080", container=container)
    ours = {"name": "winnow", "component": "server"}
    served["metadata"]["labels"] = {f"app.kubernetes.io/{key}": ours[key] for key in ours}
    node.apply(served)

    eventually(lambda: scraped_pods(node) == {"scraped/scraped"})
    node.kubectl("delete", "pod", "-n", "scraped", "scraped", "--grace-period=1")
    eventually(lambda: scraped_pods(node) == set())


def scraped_pods(node: Node) -> set[str]:
    """Pods that Prometheus has among its targets and has tried to scrape."""
    url = f"{prometheus_address(node.profile)}/api/v1/targets?state=active"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as response:
        targets = json.load(response)["data"]["activeTargets"]
    labels = [t["labels"] for t in targets if t["health"] != "unknown"]
    return {f"{found['namespace']}/{found['pod']}" for found in labels}


def test_a_privileged_pod_is_refused_where_the_namespace_says_restricted(node: Node) -> None:
    open_pod = pod("open", "default", "any:1")
    open_pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    node.kubectl("label", "namespace", "default", *(f"{k}={v}" for k, v in RESTRICTED.items()))

    with pytest.raises(AssertionError, match="violates PodSecurity"):
        node.apply(open_pod)


def test_a_node_object_that_is_made_anew_has_its_gpus_again(node: Node) -> None:
    node.kubectl("delete", "node", "winnow")
    ended = kill_component(node.profile, "kubelet")
    assert ended

    eventually(lambda: node.allocatable_gpus() == "2")


def kill_component(profile: Profile, program: str) -> int:
    """Kill one program of this node alone; gives its number."""
    process_one = find_node(profile)
    assert process_one is not None
    children = Path(f"/proc/{process_one}/task/{process_one}/children").read_text().split()
    (number,) = (
        int(child)
        for child in children
        if Path(f"/proc/{child}/cmdline")
        .read_bytes()
        .split(b"\0")[0]
        .endswith(f"/{program}".encode())
    )
    os.kill(number, 9)
    return number


def test_the_audit_log_tells_the_users_apart(node: Node) -> None:
    events = [json.loads(line) for line in node.profile.audit_log.read_text().splitlines()]
    writers = {event["user"]["username"] for event in events if event["verb"] == "create"}

    assert {"kubernetes-admin", "devcluster", "system:node:winnow"} <= writers
    assert {event["stage"] for event in events} <= {"ResponseComplete", "ResponseStarted", "Panic"}
    assert {event["level"] for event in events} == {"Metadata"}


def test_another_profile_comes_up_beside_it_although_it_is_killed_twice_on_the_way(
    node: Node,
) -> None:
    kill_up(SECOND, lambda profile: (profile.state / "components/etcd.json").exists())
    kill_up(SECOND, lambda profile: (profile.state / "components/kubelet.json").exists())

    said = devcluster("up", SECOND)

    other = Node(open_profile(SECOND), said)
    assert "cleared away" in said or "only a control plane" in said
    assert "Ready" in devcluster("status", SECOND)
    other.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    assert "other" not in node.kubectl("get", "namespaces")
    assert "Ready" in devcluster("status", FIRST)


def kill_up(name: str, when: Callable[[Profile], bool]) -> None:
    """Start `up` and kill it as soon as a condition holds."""
    profile = open_profile(name)
    command = [str(ROOT / "scripts/devcluster"), "up", "--profile", name]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: when(profile))
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        process.kill()
        process.wait()


def test_a_reset_gives_an_empty_cluster_of_the_same_kind() -> None:
    said = devcluster("reset", SECOND)

    assert "node Ready" in said
    assert "other" not in Node(open_profile(SECOND), said).kubectl("get", "namespaces")


def test_down_leaves_nothing_but_the_images(node: Node, machine: dict[str, str]) -> None:
    profiles = (node.profile, open_profile(SECOND))
    for profile in profiles:
        assert traces(profile)
        assert f"profile {profile.name} is down" in devcluster("down", profile.name)

    assert [trace for profile in profiles for trace in traces(profile)] == []
    assert machine_state() == machine
    assert all(profile.images.is_dir() for profile in profiles)


def traces(profile: Profile) -> list[str]:
    """What a profile has on the machine: interfaces, routes, processes, mounts, groups, files."""
    places = [
        *Path("/sys/class/net").glob(profile.interface),
        *Path("/sys/fs/cgroup").glob(f"**/{profile.cgroup}"),
        *([profile.state] if profile.state.exists() else []),
    ]
    routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    mounts = Path("/proc/self/mountinfo").read_text()
    lines = [line for line in routes.splitlines() if profile.interface in line.split()]
    lines += [line for line in mounts.splitlines() if f"{profile.root}/" in line]
    return [*map(str, places), *lines, *processes_of(profile)]


def processes_of(profile: Profile) -> list[str]:
    """Command lines of processes that name the profile's folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if f"{profile.root}/" in f"{words}/" or words.rstrip().endswith(str(profile.root)):
                found.append(words)
    return found


def test_a_purge_removes_the_images_too() -> None:
    for name in (FIRST, SECOND):
        devcluster("down", name, "--purge")

        assert not (cache_root() / "profiles" / name).exists()
