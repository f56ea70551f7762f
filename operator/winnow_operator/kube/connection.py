"""Opens the connection to the API server: in the cluster, or by a kubeconfig outside.

KUBECONFIG wins where it is set, so that tests that run in a pod reach the cluster they mean; then
comes the pod's service account, then the default kubeconfig.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config.config_exception import ConfigException

from winnow_operator.errors import UnavailableError

_UNREADABLE = (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError)
"""What the loader raises for a kubeconfig that is missing, torn or of an odd shape."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What another client needs to talk to the same API server as the same user."""

    server: str
    verify: bool
    scheme: str | None
    token: str | None
    ca_file: str | None
    certificate_file: str | None
    key_file: str | None
    proxy: str | None


async def connect(environment: Mapping[str, str] | None = None) -> ApiClient:
    """A client of the API server; nothing is asked of the server yet.

    Raises:
        UnavailableError: if there is neither a service account nor a kubeconfig that works.
    """
    return ApiClient(await _configuration(os.environ if environment is None else environment))


async def current_credentials(environment: Mapping[str, str] | None = None) -> Credentials:
    """The same as `connect` finds, read anew: tokens are rotated.

    Raises:
        UnavailableError: as `connect`.
    """
    found = await _configuration(os.environ if environment is None else environment)
    header = await found.get_api_key_with_prefix("BearerToken") or ""
    scheme, _, token = header.partition(" ")
    return Credentials(
        server=found.host,
        verify=found.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        ca_file=found.ssl_ca_cert,
        certificate_file=found.cert_file,
        key_file=found.key_file,
        proxy=found.proxy,
    )


async def _configuration(environment: Mapping[str, str]) -> Configuration:
    configuration = await _found(environment)
    # Asking the environment for a proxy and for .netrc costs two threads with each request, more
    # than the request itself, so it is asked only where a proxy is set.
    has_proxy = urlsplit(configuration.host).scheme in getproxies()
    configuration.client_session_kwargs = {"trust_env": has_proxy}
    return configuration


async def _found(environment: Mapping[str, str]) -> Configuration:
    # Retries are the queue's business: one place decides how long to wait.
    configuration = Configuration(retries=None)
    path = environment.get("KUBECONFIG")
    if not path:
        try:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except ConfigException:
            path = "~/.kube/config"
        else:
            return configuration
    try:
        await config.load_kube_config(path, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except _UNREADABLE as error:
        raise UnavailableError(
            f"no cluster to talk to: not in a pod, and kubeconfig {path} does not work ({error}); "
            "set KUBECONFIG to one that does"
        ) from error
    return configuration
