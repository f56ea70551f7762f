"""ModelServers on a real API server, with server pods that are played."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import eventually
from tests.support.audit import AuditLog, audit_log_beside, of_accounts, within
from tests.support.modelservers import (
    FIRST,
    SECOND,
    THIRD,
    Servers,
    artifact,
    model_server,
    outcomes,
    revision,
)
from tests.support.namespace import Namespace, conditions, holds
from tests.support.operator_process import OperatorProcess
from tests.support.serving_node import Fares, Script, ServerView, serving_node
from winnow_operator.kube.resources import MODELSERVERS, SERVICES

pytestmark = pytest.mark.control_plane


async def test_an_artifact_is_served_and_the_columns_say_so(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server(replicas=2))
        body = await servers.serves(artifact(), replicas=2)

    status = body["status"]
    assert (status["state"], status["revision"], status["ready"]) == ("Ready", 1, "2/2")
    assert status["model"] == "models/digits/1a1a"
    assert status["url"] == f"http://digits.{namespace.name}.svc:80"
    assert status["replicas"] == 2
    found = {kind: c["status"] for kind, c in conditions(body).items()}
    assert found == {
        "Ready": "True",
        "Progressing": "False",
        "Degraded": "False",
        "Reconciling": "False",
        "Stalled": "False",
    }
    assert await servers.deployments() == {"digits-r1": 2}
    service = await servers.service()
    assert service["spec"]["selector"] == {"winnow.dev/modelserver": "digits"}


async def test_a_new_model_takes_over_pod_by_pod_and_capacity_never_sinks(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name) as node:
        await servers.create(model_server(replicas=3))
        await servers.serves(artifact(), replicas=3)
        node.least_ready = 3
        await servers.edit(model=artifact(SECOND))
        body = await servers.serves(artifact(SECOND), replicas=3)
        await servers.only_deployment("digits-r2")

    assert node.least_ready == 3
    assert outcomes(body) == {2: "Serving", 1: "Retired"}
    events = await namespace_events(namespace)
    assert events == ["RollingOut", "RollingOut", "Serving", "Serving"]


async def namespace_events(namespace: Namespace) -> list[str]:
    items = (await namespace.api.get(f"/apis/events.k8s.io/v1/namespaces/{namespace.name}/events"))[
        "items"
    ]
    return sorted(e["reason"] for e in items if e["regarding"]["kind"] == "ModelServer")


def refuses(digest: str) -> Script:
    def script(pod: ServerView) -> Fares:
        if pod.digest == digest:
            return Fares(refusal="model.onnx is not the file that the manifest names")
        return Fares()

    return script


async def test_a_model_that_the_server_refuses_is_aborted_and_the_stable_one_goes_on(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name, refuses(SECOND)) as node:
        await servers.create(model_server(replicas=2))
        await servers.serves(artifact(), replicas=2)
        node.least_ready = 2
        await servers.edit(model=artifact(SECOND))
        body = await servers.state("RolloutAborted")
        await servers.only_deployment("digits-r1")
        await servers.edit(model=artifact(THIRD))
        healed = await servers.serves(artifact(THIRD), replicas=2)

    assert node.least_ready == 2
    assert body["status"]["revision"] == 1
    assert holds(body, "Ready")
    degraded = conditions(body)["Degraded"]["message"]
    assert "revision 2 (models/digits/2b2b) was aborted" in degraded
    assert "model.onnx is not the file that the manifest names" in degraded
    assert revision(body, 2)["outcome"] == "Aborted"
    assert outcomes(healed) == {3: "Serving", 2: "Aborted", 1: "Retired"}


async def test_a_server_that_crashes_again_and_again_is_aborted(
    namespace: Namespace, servers: Servers
) -> None:
    def script(pod: ServerView) -> Fares:
        if pod.digest == SECOND:
            return Fares(ready=False, restarts=3, reason="OOMKilled")
        return Fares()

    async with serving_node(namespace.api, namespace.name, script):
        await servers.create(model_server())
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        body = await servers.state("RolloutAborted")

    assert "started again 3 times" in conditions(body)["Degraded"]["message"]
    assert "OOMKilled" in conditions(body)["Degraded"]["message"]


async def test_a_revision_that_never_gets_ready_is_aborted_at_the_deadline(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(
        namespace.api, namespace.name, lambda pod: Fares(ready=pod.digest == FIRST)
    ):
        await servers.create(model_server(rollout={"progressDeadline": "2s"}))
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        body = await servers.state("RolloutAborted")

    assert "rollout.progressDeadline" in conditions(body)["Degraded"]["message"]


async def test_the_first_revision_that_is_refused_is_said_and_another_takes_its_place(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name, refuses(FIRST)):
        await servers.create(model_server())
        body = await servers.state("ModelRefused")
        await servers.edit(model=artifact(SECOND))
        healed = await servers.serves(artifact(SECOND))
        await servers.only_deployment("digits-r2")

    assert conditions(body)["Ready"]["status"] == "False"
    assert "the manifest names" in conditions(body)["Ready"]["message"]
    assert outcomes(healed) == {2: "Serving", 1: "Superseded"}


async def test_of_two_choices_in_a_row_the_last_one_serves(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(
        namespace.api, namespace.name, lambda pod: Fares(ready=pod.digest != SECOND)
    ):
        await servers.create(model_server())
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        await servers.state("RollingOut")
        await servers.edit(model=artifact(THIRD))
        body = await servers.serves(artifact(THIRD))
        await servers.only_deployment("digits-r3")

    assert outcomes(body) == {3: "Serving", 2: "Superseded", 1: "Retired"}


@pytest.mark.parametrize("kind", ["Service", "Deployment"])
async def test_a_child_that_somebody_deletes_is_made_again(
    namespace: Namespace, servers: Servers, kind: str
) -> None:
    name = {"Service": "digits", "Deployment": "digits-r1"}[kind]
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        await servers.serves(artifact())
        before = await servers.child(kind, name)
        assert before is not None
        await servers.delete_child(kind, name)

        async def is_another() -> bool:
            now = await servers.child(kind, name)
            return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

        await eventually(is_another, what=f"another {kind}")
        await servers.serves(artifact())

    assert "ChildDeleted" in await namespace_events(namespace)


async def test_what_somebody_changed_of_a_child_is_put_right(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        await servers.serves(artifact())
        path = namespace.path(SERVICES, "digits")
        await namespace.api.merge(path, {"spec": {"selector": {"app": "other"}}})

        async def is_right() -> bool:
            selector = (await servers.service())["spec"]["selector"]
            return bool(selector.get("winnow.dev/modelserver") == "digits")

        await eventually(is_right, what="the Service's own selector")


async def test_a_service_of_somebody_else_is_never_touched(
    namespace: Namespace, servers: Servers
) -> None:
    theirs = {"metadata": {"name": "digits"}, "spec": {"ports": [{"port": 5432}]}}
    await namespace.api.create(namespace.path(SERVICES), theirs)
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        body = await servers.state("NameTaken")
        assert (await servers.service())["spec"]["ports"][0]["port"] == 5432
        await namespace.api.delete(namespace.path(SERVICES, "digits"))
        await servers.serves(artifact())

    assert (
        "there is a Service digits that is not this ModelServer's"
        in (conditions(body)["Stalled"]["message"])
    )


async def test_budget_autoscaler_and_network_policy_come_and_go_with_the_spec(
    namespace: Namespace, servers: Servers
) -> None:
    resources = {"requests": {"cpu": "100m"}, "limits": {"cpu": "1500m"}}
    async with serving_node(namespace.api, namespace.name):
        await servers.create(
            model_server(
                resources=resources,
                disruptionBudget={"maxUnavailable": 2},
                autoscaling={"maxReplicas": 4},
                networkPolicy={"allowFrom": [{"podSelector": {"matchLabels": {"app": "web"}}}]},
            )
        )
        await servers.serves(artifact())
        budget = await servers.child("PodDisruptionBudget")
        scaler = await servers.child("HorizontalPodAutoscaler")
        policy = await servers.child("NetworkPolicy")
        deployment = await servers.child("Deployment", "digits-r1")
        await servers.edit(autoscaling=None, networkPolicy=None)

        async def are_gone() -> bool:
            kinds = ("HorizontalPodAutoscaler", "NetworkPolicy")
            return [await servers.child(kind) for kind in kinds] == [None, None]

        await eventually(are_gone, what="no autoscaler and no policy")

    assert budget is not None
    assert budget["spec"]["maxUnavailable"] == 2
    assert scaler is not None
    assert scaler["spec"]["scaleTargetRef"]["kind"] == "ModelServer"
    assert policy is not None
    assert policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == {"app": "web"}
    assert deployment is not None
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {"name": "WINNOW_THREADS", "value": "2"} in container["env"]


async def test_kubectl_scale_scales_what_serves(namespace: Namespace, servers: Servers) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        await servers.serves(artifact())
        path = namespace.path(MODELSERVERS, "digits", "scale")
        await namespace.api.merge(path, {"spec": {"replicas": 3}})
        await servers.serves(artifact(), replicas=3)
        scale = await namespace.api.get(path)

    assert scale["status"] == {"replicas": 3, "selector": "winnow.dev/modelserver=digits"}


async def test_a_spec_that_cannot_work_is_said_and_what_serves_goes_on(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        await servers.serves(artifact())
        await servers.edit(podTemplate={"spec": {"hostNetwork": True}}, replicas=2)
        body = await servers.state("InvalidSpec")
        assert await servers.deployments() == {"digits-r1": 1}
        await servers.edit(podTemplate=None)
        await servers.serves(artifact(), replicas=2)

    assert (
        "spec.podTemplate.spec.hostNetwork is not allowed"
        in (conditions(body)["Stalled"]["message"])
    )
    assert holds(body, "Ready")


async def test_a_deleted_server_takes_everything_with_it(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        await servers.serves(artifact())
        path = namespace.path(MODELSERVERS, "digits")
        await namespace.api.delete(path, propagationPolicy="Background")

        async def is_empty() -> bool:
            left = [await servers.child("Service"), await servers.child("PodDisruptionBudget")]
            return not await servers.deployments() and left == [None, None]

        await eventually(is_empty, what="nothing that is left")


async def test_a_new_operator_changes_nothing_of_a_settled_server(
    namespace: Namespace, servers: Servers, operator: OperatorProcess
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server(replicas=2))
        await servers.serves(artifact(), replicas=2)
        before = await versions(servers)
        operator.kill()
        operator.start()
        await operator.leads()
        await servers.create(model_server("other"))
        await servers.serves(artifact(), "other")

        assert await versions(servers) == before


async def versions(servers: Servers) -> list[str]:
    found = [
        await servers.get(),
        await servers.child("Service"),
        await servers.child("Deployment", "digits-r1"),
        await servers.child("PodDisruptionBudget"),
    ]
    return [body["metadata"]["resourceVersion"] for body in found if body is not None]


async def test_a_person_promotes_and_goes_back_by_the_number_of_a_revision(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server(promotion="Manual"))
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        waits = await servers.condition("Progressing", "WaitingForPromotion", status="False")
        assert await servers.deployments() == {"digits-r1": 1}
        await servers.edit(revision=2)
        await servers.serves(artifact(SECOND))
        await servers.edit(revision=1)
        body = await servers.serves(artifact())
        await servers.only_deployment("digits-r1")

    assert "revision 2 (models/digits/2b2b) waits" in waits["message"]
    assert outcomes(body) == {2: "Retired", 1: "Serving"}


async def test_a_quota_that_lets_no_pod_be_made_is_said_in_its_own_words(
    namespace: Namespace, servers: Servers
) -> None:
    path = f"/api/v1/namespaces/{namespace.name}/resourcequotas"
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await namespace.api.create(path, quota)
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server())
        await eventually(lambda: servers.says("exceeded quota"), what="the quota's words")
        await namespace.api.delete(f"{path}/none")
        await servers.edit(replicas=2)
        await servers.serves(artifact(), replicas=2)


async def test_a_look_at_a_settled_server_writes_nothing(
    namespace: Namespace, servers: Servers, control_plane: Path
) -> None:
    audit = audit_log_beside(control_plane)
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server(replicas=2))
        await servers.serves(artifact(), replicas=2)
        await servers.only_deployment("digits-r1")
        mark = await audit.settled_mark(namespace.api)
        assert await looks(audit, namespace, servers, "second")
        calls = of_accounts(await audit.settled_since(mark, namespace.api), namespace.name)

    writes = [call.words for call in within(calls, namespace.name) if call.is_write]
    assert writes == []


async def looks(audit: AuditLog, namespace: Namespace, servers: Servers, word: str) -> bool:
    """Have a server looked at, by an annotation, and wait until its pods were read for it."""
    mark = await audit.settled_mark(namespace.api)
    path = namespace.path(MODELSERVERS, "digits")
    await namespace.api.merge(path, {"metadata": {"annotations": {"look": word}}})

    async def has_read() -> bool:
        calls = of_accounts(await audit.settled_since(mark, namespace.api), namespace.name)
        return any(call.words == "list deployments" for call in calls)

    await eventually(has_read, what="a look at the server")
    await servers.serves(artifact(), replicas=2)
    return True
