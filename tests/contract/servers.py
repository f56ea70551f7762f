"""ModelServers that work, and one change each that leaves them good; and such as cannot work.

The tables are as in `bad_specs`: BAD_SERVERS by the API server, SERVER_CHECKS by the operator, which
then says so and leaves what serves as it is. All of a ModelServer may be edited at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from tests.contract.base_specs import MISSING, BadSpec, Body, changed
from tests.contract.good_specs import GoodSpec

DIGEST = f"sha256:{'ab' * 32}"


def _server(**spec: Any) -> Body:
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "ModelServer",
        "metadata": {"name": "bad"},
        "spec": spec,
    }


FOLLOWING = _server(
    model={"compressionJob": "digits-small"},
    replicas=2,
    acceptBaseline=True,
    resources={"requests": {"cpu": "500m"}, "limits": {"cpu": "1", "memory": "512Mi"}},
    rollout={"strategy": "RollingUpdate", "progressDeadline": "5m"},
    server={"maxBatchSize": 64, "drain": "15s"},
)
NAMED = _server(model={"uri": "pvc://models/digits/1", "digest": DIGEST})
POD = _server(
    model={"compressionJob": "digits-small"},
    podTemplate={
        "metadata": {"labels": {"team": "vision"}},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "topologySpreadConstraints": [{"maxSkew": 2}],
            "containers": [{"name": "server", "env": [{"name": "TEAM", "value": "vision"}]}],
        },
    },
)
CANARY = _server(
    model={"compressionJob": "digits-small"},
    rollout={
        "strategy": "Canary",
        "canary": {"steps": [{"replicas": 1, "pause": "30s"}, {"replicas": 2}]},
    },
)
SERVERS = {"following": FOLLOWING, "named": NAMED, "pod": POD, "canary": CANARY}


@dataclass(frozen=True, slots=True)
class BadServer(BadSpec):
    """One change that makes a good ModelServer a bad one."""

    base: str = "following"

    @override
    def document(self) -> Body:
        return changed(SERVERS[self.base], self.path, self.value)


@dataclass(frozen=True, slots=True)
class GoodServer(GoodSpec):
    """One change of a good ModelServer that leaves it good."""

    base: str = "following"

    @override
    def document(self) -> Body:
        return changed(SERVERS[self.base], self.path, self.value)


def _good(what: str, path: str, value: Any, base: str = "following") -> GoodServer:
    return GoodServer(what, path, value, base)


GOOD_SERVERS = (
    *(_good(f"the good {base}", "metadata.name", "good", base) for base in SERVERS),
    _good("a name of 40 letters", "metadata.name", "a" * 40),
    _good("no pods", "spec.replicas", 0),
    _good("a thousand pods", "spec.replicas", 1000),
    _good("a connection for ever", "spec.server.connectionMaxAge", "0s"),
    _good("no time to drain", "spec.server.drain", "0s"),
    _good("no batching", "spec.server.batching", False),
    _good("a day for a rollout", "spec.rollout.progressDeadline", "24h"),
    _good("no restart allowed", "spec.rollout.maxRestarts", 0),
    _good("a canary with defaults", "spec.rollout.canary", MISSING, "canary"),
    _good("the winner of a search", "spec.model", {"searchJob": "digits"}, "canary"),
    _good("a person promotes", "spec.promotion", "Manual"),
    _good("a revision that is pinned", "spec.revision", 3),
    _good(
        "checks of one's own",
        "spec.rollout.canary.checks",
        {"maxErrorRate": "0", "maxLatencyRatio": "1", "minRequests": 1, "maxRestarts": 3},
        "canary",
    ),
    _good(
        "answers that may all differ",
        "spec.rollout.canary.checks",
        {"minAgreement": "0", "tolerance": "0.25"},
        "canary",
    ),
    _good("no drain allowed", "spec.disruptionBudget", {"maxUnavailable": 0}),
    _good(
        "as many pods at least as at most", "spec.autoscaling", {"minReplicas": 2, "maxReplicas": 2}
    ),
    _good("a policy with defaults", "spec.networkPolicy", {}),
    _good(
        "a policy for two namespaces",
        "spec.networkPolicy",
        {"allowFrom": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    ),
    _good("no resources", "spec.resources", MISSING),
    _good("half a processor", "spec.resources.limits.cpu", "500m"),
)

_MODEL = "spec.model"
_BAD = BadServer

BAD_SERVERS = (
    _BAD("no model", _MODEL, MISSING, ("spec.model", "Required value")),
    _BAD("neither job nor uri", _MODEL, {}, ("spec.model has 0 of", "compressionJob")),
    _BAD(
        "job and uri",
        _MODEL,
        {"compressionJob": "small", "uri": "pvc://a/b", "digest": DIGEST},
        ("spec.model has 2 of", "uri and digest"),
    ),
    _BAD(
        "two jobs",
        _MODEL,
        {"compressionJob": "small", "searchJob": "digits"},
        ("spec.model has 2 of", "give exactly one"),
    ),
    _BAD("a revision before the first", "spec.revision", 0, ("spec.revision", "0", "1")),
    _BAD(
        "a promotion by nobody",
        "spec.promotion",
        "Never",
        ("spec.promotion", "Automatic", "Manual"),
    ),
    _BAD(
        "a rate above all",
        "spec.rollout.canary.checks",
        {"maxErrorRate": "1.5"},
        ("maxErrorRate is 1.5", "from 0 to 1"),
        base="canary",
    ),
    _BAD(
        "a canary that must be faster",
        "spec.rollout.canary.checks",
        {"maxLatencyRatio": "0.5"},
        ("maxLatencyRatio is 0.5", "from 1"),
        base="canary",
    ),
    _BAD(
        "more than all answers",
        "spec.rollout.canary.checks",
        {"minAgreement": "1.01"},
        ("minAgreement is 1.01", "from 0 to 1"),
        base="canary",
    ),
    _BAD(
        "a tolerance below nothing",
        "spec.rollout.canary.checks",
        {"tolerance": "-0.1"},
        ("tolerance is -0.1", "from 0 to 1000"),
        base="canary",
    ),
    _BAD(
        "a check of no requests",
        "spec.rollout.canary.checks",
        {"minRequests": 0},
        ("minRequests", "0", "1"),
        base="canary",
    ),
    _BAD(
        "a uri without its digest",
        f"{_MODEL}.digest",
        MISSING,
        ("uri and digest belong together", "only uri is given"),
        base="named",
    ),
    _BAD(
        "a model by http",
        f"{_MODEL}.uri",
        "https://example.com/model",
        ("spec.model.uri", "https://example.com/model", "pvc://CLAIM/PATH"),
        base="named",
    ),
    _BAD(
        "a claim without a folder",
        f"{_MODEL}.uri",
        "pvc://models",
        ("spec.model.uri", "pvc://models", "pvc://CLAIM/PATH"),
        base="named",
    ),
    _BAD(
        "a model outside of the claim",
        f"{_MODEL}.uri",
        "pvc://models/../other",
        ("spec.model.uri", "leaves the claim"),
        base="named",
    ),
    _BAD(
        "a digest of another kind",
        f"{_MODEL}.digest",
        "md5:0",
        ("spec.model.digest", "md5:0", "should match"),
        base="named",
    ),
    _BAD(
        "a job with a long name",
        f"{_MODEL}.compressionJob",
        "a" * 41,
        ("spec.model.compressionJob", "Too long", "40"),
    ),
    _BAD(
        "a baseline of an artifact",
        "spec.acceptBaseline",
        True,
        ("spec.acceptBaseline", "only with model.compressionJob"),
        base="named",
    ),
    _BAD("a name that is none of a Service", "metadata.name", "7digits", ("7digits", "Service")),
    _BAD("a long name", "metadata.name", "a" * 41, ("41 characters", "at most 40")),
    _BAD("fewer than no pods", "spec.replicas", -1, ("spec.replicas", "-1", "0")),
    _BAD("too many pods", "spec.replicas", 1001, ("spec.replicas", "1001", "1000")),
    _BAD(
        "a strategy that there is not",
        "spec.rollout.strategy",
        "BlueGreen",
        ("spec.rollout.strategy", "BlueGreen", "RollingUpdate"),
    ),
    _BAD(
        "no time at all",
        "spec.rollout.progressDeadline",
        "0s",
        ("progressDeadline is 0s", "from 1s to 86400s"),
    ),
    _BAD(
        "a duration in words",
        "spec.rollout.progressDeadline",
        "ten minutes",
        ("spec.rollout.progressDeadline", "is ten minutes", "such as 1m30s"),
    ),
    _BAD("an endless drain", "spec.server.drain", "1h", ("drain is 1h", "from 0s to 600s")),
    _BAD(
        "a connection of two days",
        "spec.server.connectionMaxAge",
        "48h",
        ("connectionMaxAge is 48h", "from 0s to 86400s"),
    ),
    _BAD("a batch of nothing", "spec.server.maxBatchSize", 0, ("spec.server.maxBatchSize", "0")),
    _BAD(
        "an endless request",
        "spec.server.maxRequestBytes",
        2**31,
        ("maxRequestBytes", "1073741824"),
    ),
    _BAD("no queue", "spec.server.maxQueue", 0, ("spec.server.maxQueue", "1")),
    _BAD(
        "a canary of no steps",
        "spec.rollout.canary.steps",
        [],
        ("spec.rollout.canary.steps", "at least 1"),
        base="canary",
    ),
    _BAD(
        "a canary of no pods",
        "spec.rollout.canary.steps.0.replicas",
        0,
        ("spec.rollout.canary.steps[0].replicas", "0"),
        base="canary",
    ),
    _BAD(
        "a canary without a pause",
        "spec.rollout.canary.steps.0.pause",
        "0s",
        ("pause is 0s", "from 1s"),
        base="canary",
    ),
    _BAD(
        "a canary of another strategy",
        "spec.rollout.strategy",
        "RollingUpdate",
        ("canary has a meaning only with strategy Canary",),
        base="canary",
    ),
    _BAD("restarts below 0", "spec.rollout.maxRestarts", -1, ("spec.rollout.maxRestarts", "-1")),
    _BAD(
        "an autoscaler without a limit",
        "spec.autoscaling",
        {"minReplicas": 1},
        ("spec.autoscaling.maxReplicas", "Required value"),
    ),
    _BAD(
        "an autoscaler upside down",
        "spec.autoscaling",
        {"minReplicas": 5, "maxReplicas": 2},
        ("autoscaling.minReplicas is 5", "maxReplicas is 2"),
    ),
    _BAD(
        "a budget below 0",
        "spec.disruptionBudget",
        {"maxUnavailable": -1},
        ("spec.disruptionBudget.maxUnavailable", "-1"),
    ),
)

SERVER_CHECKS = (
    _BAD(
        "an amount that is none",
        "spec.resources.limits.cpu",
        "one",
        ("spec.resources.limits has cpu 'one'", "500m"),
    ),
    _BAD(
        "resources of another kind",
        "spec.resources.claims",
        [],
        ("spec.resources.claims is not allowed", "requests, limits"),
    ),
    _BAD(
        "an autoscaler that has nothing to compare with",
        "spec.autoscaling",
        {"maxReplicas": 3},
        ("spec.autoscaling", "spec.resources.requests.cpu is missing"),
        base="named",
    ),
    _BAD(
        "the host's network",
        "spec.podTemplate.spec.hostNetwork",
        True,
        ("spec.podTemplate.spec.hostNetwork is not allowed",),
        base="pod",
    ),
    _BAD(
        "a container of a job",
        "spec.podTemplate.spec.containers.0.name",
        "trial",
        ("spec.podTemplate.spec.containers", "'trial'", "'server' only"),
        base="pod",
    ),
    _BAD(
        "a variable that is taken",
        "spec.podTemplate.spec.containers.0.env.0.name",
        "WINNOW_THREADS",
        ("spec.podTemplate.spec.containers[server].env has WINNOW_THREADS", "taken"),
        base="pod",
    ),
    _BAD(
        "resources in two places",
        "spec.podTemplate.spec.containers.0.resources",
        {"limits": {"cpu": "1"}},
        ("spec.podTemplate.spec.containers[server].resources", "spec.resources"),
        base="pod",
    ),
    _BAD(
        "a label that is taken",
        "spec.podTemplate.metadata.labels",
        {"winnow.dev/revision": "7"},
        ("spec.podTemplate.metadata.labels has winnow.dev/revision",),
        base="pod",
    ),
)
