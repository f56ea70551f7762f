"""Lays `spec.podTemplate` over the operator's pod template.

Only fields of the allow-list come here (`domain.checks.pod_templates` refuses the others). Maps
are merged, lists of named things are joined, and what the operator sets itself is not changed:
Pod Security and the trial contract rest on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_JOINED = ("env", "envFrom", "volumeMounts")
_DEFAULTS = frozenset({"imagePullPolicy"})
"""Fields of the container that the operator sets only where the user does not."""
_POD_DEFAULTS = frozenset({"terminationGracePeriodSeconds", "topologySpreadConstraints"})
"""The same of the pod."""


def overlay_pod(template: Mapping[str, Any], overlay: Mapping[str, Any] | None) -> dict[str, Any]:
    """The pod template with the user's fields over it; its first container is the one they change."""
    if not overlay:
        return dict(template)
    return {
        "metadata": _metadata(template["metadata"], overlay.get("metadata") or {}),
        "spec": _spec(template["spec"], overlay.get("spec") or {}),
    }


def _metadata(own: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("labels", "annotations")
    return {key: {**(user.get(key) or {}), **own.get(key, {})} for key in keys}


def _spec(own: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **user,
        **own,
        **{key: value for key, value in user.items() if key in _POD_DEFAULTS},
        "volumes": _joined(own["volumes"], user.get("volumes")),
        "containers": [_container(own["containers"][0], user)],
    }


def _container(own: Mapping[str, Any], pod: Mapping[str, Any]) -> dict[str, Any]:
    named = (c for c in pod.get("containers") or () if c.get("name") == own["name"])
    user: Mapping[str, Any] = next(named, {})
    defaults = {key: value for key, value in user.items() if key in _DEFAULTS}
    lists = {key: _joined(own.get(key, ()), user.get(key)) for key in _JOINED}
    return {**user, **own, **defaults, **{key: value for key, value in lists.items() if value}}


def _joined(own: Iterable[Any], user: Iterable[Any] | None) -> list[Any]:
    # The operator's come first, so that the user's variables may refer to them as $(NAME).
    taken = {entry["name"] for entry in own if "mountPath" not in entry}
    rest = (e for e in user or () if "mountPath" in e or e.get("name") not in taken)
    return [*own, *rest]
