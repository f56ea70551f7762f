"""What operator and inference server agree on: settings, port, paths, names of metrics.

The operator writes the settings of a revision into the environment of its containers
(`variables`), and the server reads them back (`read_serving`). The init container `fetch` and the
server itself get the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from winnow_contract.environment import read_termination_log
from winnow_contract.errors import EnvironmentVariableError, UriError
from winnow_contract.uris import parse_claim
from winnow_contract.variables import flag, fraction, whole_number

__all__ = [
    "BATCH_SIZE_METRIC",
    "DURATION_METRIC",
    "ERROR_CODES",
    "FAULT_PREFIX",
    "FETCH_ARGUMENTS",
    "HTTP_PORT",
    "LIVE_PATH",
    "METRICS_PATH",
    "MODEL_INFO_METRIC",
    "PORT_NAME",
    "QUEUE_METRIC",
    "READY_PATH",
    "REQUESTS_METRIC",
    "SERVE_ARGUMENTS",
    "Serving",
    "model_path",
    "read_serving",
    "variables",
]

FETCH_ARGUMENTS = ("winnow_server", "fetch")
"""Arguments of the server image (its entry point is `python -m`) that copy and verify a model."""
SERVE_ARGUMENTS = ("winnow_server", "serve")
"""Arguments of the server image that serve it."""

PORT_NAME = "http"
HTTP_PORT = 8080
LIVE_PATH = "/v2/health/live"
READY_PATH = "/v2/health/ready"
"""200 until SIGTERM, 503 afterwards; the port opens once the model reproduces its golden batch."""
METRICS_PATH = "/metrics"


def model_path(name: str, revision: int) -> str:
    """Path of one revision of a model."""
    return f"/v2/models/{name}/versions/{revision}"


REQUESTS_METRIC = "winnow_server_requests_total"
"""Inference requests by `code`, the HTTP status that they were answered with."""
ERROR_CODES = "5..|422"
"""Codes of answers that are the server's or the model's fault, as a regular expression: 422 says that the
model has no finite answer to a good request. Any other 4xx is the sender's."""
DURATION_METRIC = "winnow_server_request_duration_seconds"
"""Histogram of inference requests, from the whole body to the whole answer."""
BATCH_SIZE_METRIC = "winnow_server_batch_size"
"""Histogram of the rows that the model was run on at one time."""
QUEUE_METRIC = "winnow_server_queue_length"
"""Requests that wait for the model."""
MODEL_INFO_METRIC = "winnow_server_model_info"
"""1, with the labels `digest` and `revision`."""

FAULT_PREFIX = "WINNOW_FAULT_"
"""Of settings that make a server bad on purpose. The operator never writes them; a person may, by
`podTemplate`."""

_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_DIGESTS = "sha256: and 64 hex digits"
_NAME = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")


@dataclass(frozen=True, slots=True)
class Serving:
    """How one revision of a model is served."""

    model_uri: str = ""
    """WINNOW_MODEL_URI: where the artifact lies, `pvc://CLAIM/PATH`; `fetch` alone needs it."""
    model_digest: str = ""
    """WINNOW_MODEL_DIGEST: `sha256:` and the digest of its manifest; empty: any (not for `fetch`)."""
    model_source: Path = Path("/mnt/source")
    """WINNOW_MODEL_SOURCE: where the claim is mounted, read-only, in the init container."""
    model_folder: Path = Path("/mnt/model")
    """WINNOW_MODEL_DIR: where `fetch` puts the artifact and the server reads it."""
    model_name: str = "model"
    """WINNOW_MODEL_NAME: the model's name in the protocol."""
    model_revision: int = 1
    """WINNOW_MODEL_REVISION: its version in the protocol, and a label of the metrics."""
    threads: int = 1
    """WINNOW_THREADS: of the model's computations; the CPU limit, rounded up. More than the pod may
    use makes it slower by far."""
    batching: bool = True
    """WINNOW_BATCHING: whether requests that wait at the same time are computed together. Nothing
    ever waits for others to come."""
    max_batch: int = 32
    """WINNOW_MAX_BATCH: most rows of one request, and of requests that are computed together."""
    max_queue: int = 256
    """WINNOW_MAX_QUEUE: most requests that wait; more are answered 429 at once."""
    max_request_bytes: int = 8 << 20
    """WINNOW_MAX_REQUEST_BYTES: largest body of a request; larger ones are answered 413. Up to
    `max_queue` bodies lie in memory at one time."""
    connection_max_age: int = 60
    """WINNOW_CONNECTION_MAX_AGE: seconds after which a connection is closed with its next answer,
    so that clients which keep connections reach new pods; 0: never."""
    drain_seconds: int = 10
    """WINNOW_DRAIN_SECONDS: how long after SIGTERM requests are still taken, while the cluster
    stops sending them; the pod's grace period must be longer."""
    access_log: bool = False
    """WINNOW_ACCESS_LOG: a line for each request; it costs a part of the throughput."""
    fault_digest: str = ""
    """WINNOW_FAULT_DIGEST: digest of the one model that has the faults below, to try out how a rollout
    takes them; without it none can be set, and any other model is served well."""
    fault_delay_factor: float = 1.0
    """WINNOW_FAULT_DELAY_FACTOR: every answer takes this many times as long. 1: no fault."""
    fault_crash_seconds: int = 0
    """WINNOW_FAULT_CRASH_SECONDS: after so long the server dies, answers nothing more, and says
    nothing. 0: no fault."""
    port: int = HTTP_PORT
    """WINNOW_PORT: where requests come in."""
    termination_log: Path = Path("/dev/termination-log")
    """WINNOW_TERMINATION_LOG: the file for the sentence that says why the program ended."""

    @property
    def has_faults(self) -> bool:
        """Whether the faults on purpose are those of this model."""
        return bool(self.fault_digest) and self.fault_digest == self.model_digest

    @property
    def delay_factor(self) -> float:
        """How many times as long as needed an answer takes."""
        return self.fault_delay_factor if self.has_faults else 1.0

    @property
    def crash_seconds(self) -> int:
        """After how long the server dies; 0: it does not."""
        return self.fault_crash_seconds if self.has_faults else 0


