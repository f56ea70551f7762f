"""The operator's identity in a test: the chart's own service account and roles, nothing more."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.api import Api, Body
from tests.support.chart import find, render
from winnow_operator.errors import AlreadyExistsError

PLACEHOLDER = "placeholder-namespace"
"""Stands for the namespace in what is rendered once for all tests."""

_GROUPS = {
    "ServiceAccount": "/api/v1/namespaces/{ns}/serviceaccounts",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}


async def operator_kubeconfig(
    api: Api, admin: Path, namespace: str, folder: Path, *, cluster_wide: bool = False
) -> Path:
    """A kubeconfig of the operator as the chart would install it in this namespace."""
    documents = json.loads(_documents(cluster_wide=cluster_wide).replace(PLACEHOLDER, namespace))
    for document in documents:
        if document["kind"] in _GROUPS:
            await _create(api, document, namespace)
    account = find(documents, "ServiceAccount")["metadata"]["name"]
    token = await _token(api, namespace, account)
    return write_kubeconfig(admin, folder / f"{namespace}.kubeconfig", token)


@cache
def _documents(*, cluster_wide: bool) -> str:
    """The chart's documents as JSON; rendered once, because helm takes a second."""
    values: dict[str, Any] = {"fullnameOverride": f"winnow-{PLACEHOLDER}"}
    if not cluster_wide:
        values["watchNamespaces"] = [PLACEHOLDER]
    return json.dumps(render(values, "--namespace", PLACEHOLDER))


async def _create(api: Api, document: Body, namespace: str) -> None:
    home = document["metadata"].get("namespace", namespace)
    try:
        await api.create(_GROUPS[document["kind"]].format(ns=home), document)
    except AlreadyExistsError:
        return


async def _token(api: Api, namespace: str, account: str) -> str:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    made = await api.create(path, {"spec": {"expirationSeconds": 7200}})
    return str(made["status"]["token"])


def write_kubeconfig(admin: Path, path: Path, token: str) -> Path:
    """The administrator's kubeconfig with another's token."""
    document = yaml.safe_load(admin.read_text())
    document["users"] = [
        {"name": user["name"], "user": {"token": token}} for user in document["users"]
    ]
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path
