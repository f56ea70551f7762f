"""Settings of the operator process, read once from WINNOW_* environment variables.

The chart sets them from its values; a test holds the chart and docs/operations.md against this
list.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.uris import UriError, parse_claim
from winnow_contract.variables import flag
from winnow_operator.errors import WinnowError


class SettingsError(WinnowError):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an installation may choose."""

    trainer_image: str
    """WINNOW_TRAINER_IMAGE: the shared trainer image of jobs that have a `task`."""
    server_image: str
    """WINNOW_SERVER_IMAGE: the image that measures the candidates of a CompressionJob, and
    serves the models of ModelServers."""
    namespaces: tuple[str, ...] = ()
    """WINNOW_NAMESPACES: comma list of namespaces to watch; empty: all (needs a ClusterRole)."""
    identity: str = ""
    """WINNOW_POD_NAME: name of this replica in the Lease, its own alone; default: the host name and
    a random part. A replica that comes back under its name need not wait for its own Lease."""
    lease_namespace: str = "winnow"
    """WINNOW_POD_NAMESPACE: namespace of the Lease."""
    lease_name: str = "winnow-operator"
    """WINNOW_LEASE_NAME: the Lease that only one replica holds."""
    log_level: str = "INFO"
    """WINNOW_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""
    health_port: int = 8081
    """WINNOW_HEALTH_PORT: plain http, /healthz and /readyz; 0 turns it off."""
    metrics_port: int = 8080
    """WINNOW_METRICS_PORT: plain http, /metrics; 0 turns it off."""
    shown_objects: int = 200
    """WINNOW_METRICS_OBJECTS: jobs and servers that have series of their own; at most 20 each."""
    scrape_annotations: bool = False
    """WINNOW_SCRAPE_ANNOTATIONS: `true` puts `prometheus.io/scrape` and so on on pods of trials and
    servers. Switching it rolls out every server anew."""
    storage_uri: str = ""
    """WINNOW_STORAGE_URI: where artifacts go if a job does not say, `pvc://CLAIM/PATH`; empty: a
    claim `winnow-artifacts` that the operator makes in each namespace."""
    storage_size: str = "10Gi"
    """WINNOW_STORAGE_SIZE: size of the claims that the operator makes."""
    storage_class: str = ""
    """WINNOW_STORAGE_CLASS: their class; empty: the cluster's default."""
    prometheus_url: str = ""
    """WINNOW_PROMETHEUS_URL: where canaries are judged by, and running trials followed, such as
    `http://prometheus.monitoring:9090`; empty: none, canaries are judged without requests, and no trial
    is stopped across pods."""
    finished_pod_ttl_seconds: int = 300
    """WINNOW_FINISHED_POD_TTL_SECONDS: how long the last pods of an ended job stay, for logs."""
    workers: int = 4
    """WINNOW_WORKERS: jobs that are reconciled at one time; one of them is always left for other
    namespaces than the busiest."""


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_QUANTITY = re.compile(r"[1-9][0-9]*([KMGTPE]i?)?")
_URL = re.compile(r"https?://[^\s/]+\S*")
_WEEK = 7 * 24 * 3600


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: naming the variable, its value and what is allowed.
    """
    env = os.environ if environment is None else environment
    return Settings(
        trainer_image=_image(env, "trainer"),
        server_image=_image(env, "server"),
        namespaces=_namespaces(env),
        identity=env.get("WINNOW_POD_NAME") or _own_identity(),
        lease_namespace=env.get("WINNOW_POD_NAMESPACE") or "winnow",
        lease_name=env.get("WINNOW_LEASE_NAME") or "winnow-operator",
        log_level=_level(env),
        health_port=_whole(env, "WINNOW_HEALTH_PORT", 8081, top=65535),
        metrics_port=_whole(env, "WINNOW_METRICS_PORT", 8080, top=65535),
        shown_objects=_whole(env, "WINNOW_METRICS_OBJECTS", 200, top=10_000),
        scrape_annotations=_flag(env, "WINNOW_SCRAPE_ANNOTATIONS"),
        storage_uri=_storage(env),
        storage_size=_size(env),
        storage_class=env.get("WINNOW_STORAGE_CLASS", ""),
        prometheus_url=_url(env, "WINNOW_PROMETHEUS_URL"),
        finished_pod_ttl_seconds=_whole(env, "WINNOW_FINISHED_POD_TTL_SECONDS", 300, top=_WEEK),
        workers=_whole(env, "WINNOW_WORKERS", 4, bottom=1, top=64),
    )


def _image(env: Mapping[str, str], what: str) -> str:
    name = f"WINNOW_{what.upper()}_IMAGE"
    image = env.get(name, "").strip()
    if not image:
        raise SettingsError(f"{name} is not set: name the {what} image to run")
    return image


def _own_identity() -> str:
    # Two processes on one machine must never take each other for themselves.
    return f"{socket.gethostname()}_{uuid4().hex[:8]}"


def _level(env: Mapping[str, str]) -> str:
    text = env.get("WINNOW_LOG_LEVEL") or "INFO"
    if text.upper() not in _LEVELS:
        raise SettingsError(f"WINNOW_LOG_LEVEL is {text!r}, allowed are {', '.join(_LEVELS)}")
    return text.upper()


def _namespaces(env: Mapping[str, str]) -> tuple[str, ...]:
    names = [name.strip() for name in env.get("WINNOW_NAMESPACES", "").split(",")]
    for name in filter(None, names):
        if not _NAMESPACE.fullmatch(name):
            raise SettingsError(
                f"WINNOW_NAMESPACES names {name!r}, allowed are names of namespaces with commas "
                "between them, no patterns; leave it empty for all namespaces"
            )
    return tuple(dict.fromkeys(filter(None, names)))


def _whole(env: Mapping[str, str], name: str, default: int, *, top: int, bottom: int = 0) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and bottom <= int(text) <= top):  # noqa: PLR2004 -- int() of a huge text is slow
        raise SettingsError(
            f"{name} is {text[:40]!r}, allowed is a whole number from {bottom} to {top}"
        )
    return int(text)


def _flag(env: Mapping[str, str], name: str) -> bool:
    try:
        return flag(env, name, default=False)
    except EnvironmentVariableError as error:
        raise SettingsError(str(error)) from None


def _storage(env: Mapping[str, str]) -> str:
    uri = env.get("WINNOW_STORAGE_URI", "").rstrip("/")
    if uri:
        try:
            parse_claim(uri)
        except UriError as error:
            raise SettingsError(f"WINNOW_STORAGE_URI: {error}") from None
    return uri


def _url(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "").strip()
    if text and not _URL.fullmatch(text):
        raise SettingsError(f"{name} is {text!r}, allowed is a URL such as http://prometheus:9090")
    return text


def _size(env: Mapping[str, str]) -> str:
    text = env.get("WINNOW_STORAGE_SIZE") or "10Gi"
    if not _QUANTITY.fullmatch(text):
        raise SettingsError(f"WINNOW_STORAGE_SIZE is {text!r}, allowed is a size such as 10Gi")
    return text
