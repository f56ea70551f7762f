"""Lays `spec.podTemplate` over the operator's pod template.

Only fields of the allow-list come here (`domain.pod_template_checks` refuses the others). Maps
are merged, lists of named things are joined, and what the operator sets itself is not changed:
Pod Security and the trial contract rest on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from winnow_operator.domain.pods import CONTAINER

_JOINED = ("env", "envFrom", "volumeMounts")
_DEFAULTS = frozenset({"imagePullPolicy"})
"""Fields of the container that the operator sets only where the user does not."""


def overlay_pod(template: Mapping[str, Any], overlay: Mapping[str, Any] | None) -> dict[str, Any]:
    """The pod template with the user's fields over it."""
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
        "volumes": _joined(own["volumes"], user.get("volumes")),
        "containers": [_container(own["containers"][0], _user_container(user))],
    }


def _user_container(user: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = user.get("containers") or ()
    return next((c for c in containers if c.get("name") == CONTAINER), {})


def _container(own: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {key: value for key, value in user.items() if key in _DEFAULTS}
    lists = {key: _joined(own.get(key, ()), user.get(key)) for key in _JOINED}
    return {**user, **own, **defaults, **{key: value for key, value in lists.items() if value}}


def _joined(own: Iterable[Any], user: Iterable[Any] | None) -> list[Any]:
    # The operator's come first, so that the user's variables may refer to them as $(NAME).
    taken = {entry["name"] for entry in own if "mountPath" not in entry}
    rest = (e for e in user or () if "mountPath" in e or e.get("name") not in taken)
    return [*own, *rest]
