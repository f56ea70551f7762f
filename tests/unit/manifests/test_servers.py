"""What a ModelServer is made of: Pod Security, the contract with the server, what the user lays over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from winnow_contract.serving import read_serving
from winnow_operator.api.modelserver import ModelServerSpec
from winnow_operator.api.modelserver_status import RevisionStatus
from winnow_operator.domain.kinds import Kind
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.serverpods import Server
from winnow_operator.manifests.servers import (
    autoscaler,
    deployment,
    disruption_budget,
    network_policy,
    service,
)

REVISION = RevisionStatus.model_validate(
    {
        "number": 7,
        "model": "small/int8",
        "uri": "pvc://models/small/int8",
        "digest": f"sha256:{'ab' * 32}",
        "outcome": "RollingOut",
        "created": "2026-01-31T12:00:00Z",
        "changed": "2026-01-31T12:00:00Z",
    }
)


def server(**spec: Any) -> Server:
    labels = {"team": "vision", "kueue.x-k8s.io/queue-name": "gpus"}
    owner = Owner("team", "digits", "uid-1", labels, Kind.SERVER)
    document = {"model": {"compressionJob": "small"}, **spec}
    return Server(owner, ModelServerSpec.model_validate(document), "example.test/server:1")


def pod_of(made: Server) -> dict[str, Any]:
    pod: dict[str, Any] = deployment(made, REVISION, 3)["spec"]["template"]
    return pod


def containers(made: Server) -> list[dict[str, Any]]:
    spec = pod_of(made)["spec"]
    return [*spec["initContainers"], *spec["containers"]]


def test_the_server_reads_back_what_the_spec_says() -> None:
    limits = {"cpu": "2500m"}
    made = server(
        resources={"limits": limits},
        server={"maxBatchSize": 8, "batching": False, "drain": "7s", "connectionMaxAge": "0s"},
    )

    for container in containers(made):
        found = read_serving({e["name"]: e["value"] for e in container["env"]})
        assert (found.model_uri, found.model_digest) == (REVISION.uri, REVISION.digest)
        assert (found.model_name, found.model_revision) == ("digits", 7)
        assert (found.threads, found.max_batch, found.batching) == (3, 8, False)
        assert (found.drain_seconds, found.connection_max_age) == (7, 0)
        assert container["resources"] == {"limits": limits}


def test_the_pod_has_longer_to_end_than_it_drains() -> None:
    made = server(server={"drain": "40s"})

    assert pod_of(made)["spec"]["terminationGracePeriodSeconds"] == 60


def test_the_claim_is_read_only_and_the_server_itself_never_sees_it() -> None:
    pod = pod_of(server())["spec"]
    fetch, serve = containers(server())

    (claim,) = [v for v in pod["volumes"] if "persistentVolumeClaim" in v]
    assert claim["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    assert claim["name"] in {m["name"] for m in fetch["volumeMounts"] if m.get("readOnly")}
    assert claim["name"] not in {m["name"] for m in serve["volumeMounts"]}


def test_pods_meet_pod_security_restricted_and_get_no_token() -> None:
    pod = pod_of(server())["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(server()):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_what_the_user_lays_over_reaches_the_server_and_nothing_of_ours_goes() -> None:
    overlay = {
        "metadata": {"labels": {"tier": "front"}},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "terminationGracePeriodSeconds": 300,
            "topologySpreadConstraints": [{"maxSkew": 2}],
            "containers": [{"name": "server", "env": [{"name": "TEAM", "value": "vision"}]}],
        },
    }
    pod = pod_of(server(podTemplate=overlay))

    assert pod["metadata"]["labels"]["tier"] == "front"
    assert pod["metadata"]["labels"]["winnow.dev/revision"] == "7"
    assert pod["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert pod["spec"]["terminationGracePeriodSeconds"] == 300
    assert pod["spec"]["topologySpreadConstraints"] == [{"maxSkew": 2}]
    (serve,) = pod["spec"]["containers"]
    assert serve["env"][-1] == {"name": "TEAM", "value": "vision"}
    assert serve["args"] == ["winnow_server", "serve"]


def test_the_service_selects_all_revisions_and_a_deployment_its_own() -> None:
    made = server()
    selector = {"winnow.dev/modelserver": "digits"}

    assert service(made)["spec"]["selector"] == selector
    assert disruption_budget(made)["spec"]["selector"]["matchLabels"] == selector
    own = deployment(made, REVISION, 3)
    assert own["metadata"]["name"] == "digits-r7"
    assert own["spec"]["selector"]["matchLabels"] == {**selector, "winnow.dev/revision": "7"}
    labels = own["spec"]["template"]["metadata"]["labels"]
    assert own["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_cost_labels_are_handed_on_and_no_queue_holds_a_server_up() -> None:
    labels = pod_of(server())["metadata"]["labels"]

    assert labels["team"] == "vision"
    assert not [key for key in labels if key.startswith("kueue")]


def test_pods_ask_to_be_scraped_where_that_is_wanted() -> None:
    made = replace(server(), is_scraped=True)
    pod = deployment(made, REVISION, 1)["spec"]["template"]

    assert pod["metadata"]["annotations"]["prometheus.io/scrape"] == "true"
    (port,) = pod["spec"]["containers"][0]["ports"]
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    plain = deployment(server(), REVISION, 1)["spec"]["template"]["metadata"]["annotations"]
    assert "prometheus.io/scrape" not in plain


def test_autoscaler_and_policy_are_made_on_request_only() -> None:
    assert autoscaler(server()) is None
    assert network_policy(server()) is None

    policy = network_policy(server(networkPolicy={}))
    assert policy is not None
    assert policy["spec"]["ingress"][0]["from"] == [{"podSelector": {}}]
    assert policy["spec"]["egress"] == []


def test_everything_goes_with_the_server() -> None:
    made = server(autoscaling={"maxReplicas": 2}, networkPolicy={})
    documents = (
        service(made),
        deployment(made, REVISION, 1),
        disruption_budget(made),
        autoscaler(made),
        network_policy(made),
    )

    for document in documents:
        assert document is not None
        (owner,) = document["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("ModelServer", "uid-1", True)
