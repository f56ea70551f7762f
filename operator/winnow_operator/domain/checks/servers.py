"""Whether a ModelServer can work at all: sentences about all that admission could not see.

Unlike a job, a server that cannot work is not over: what serves goes on, and an edited spec heals it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from winnow_contract.uris import UriError, parse_claim
from winnow_operator.api.fields import DURATION_EXAMPLE, duration_seconds
from winnow_operator.api.modelserver import ModelServerSpec, Strategy
from winnow_operator.api.modelserver_rules import MAX_SECONDS
from winnow_operator.domain.checks.pod_templates import check_pod_template, check_resources
from winnow_operator.domain.checks.searches import one_line
from winnow_operator.domain.servers.pods import SERVER

Check = Callable[[ModelServerSpec], Iterator[str]]
MAX_TOLERANCE = 1000


def check_server(spec: ModelServerSpec) -> list[str]:
    """All that is wrong with a spec, a sentence each; empty if it can be served."""
    return [one_line(sentence) for check in CHAIN for sentence in check(spec)]


def model_is_named(spec: ModelServerSpec) -> Iterator[str]:
    """One job, or one artifact by URI and digest."""
    model = spec.model
    given = [s for s in (model.compression_job, model.search_job, model.uri) if s is not None]
    if len(given) != 1:
        yield f"spec.model has {len(given)} of compressionJob, searchJob and uri: give exactly one"
    if (model.uri is None) != (model.digest is None):
        yield "spec.model.uri and spec.model.digest belong together: give both"
    if spec.accept_baseline and model.compression_job is None:
        yield "spec.acceptBaseline has a meaning only with spec.model.compressionJob: leave it out"
    if model.uri is not None:
        yield from _artifact_is_in_a_claim(model.uri)


def _artifact_is_in_a_claim(uri: str) -> Iterator[str]:
    try:
        found = parse_claim(uri)
    except UriError as error:
        yield f"spec.model.uri: {error}"
        return
    if not found.path:
        yield f"spec.model.uri is {uri}, allowed is pvc://CLAIM/PATH, the folder of an artifact"


def durations_are_in_range(spec: ModelServerSpec) -> Iterator[str]:
    """Neither endless nor nothing."""
    steps = spec.rollout.canary.steps if spec.rollout.canary else ()
    given = [
        ("spec.rollout.progressDeadline", 1, spec.rollout.progress_deadline),
        ("spec.server.connectionMaxAge", 0, spec.server.connection_max_age),
        ("spec.server.drain", 0, spec.server.drain),
        *((f"spec.rollout.canary.steps[{i}].pause", 1, s.pause) for i, s in enumerate(steps)),
    ]
    for path, least, text in given:
        most = MAX_SECONDS[path.rpartition(".")[2]]
        if not least <= duration_seconds(text) <= most:
            allowed = f"durations from {least}s to {most}s, such as {DURATION_EXAMPLE}"
            yield f"{path} is {text}, allowed are {allowed}"


def canary_has_its_strategy(spec: ModelServerSpec) -> Iterator[str]:
    """Steps are for a canary."""
    if spec.rollout.canary is not None and spec.rollout.strategy is not Strategy.CANARY:
        yield "spec.rollout.canary has a meaning only with strategy Canary: set it, or leave canary out"


def resources_are_amounts(spec: ModelServerSpec) -> Iterator[str]:
    """Requests and limits, and a request where an autoscaler compares with it."""
    resources, path = spec.resources or {}, "spec.resources"
    for name in resources:
        if name not in {"requests", "limits"}:
            yield f"{path}.{name} is not allowed, allowed are requests, limits"
    yield from check_resources(resources, path)


def autoscaling_can_work(spec: ModelServerSpec) -> Iterator[str]:
    """An autoscaler compares with what a pod requests."""
    scaling = spec.autoscaling
    if scaling is None:
        return
    if scaling.min_replicas > scaling.max_replicas:
        yield (
            f"spec.autoscaling.minReplicas is {scaling.min_replicas}, maxReplicas is "
            f"{scaling.max_replicas}: make it at most as many"
        )
    if not any(amount_of(spec, part, "cpu") for part in ("requests", "limits")):
        yield (
            "spec.autoscaling compares processor time with what a pod requests, and "
            "spec.resources.requests.cpu is missing: give it"
        )


def pod_template_is_allowed(spec: ModelServerSpec) -> Iterator[str]:
    """What is laid over the pods; resources have a field of their own, since threads follow from them."""
    faults = list(check_pod_template(spec, SERVER))
    yield from faults
    pod = (spec.pod_template or {}).get("spec") or {}
    if not faults and any("resources" in c for c in pod.get("containers") or ()):
        yield (
            f"spec.podTemplate.spec.containers[{SERVER}].resources is not allowed, spec.resources "
            "is the place for them: the number of threads follows from it"
        )


def thresholds_are_in_range(spec: ModelServerSpec) -> Iterator[str]:
    """What a canary must keep."""
    canary = spec.rollout.canary
    if canary is None:
        return
    path, checks = "spec.rollout.canary.checks", canary.checks
    for name, given in (
        ("maxErrorRate", checks.max_error_rate),
        ("minAgreement", checks.min_agreement),
    ):
        if not 0 <= float(given) <= 1:
            yield f"{path}.{name} is {given}, allowed are numbers from 0 to 1"
    if not float(checks.max_latency_ratio) >= 1:
        yield f"{path}.maxLatencyRatio is {checks.max_latency_ratio}, allowed are numbers from 1"
    if not 0 <= float(checks.tolerance) <= MAX_TOLERANCE:
        yield (
            f"{path}.tolerance is {checks.tolerance}, allowed are numbers from 0 to {MAX_TOLERANCE}"
        )


CHAIN: tuple[Check, ...] = (
    model_is_named,
    durations_are_in_range,
    canary_has_its_strategy,
    thresholds_are_in_range,
    resources_are_amounts,
    autoscaling_can_work,
    pod_template_is_allowed,
)


def amount_of(spec: ModelServerSpec, part: str, resource: str) -> str | None:
    """What a server pod requests or may use of a resource, as it is written.

    Args:
        spec: of the server.
        part: `requests` or `limits`.
        resource: such as `cpu`.
    """
    amounts = (spec.resources or {}).get(part)
    amount = amounts.get(resource) if isinstance(amounts, Mapping) else None
    return None if amount is None else str(amount)


def threads_of(spec: ModelServerSpec) -> int:
    """Threads of a server: its CPU limit, rounded up; one where there is none."""
    amount = amount_of(spec, "limits", "cpu")
    return 1 if amount is None else max(1, math.ceil(_cores(amount)))


_UNITS = {"n": "1e-9", "u": "1e-6", "m": "1e-3", "k": "1e3", "M": "1e6"}


def _cores(amount: str) -> Decimal:
    number, factor = (amount[:-1], _UNITS[amount[-1]]) if amount[-1:] in _UNITS else (amount, "1")
    try:
        return Decimal(number) * Decimal(factor)
    except ArithmeticError:  # a unit that no one counts processors in
        return Decimal(1)
