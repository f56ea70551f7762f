"""How the operator finds its API server, and the token that it shows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.config import incluster_config

from winnow_operator.errors import UnavailableError
from winnow_operator.kube.connection import connect, current_credentials


def kubeconfig(path: Path, user: dict[str, Any], **cluster: Any) -> dict[str, str]:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(json.dumps(document))
    return {"KUBECONFIG": str(path)}


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files and variables that a pod has; gives the token's file."""
    token, authority = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("first")
    authority.write_text("a certificate")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(authority))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return token


def rotate(token: Path) -> None:
    token.write_text("second")


async def test_a_kubeconfig_that_is_named_is_used(tmp_path: Path) -> None:
    environment = kubeconfig(tmp_path / "kubeconfig", {"token": "secret"})

    async with await connect(environment) as client:
        assert client.configuration.host == "http://127.0.0.1:1"
        assert client.configuration.api_key == {"BearerToken": "Bearer secret"}


async def test_kopf_gets_the_same_server_and_user(tmp_path: Path) -> None:
    environment = kubeconfig(
        tmp_path / "kubeconfig", {"token": "secret"}, **{"insecure-skip-tls-verify": True}
    )

    found = await current_credentials(environment)

    assert (found.server, found.scheme, found.token) == ("http://127.0.0.1:1", "Bearer", "secret")
    assert not found.verify


async def test_a_kubeconfig_without_a_token_is_a_user_without_one(tmp_path: Path) -> None:
    found = await current_credentials(kubeconfig(tmp_path / "kubeconfig", {}))

    assert (found.scheme, found.token) == (None, None)


async def test_in_a_pod_its_service_account_is_used_and_its_token_read_anew(pod: Path) -> None:
    before = await current_credentials({})
    rotate(pod)
    after = await current_credentials({})

    assert before.server == "https://10.0.0.1:443"
    assert (before.token, after.token) == ("first", "second")


@pytest.mark.usefixtures("pod")
async def test_a_kubeconfig_that_is_named_wins_over_the_pods_own_cluster(tmp_path: Path) -> None:
    found = await current_credentials(kubeconfig(tmp_path / "kubeconfig", {"token": "secret"}))

    assert found.token == "secret"  # noqa: S105 -- no secret


@pytest.mark.parametrize("content", [None, "", "{", "[]", "current-context: gone", "a: b: c"])
async def test_a_kubeconfig_that_does_not_work_is_named_with_what_to_do(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)

    with pytest.raises(UnavailableError, match="set KUBECONFIG to one that does") as caught:
        await connect({"KUBECONFIG": str(path)})

    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, False),
        ({"NO_PROXY": "10.0.0.1", "HTTP_PROXY": "http://proxy.example.test:3128"}, False),
        ({"https_proxy": "http://proxy.example.test:3128"}, True),
    ],
)
async def test_requests_ask_the_environment_only_where_it_has_a_proxy_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, asked: bool
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    environment = kubeconfig(tmp_path / "kubeconfig", {}, server="https://10.0.0.1:443")

    async with await connect(environment) as client:
        assert client.configuration.client_session_kwargs == {"trust_env": asked}
