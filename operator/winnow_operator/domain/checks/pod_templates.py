"""Which fields of a pod `spec.podTemplate` may set: an allow-list, and names that are taken.

Below podTemplate neither schema nor CEL see anything. What is allowed here is laid over the
operator's own pod (`manifests.overlays`), so nothing that Pod Security or the trial contract rest
on is in the list. The API server then says in a dry run whether the fields make a pod.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from winnow_contract.serving import FAULT_PREFIX
from winnow_operator.api.pod_template import (
    CONTAINER_FIELDS,
    METADATA_FIELDS,
    POD_FIELDS,
    VOLUME_FIELDS,
)
from winnow_operator.domain.pods import CONTAINER

MAX_BYTES = 16_384
"""A job stays below 10 KB but for this; beyond it, a list of nodes has gone wrong."""
_PATH = "spec.podTemplate"
_TAKEN_PREFIXES = (
    "winnow.dev/",
    "app.kubernetes.io/",
    "batch.kubernetes.io/",
)
_TAKEN_LABELS = ("job-name", "controller-uid")
_TAKEN_VARIABLES = ("HOME", "JOB_COMPLETION_INDEX")
_TAKEN_MOUNTS = ("/winnow", "/tmp")  # noqa: S108 -- paths in the container, where own volumes lie
_QUANTITY = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?", re.ASCII
)
_MAPS = ("affinity", "nodeSelector")
_LISTS = (
    "containers",
    "imagePullSecrets",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
)


class WithPodTemplate(Protocol):
    """A spec whose pods may be changed."""

    @property
    def pod_template(self) -> Mapping[str, Any] | None:
        """Fields that are laid over the pods."""
        ...


def check_pod_template(spec: WithPodTemplate, container: str = CONTAINER) -> Iterator[str]:
    """All that is not allowed in `spec.podTemplate`.

    Args:
        spec: of a job or a server.
        container: the one container that it may change.
    """
    template = spec.pod_template
    if not template:
        return
    size = len(json.dumps(template, default=str).encode())
    if size > MAX_BYTES:
        yield f"{_PATH} has {size} bytes, allowed are at most {MAX_BYTES}"
    yield from _unknown(template, ("metadata", "spec"), _PATH)
    given = {name: template.get(name) for name in ("metadata", "spec")}
    parts = {name: {} if part is None else part for name, part in given.items()}
    wrong = [name for name, part in parts.items() if not isinstance(part, Mapping)]
    yield from (_not_an_object(f"{_PATH}.{name}", parts[name]) for name in wrong)
    if "metadata" not in wrong:
        yield from _check_metadata(parts["metadata"])
    if "spec" not in wrong:
        yield from _check_pod(parts["spec"], container)


def _unknown(given: Mapping[str, Any], allowed: tuple[str, ...], path: str) -> Iterator[str]:
    for name in given:
        if name not in allowed:
            yield f"{path}.{name} is not allowed, allowed are {', '.join(allowed)}"


def _not_an_object(path: str, value: object) -> str:
    return f"{path} is {str(value)[:40]!r}, it must be an object"


def _check_metadata(metadata: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(metadata, METADATA_FIELDS, f"{_PATH}.metadata")
    for field in METADATA_FIELDS:
        entries = metadata.get(field) or {}
        path = f"{_PATH}.metadata.{field}"
        if not isinstance(entries, Mapping):
            yield _not_an_object(path, entries)
            continue
        for key, value in entries.items():
            if key.startswith(_TAKEN_PREFIXES) or key in _TAKEN_LABELS:
                yield (f"{path} has {key}, which Winnow or the Job controller sets: leave it out")
            if not isinstance(value, str):
                yield f"{path} has {key} with value {value!r}, it must be a text: put it in quotes"


def _check_pod(pod: Mapping[str, Any], own: str) -> Iterator[str]:
    yield from _unknown(pod, POD_FIELDS, f"{_PATH}.spec")
    wrong = list(_wrong_kinds(pod))
    yield from wrong
    if wrong:
        return
    for volume in pod.get("volumes") or ():
        yield from _check_volume(volume)
    volumes = {str(volume.get("name", "")) for volume in pod.get("volumes") or ()}
    containers = pod.get("containers") or ()
    if len(containers) > 1:
        yield f"{_PATH}.spec.containers has {len(containers)} entries, allowed is one: {own}"
    for container in containers:
        yield from _check_container(container, volumes, own)


def _check_volume(volume: Mapping[str, Any]) -> Iterator[str]:
    name = str(volume.get("name", ""))
    path = f"{_PATH}.spec.volumes[{name}]"
    if name.startswith("winnow-"):
        yield f"{_PATH}.spec.volumes has {name}, names with winnow- are taken: rename it"
    yield from _unknown(volume, VOLUME_FIELDS, path)
    projected = volume.get("projected")
    sources = projected.get("sources") if isinstance(projected, Mapping) else None
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, Mapping) and "serviceAccountToken" in source:
            yield (
                f"{path}.projected has a source serviceAccountToken, trial pods get no token of a "
                "service account: leave it out"
            )


def _wrong_kinds(pod: Mapping[str, Any]) -> Iterator[str]:
    for field in _MAPS:
        if not isinstance(pod.get(field) or {}, Mapping):
            yield _not_an_object(f"{_PATH}.spec.{field}", pod[field])
    for field in _LISTS:
        yield from _wrong_entries(pod.get(field) or [], f"{_PATH}.spec.{field}")


def _wrong_entries(value: object, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path} is {str(value)[:40]!r}, it must be a list"
        return
    for index, entry in enumerate(value):
        if not isinstance(entry, Mapping):
            yield _not_an_object(f"{path}[{index}]", entry)


def _check_container(container: Mapping[str, Any], volumes: set[str], own: str) -> Iterator[str]:
    name, path = container.get("name"), f"{_PATH}.spec.containers"
    if name != own:
        yield f"{path} has one named {name!r}, allowed is {own!r} only"
    path = f"{path}[{own}]"
    yield from _unknown(container, CONTAINER_FIELDS, path)
    yield from check_resources(container.get("resources") or {}, f"{path}.resources")
    wrong = [
        sentence
        for field in ("env", "envFrom", "volumeMounts")
        for sentence in _wrong_entries(container.get(field) or [], f"{path}.{field}")
    ]
    yield from wrong
    if not wrong:
        yield from _check_env(container.get("env") or (), f"{path}.env")
        yield from _check_mounts(
            container.get("volumeMounts") or (), volumes, f"{path}.volumeMounts"
        )


def check_resources(resources: Any, path: str) -> Iterator[str]:
    """What is wrong with amounts of `requests` and `limits`, of which the API server only says that one of them is none."""
    if not isinstance(resources, Mapping):
        yield _not_an_object(path, resources)
        return
    for field in ("requests", "limits"):
        amounts = resources.get(field) or {}
        if not isinstance(amounts, Mapping):
            yield _not_an_object(f"{path}.{field}", amounts)
            continue
        for name, amount in amounts.items():
            if isinstance(amount, bool) or not _QUANTITY.fullmatch(str(amount)):
                yield (
                    f"{path}.{field} has {name} {str(amount)[:40]!r}, allowed are amounts such as "
                    '"500m", "2" and "4Gi"'
                )


def _check_env(variables: Any, path: str) -> Iterator[str]:
    for variable in variables:
        name = str(variable.get("name", ""))
        is_ours = name.startswith("WINNOW_") and not name.startswith(FAULT_PREFIX)
        if is_ours or name in _TAKEN_VARIABLES:
            yield (
                f"{path} has {name}, which is taken: the trial "
                "contract sets WINNOW_*, HOME and JOB_COMPLETION_INDEX"
            )
        if not isinstance(variable.get("value", ""), str):
            yield (
                f"{path} has {name} with value "
                f"{variable['value']!r}, it must be a text: put it in quotes"
            )


def _check_mounts(mounts: Any, volumes: set[str], path: str) -> Iterator[str]:
    for mount in mounts:
        where, name = str(mount.get("mountPath", "")).rstrip("/"), str(mount.get("name", ""))
        if where in _TAKEN_MOUNTS or where.startswith("/winnow/"):
            yield f"{path} has mountPath {where}, taken are /winnow and what is below, and /tmp"
        if name not in volumes:
            known = ", ".join(sorted(volumes)) or "none"
            yield f"{path} names volume {name!r}, volumes of the template: {known}"
