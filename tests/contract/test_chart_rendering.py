"""What the chart makes: security, availability, images, and what is made on request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.chart import ROOT, Document, find, helm_template, operator_container, render
from winnow_operator.domain.kinds import Kind
from winnow_operator.manifests.objects import scrape_annotations
from winnow_operator.settings import Settings, read_settings

DIGEST = "sha256:" + "0123456789abcdef" * 4


def pods(documents: list[Document]) -> list[dict[str, Any]]:
    deployment = find(documents, "Deployment")["spec"]["template"]["spec"]
    return [deployment, find(documents, "Pod")["spec"]]


def environment(documents: list[Document]) -> dict[str, str]:
    entries = operator_container(documents)["env"]
    return {entry["name"]: entry.get("value", "from-the-pod") for entry in entries}


def test_a_default_install_makes_these_kinds() -> None:
    kinds = {d["kind"] for d in render(None, "--skip-tests", "--set", "crds.install=false")}

    assert kinds == {
        "ClusterRole",
        "ClusterRoleBinding",
        "Deployment",
        "PodDisruptionBudget",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
    }


@pytest.mark.parametrize("index", [0, 1], ids=["operator", "test"])
def test_every_pod_meets_pod_security_restricted(index: int) -> None:
    pod = pods(render())[index]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    kinds_of_volume = {key for v in pod.get("volumes", []) for key in v if key != "name"}
    assert kinds_of_volume <= {"emptyDir"}


def test_only_the_operator_gets_a_token() -> None:
    operator, test = pods(render())

    assert operator["automountServiceAccountToken"] is True
    assert test["automountServiceAccountToken"] is False
    assert find(render(), "ServiceAccount")["automountServiceAccountToken"] is False


def test_a_default_install_survives_the_loss_of_a_node() -> None:
    documents = render()
    deployment = find(documents, "Deployment")["spec"]
    pod = deployment["template"]["spec"]
    selector = deployment["selector"]["matchLabels"]

    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert find(documents, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == selector
    keys = {c["topologyKey"]: c["whenUnsatisfiable"] for c in pod["topologySpreadConstraints"]}
    assert keys == {
        "kubernetes.io/hostname": "ScheduleAnyway",
        "topology.kubernetes.io/zone": "ScheduleAnyway",
    }
    assert all(
        c["labelSelector"]["matchLabels"] == selector for c in pod["topologySpreadConstraints"]
    )


def test_probes_and_ports_follow_the_values() -> None:
    documents = render({"health": {"port": 9001}, "metrics": {"port": 9002}})
    container = operator_container(documents)

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"health": 9001, "metrics": 9002}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "health"}
    service = find(documents, "Service")["spec"]
    assert service["ports"] == [{"name": "metrics", "port": 9002, "targetPort": "metrics"}]
    env = environment(documents)
    assert (env["WINNOW_HEALTH_PORT"], env["WINNOW_METRICS_PORT"]) == ("9001", "9002")


def test_the_default_values_are_the_operators_own_defaults() -> None:
    env = environment(render())

    settings = read_settings(env)

    images = {"trainer_image": "winnow/trainer:0.1.0", "server_image": "winnow/server:0.1.0"}
    chosen = {"identity": "from-the-pod", "lease_namespace": "from-the-pod"}
    assert settings == Settings(**images, **chosen)  # type: ignore[arg-type]


def test_every_setting_of_the_operator_has_a_value() -> None:
    values = {
        "watchNamespaces": ["blue", "green"],
        "leaderElection": {"leaseName": "other"},
        "logLevel": "DEBUG",
        "health": {"port": 9001},
        "metrics": {"port": 9002, "maxObjects": 0, "scrapeAnnotations": True},
        "storage": {"uri": "pvc://models/x", "size": "2Gi", "className": "fast"},
        "finishedPodTtlSeconds": 100000,
        "prometheus": {"url": "http://prometheus:9090"},
        "workers": 9,
        "trainer": {"image": {"tag": "x"}},
        "server": {"image": {"tag": "x"}},
    }
    default, chosen = (
        read_settings(environment(render())),
        read_settings(environment(render(values))),
    )

    from_the_pod = {"identity", "lease_namespace"}
    same = {f for f in Settings.__slots__ if getattr(default, f) == getattr(chosen, f)}
    assert same == from_the_pod


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "winnow/operator:0.1.0"),
        ({"tag": "dev"}, "winnow/operator:dev"),
        ({"registry": "localhost:5000", "tag": "dev"}, "localhost:5000/winnow/operator:dev"),
        ({"registry": "r.example/team/", "repository": "op"}, "r.example/team/op:0.1.0"),
        ({"tag": "dev", "digest": DIGEST}, f"winnow/operator@{DIGEST}"),
    ],
)
def test_an_image_is_put_together_from_its_parts(image: dict[str, str], reference: str) -> None:
    documents = render({"image": image})

    assert operator_container(documents)["image"] == reference
    assert find(documents, "Pod")["spec"]["containers"][0]["image"] == reference


def test_network_policy_on_request_lets_through_dns_the_api_server_and_scrapes() -> None:
    network_policy = {
        "enabled": True,
        "apiServer": {"cidrs": ["10.0.0.1/32"], "ports": [6443]},
        "scrapeFrom": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
    }
    documents = render({"networkPolicy": network_policy})
    policy = find(documents, "NetworkPolicy")["spec"]

    assert policy["policyTypes"] == ["Ingress", "Egress"]
    dns, api = policy["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert api["ports"] == [{"protocol": "TCP", "port": 6443}]
    assert api["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
    scrape, probes = policy["ingress"]
    scraper, helm_test = scrape["from"]
    assert scraper == {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    test_labels = find(documents, "Pod")["metadata"]["labels"].items()
    assert helm_test["podSelector"]["matchLabels"].items() <= test_labels
    assert probes == {"ports": [{"protocol": "TCP", "port": "health"}]}


def test_the_network_policy_lets_the_operator_reach_its_prometheus() -> None:
    for url, port in (
        ("http://prometheus.monitoring:9090", 9090),
        ("https://a.example.com/x", 443),
        ("http://10.0.0.5", 80),
    ):
        values = {"networkPolicy": {"enabled": True}, "prometheus": {"url": url}}
        egress = find(render(values), "NetworkPolicy")["spec"]["egress"]
        assert {"ports": [{"protocol": "TCP", "port": port}]} in egress


def test_monitors_on_request_select_the_operator_the_trials_and_the_servers() -> None:
    monitors = {
        "serviceMonitor": {"enabled": True, "labels": {"x": "y"}},
        "podMonitor": {"enabled": True},
    }
    documents = render({"metrics": monitors, "watchNamespaces": ["blue"]})

    service_monitor = find(documents, "ServiceMonitor")
    pod_monitor = find(documents, "PodMonitor", "winnow-trials")
    labels = find(documents, "Service")["metadata"]["labels"]
    assert service_monitor["metadata"]["labels"]["x"] == "y"
    assert service_monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert pod_monitor["spec"]["namespaceSelector"] == {"matchNames": ["blue"]}
    assert {e["honorLabels"] for e in endpoints(documents)} == {False}
    (trials,) = pod_monitor["spec"]["podMetricsEndpoints"]
    (uid,) = trials["relabelings"]
    assert uid["targetLabel"] == "job_uid"
    kinds = (Kind.SEARCH, Kind.COMPRESSION)
    assert uid["sourceLabels"] == [f"__meta_kubernetes_pod_annotation_{label(k)}" for k in kinds]
    page = (ROOT / "docs/metrics.md").read_text()
    ((written,),) = [
        yaml.safe_load(t) for t in re.findall(r"```yaml\n(- source.*?)```", page, re.DOTALL)
    ]
    assert uid == {
        "sourceLabels": written.pop("source_labels"),
        "targetLabel": written.pop("target_label"),
        **written,
    }
    ports = {
        d["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]: endpoint["port"]
        for d in documents
        if d["kind"] == "PodMonitor"
        for endpoint in d["spec"]["podMetricsEndpoints"]
    }
    assert ports == {"trial": "metrics", "server": "http"}


def endpoints(documents: list[Document]) -> Iterator[dict[str, Any]]:
    for document in documents:
        if document["kind"] in {"ServiceMonitor", "PodMonitor"}:
            spec = document["spec"]
            yield from spec.get("endpoints") or spec["podMetricsEndpoints"]


def label(kind: Kind) -> str:
    """As Prometheus writes the annotation with the uid of a job."""
    return re.sub(r"\W", "_", kind.uid_annotation)


def test_annotations_ask_for_a_scrape_of_the_operator_where_they_are_wanted() -> None:
    documents = render({"metrics": {"port": 9002, "scrapeAnnotations": True}})
    annotations = find(documents, "Deployment")["spec"]["template"]["metadata"]["annotations"]

    assert annotations.items() >= scrape_annotations(9002).items()
    before = find(render(), "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert "prometheus.io/scrape" not in before


def test_common_labels_stand_on_everything_and_selectors_do_not_change() -> None:
    values = {
        "commonLabels": {"team": "vision"},
        "networkPolicy": {"enabled": True},
        "metrics": {
            "serviceMonitor": {"enabled": True},
            "podMonitor": {"enabled": True},
            "prometheusRule": {"enabled": True},
            "dashboards": {"enabled": True},
        },
    }
    documents = render(values)

    unlabelled = [d["kind"] for d in documents if d["metadata"]["labels"].get("team") != "vision"]
    assert unlabelled == []
    selector = find(documents, "Deployment")["spec"]["selector"]
    assert selector == find(render(), "Deployment")["spec"]["selector"]


def test_extra_objects_go_through_tpl_as_maps_and_as_text() -> None:
    as_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "{{ .Release.Name }}-map"},
    }
    as_text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-text'}\n"
    documents = render({"extraObjects": [as_map, as_text]})

    names = {d["metadata"]["name"] for d in documents if d["kind"] == "ConfigMap"}
    assert names == {"winnow-map", "winnow-text"}


def test_placement_and_priority_reach_the_pod() -> None:
    values = {
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "x", "operator": "Exists"}],
        "imagePullSecrets": [{"name": "pull"}],
        "podAnnotations": {"a": "b"},
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example"}],
    }
    documents = render(values)
    template = find(documents, "Deployment")["spec"]["template"]

    for field in ("priorityClassName", "nodeSelector", "tolerations", "imagePullSecrets"):
        assert template["spec"][field] == values[field]
    for field in ("nodeSelector", "tolerations", "imagePullSecrets"):
        assert find(documents, "Pod")["spec"][field] == values[field]
    assert template["metadata"]["annotations"]["a"] == "b"
    assert environment(documents)["HTTPS_PROXY"] == "http://proxy.example"


def test_an_existing_service_account_is_named_and_not_made() -> None:
    documents = render({"serviceAccount": {"create": False, "name": "mine"}})

    assert not [d for d in documents if d["kind"] == "ServiceAccount"]
    assert find(documents, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    assert find(documents, "ClusterRoleBinding")["subjects"][0]["name"] == "mine"


def test_no_service_account_at_all_is_refused_with_a_sentence() -> None:
    done = helm_template({"serviceAccount": {"create": False}})

    assert done.returncode != 0
    assert "serviceAccount.name is empty: name the service account to use" in done.stderr


def test_an_older_kubernetes_is_refused() -> None:
    done = helm_template({}, "--kube-version", "1.33.0")

    assert done.returncode != 0
    assert "1.34" in done.stderr


@pytest.mark.parametrize("plural", ["searchjobs", "trials"])
def test_a_crd_is_the_source_and_stays_when_the_release_goes(plural: str) -> None:
    original = yaml.safe_load((ROOT / f"crds/winnow.dev_{plural}.yaml").read_text())
    rendered = find(render(), "CustomResourceDefinition", original["metadata"]["name"])

    assert rendered["spec"] == original["spec"]
    assert rendered["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_there_is_a_crd_of_each_kind_and_none_if_not_wanted() -> None:
    kinds = {
        d["spec"]["names"]["kind"] for d in render() if d["kind"] == "CustomResourceDefinition"
    }
    without = render({"crds": {"install": False}})

    assert kinds == {"SearchJob", "CompressionJob", "ModelServer", "Trial"}
    assert not [d for d in without if d["kind"] == "CustomResourceDefinition"]


def test_rendering_twice_gives_the_same_text() -> None:
    assert helm_template().stdout == helm_template().stdout