_NAMES = {
    "model_uri": "WINNOW_MODEL_URI",
    "model_digest": "WINNOW_MODEL_DIGEST",
    "model_source": "WINNOW_MODEL_SOURCE",
    "model_folder": "WINNOW_MODEL_DIR",
    "model_name": "WINNOW_MODEL_NAME",
    "model_revision": "WINNOW_MODEL_REVISION",
    "threads": "WINNOW_THREADS",
    "batching": "WINNOW_BATCHING",
    "max_batch": "WINNOW_MAX_BATCH",
    "max_queue": "WINNOW_MAX_QUEUE",
    "max_request_bytes": "WINNOW_MAX_REQUEST_BYTES",
    "connection_max_age": "WINNOW_CONNECTION_MAX_AGE",
    "drain_seconds": "WINNOW_DRAIN_SECONDS",
    "access_log": "WINNOW_ACCESS_LOG",
    "fault_digest": f"{FAULT_PREFIX}DIGEST",
    "fault_delay_factor": f"{FAULT_PREFIX}DELAY_FACTOR",
    "fault_crash_seconds": f"{FAULT_PREFIX}CRASH_SECONDS",
    "port": "WINNOW_PORT",
    "termination_log": "WINNOW_TERMINATION_LOG",
}


def variables(serving: Serving) -> dict[str, str]:
    """The environment that `read_serving` makes these settings of; defaults are left out."""
    default = Serving()
    return {
        _NAMES[field.name]: _text(getattr(serving, field.name))
        for field in fields(serving)
        if getattr(serving, field.name) != getattr(default, field.name)
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_serving(environment: Mapping[str, str]) -> Serving:
    """The settings of this container; what is not set has its default.

    Raises:
        EnvironmentVariableError: naming the variable, its value and what is allowed.
    """
    default = Serving()

    def whole(field: str, minimum: int, maximum: int) -> int:
        given: int = getattr(default, field)
        return whole_number(environment, _NAMES[field], given, minimum=minimum, maximum=maximum)

    def folder(field: str) -> Path:
        return Path(environment.get(_NAMES[field]) or getattr(default, field))

    _check_faults(environment)
    return Serving(
        model_uri=_uri(environment),
        model_digest=_matching(environment, "model_digest", _DIGEST, _DIGESTS),
        model_source=folder("model_source"),
        model_folder=folder("model_folder"),
        model_name=_matching(
            environment, "model_name", _NAME, "up to 63 letters, digits, '-', '_' and '.'"
        ),
        model_revision=whole("model_revision", 1, 2**31),
        threads=whole("threads", 1, 1024),
        batching=flag(environment, _NAMES["batching"], default=default.batching),
        max_batch=whole("max_batch", 1, 65536),
        max_queue=whole("max_queue", 1, 1_000_000),
        max_request_bytes=whole("max_request_bytes", 1024, 1 << 32),
        connection_max_age=whole("connection_max_age", 0, 86400),
        drain_seconds=whole("drain_seconds", 0, 3600),
        access_log=flag(environment, _NAMES["access_log"], default=default.access_log),
        fault_digest=_matching(environment, "fault_digest", _DIGEST, _DIGESTS),
        fault_delay_factor=fraction(
            environment, _NAMES["fault_delay_factor"], 1.0, minimum=1, maximum=1000
        ),
        fault_crash_seconds=whole("fault_crash_seconds", 0, 86400),
        port=whole("port", 0, 65535),
        termination_log=read_termination_log(environment),
    )


def _check_faults(environment: Mapping[str, str]) -> None:
    """Refuse a fault that names no model, and one that there is not."""
    faults = [name for name in environment if name.startswith(FAULT_PREFIX)]
    unknown = sorted(set(faults) - set(_NAMES.values()))
    if unknown:
        known = ", ".join(name for name in _NAMES.values() if name.startswith(FAULT_PREFIX))
        raise EnvironmentVariableError(f"{unknown[0]} is unknown, faults on purpose are: {known}")
    if faults and not environment.get(_NAMES["fault_digest"]):
        raise EnvironmentVariableError(
            f"{faults[0]} is set without {_NAMES['fault_digest']}: give the digest of the one model "
            "that is to have this fault, or leave it out"
        )


def _matching(
    environment: Mapping[str, str], field: str, pattern: re.Pattern[str], allowed: str
) -> str:
    text = environment.get(_NAMES[field]) or str(getattr(Serving(), field))
    if text and not pattern.fullmatch(text):
        raise EnvironmentVariableError(f"{_NAMES[field]} is {text[:80]!r}, allowed are {allowed}")
    return text


def _uri(environment: Mapping[str, str]) -> str:
    text = environment.get(_NAMES["model_uri"], "")
    if not text:
        return ""
    try:
        found = parse_claim(text)
    except UriError as error:
        raise EnvironmentVariableError(f"{_NAMES['model_uri']}: {error}") from error
    return f"pvc://{found.claim}/{found.path}"
