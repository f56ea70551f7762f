"""The chart's roles allow what the code calls, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, ROOT, Document, find, render
from winnow_operator.kube import resources

Right = tuple[str, str, str]
"""API group, resource and verb."""

VERBS = {
    "apply": ("create patch", ""),
    "get": ("get", ""),
    "list": ("list", ""),
    "pages": ("list", ""),
    "create": ("create", ""),
    "create_unfenced": ("create", ""),
    "apply_status": ("patch", "/status"),
    "merge": ("patch", ""),
    "replace_unfenced": ("update", ""),
    "delete": ("delete", ""),
    "delete_all": ("deletecollection", ""),
}
"""The gateway's methods, and the verbs and subresource that each needs."""

NOT_IN_THE_CODE: dict[Right, str] = {
    ("winnow.dev", f"{kind}/finalizers", "update"): "for blockOwnerDeletion on OpenShift"
    for kind in ("searchjobs", "compressionjobs", "modelservers")
}

LISTS = yaml.safe_load((CHART / "files/rbac.yaml").read_text())


def rights(rules: list[dict[str, Any]]) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def calls() -> Iterator[ast.Call]:
    for path in (ROOT / "operator/winnow_operator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node


def gateway_rights() -> set[Right]:
    found = set()
    for call in calls():
        assert isinstance(call.func, ast.Attribute)
        owner, method = call.func.value, call.func.attr
        if not (isinstance(owner, ast.Attribute) and owner.attr == "gateway"):
            continue
        verbs, subresource = VERBS[method]
        plurals = [(r.group, r.plural + subresource) for r in named(call.args[0])]
        found |= {(*plural, verb) for plural in plurals for verb in verbs.split()}
    return found


def named(argument: ast.expr) -> list[resources.Resource]:
    """The resources that an argument names: `PODS`, or all of a table, as by `JOB_KINDS[kind]`."""
    if isinstance(argument, ast.Subscript):
        return list(getattr(resources, ast.unparse(argument.value)).values())
    assert isinstance(argument, ast.Name), ast.unparse(argument)
    return [getattr(resources, argument.id)]


def watch_rights() -> set[Right]:
    known = {"GROUP": "winnow.dev"}
    found = set()
    for call in calls():
        if ast.unparse(call.func) != "kopf.on.event":
            continue
        group = call.args[0]
        api = known[group.id] if isinstance(group, ast.Name) else ast.literal_eval(group)
        for plural in plurals(call.args[2]):
            found |= {(api, plural, "list"), (api, plural, "watch")}
    return found


def plurals(argument: ast.expr) -> list[str]:
    """What a handler watches: `"pods"`, or all own kinds by `OWN_KINDS[kind].plural`."""
    if isinstance(argument, ast.Attribute):
        return [resource.plural for resource in named(argument.value)]
    return [ast.literal_eval(argument)]


def test_the_roles_hold_exactly_what_the_code_calls() -> None:
    called = gateway_rights() | watch_rights()
    granted = rights(LISTS["watched"]) | rights(LISTS["own"])

    assert len(called) > 15, "the calls were not found in the code"
    assert called - granted == set(), "called, but not granted"
    assert granted - called == set(NOT_IN_THE_CODE), "granted, but never called"


def test_only_the_lease_is_in_the_own_role_and_it_alone_is_limited_by_name() -> None:
    lease = find(render({"leaderElection": {"leaseName": "blue"}}), "Role", "winnow-operator-lease")

    limited = {tuple(r["verbs"]): r.get("resourceNames") for r in lease["rules"]}
    assert limited == {("create",): None, ("get", "update"): ["blue"]}
    assert {r for _, r, _ in rights(LISTS["own"])} == {"leases"}
    assert "leases" not in {r for _, r, _ in rights(LISTS["watched"])}


def test_no_rule_uses_a_wildcard_or_reads_secrets() -> None:
    words = {word for right in rights(LISTS["watched"]) | rights(LISTS["own"]) for word in right}

    assert "*" not in words
    assert "secrets" not in words


def test_a_cluster_wide_install_binds_the_list_for_the_cluster() -> None:
    documents = render()

    assert find(documents, "ClusterRole", "winnow-operator")["rules"] == LISTS["watched"]
    binding = find(documents, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == "winnow-operator"
    assert binding["subjects"] == [subject()]


def test_a_namespaced_install_binds_the_same_list_in_each_namespace_and_nothing_cluster_wide() -> (
    None
):
    documents = render({"watchNamespaces": ["blue", "green"]})

    roles = [d for d in documents if d["kind"] == "Role" and d["rules"] == LISTS["watched"]]
    bindings = [d for d in documents if d["kind"] == "RoleBinding"]
    bound = {
        d["metadata"]["namespace"] for d in bindings if d["roleRef"]["name"] == "winnow-operator"
    }
    assert {d["metadata"]["namespace"] for d in roles} == bound == {"blue", "green"}
    assert all(d["subjects"] == [subject()] for d in bindings)
    cluster_wide = {d["kind"] for d in documents if d["kind"].startswith("Cluster")}
    assert cluster_wide == set()


def test_without_rbac_no_role_is_made() -> None:
    documents = render({"rbac": {"create": False}})

    assert not [d for d in documents if "Role" in d["kind"]]


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_everybody_who_may_view_reads_jobs_and_trials(role: str) -> None:
    granted = aggregated(render(), role)

    for plural in ("searchjobs", "compressionjobs", "modelservers", "trials"):
        assert {("winnow.dev", plural, v) for v in ("get", "list", "watch")} <= granted


@pytest.mark.parametrize("role", ["edit", "admin"])
def test_editors_write_jobs_and_only_read_trials(role: str) -> None:
    granted = aggregated(render(), role)

    writes = {(r, v) for _, r, v in granted if v not in {"get", "list", "watch"}}
    wanted = ("create", "update", "patch", "delete", "deletecollection")
    kinds = ("searchjobs", "compressionjobs", "modelservers")
    scaling = {("modelservers/scale", verb) for verb in ("update", "patch")}
    assert writes == {(kind, verb) for kind in kinds for verb in wanted} | scaling


def aggregated(documents: list[Document], role: str) -> set[Right]:
    label = f"rbac.authorization.k8s.io/aggregate-to-{role}"
    roles = [d for d in documents if d["kind"] == "ClusterRole"]
    chosen = [d for d in roles if (d["metadata"]["labels"] or {}).get(label) == "true"]
    return {right for d in chosen for right in rights(d["rules"])}


def subject() -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": "winnow-operator", "namespace": "winnow"}
