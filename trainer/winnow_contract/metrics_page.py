"""A Prometheus page of the running trials, served by a thread: text format, nothing else.

Each trial has its own series while it runs and none afterwards. A port that cannot be had is no
reason not to train: the page is simply not served.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

REQUEST_SECONDS = 10
"""How long a scraper may take to say what it wants."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_HELP = {
    "winnow_trial_info": "What the trial belongs to; always 1.",
    "winnow_trial_metric": "Latest value of a metric of a running trial.",
    "winnow_trial_step": "Latest step (epoch) of a running trial.",
    "winnow_trial_rung_value": "Objective of a running trial when it reached a rung.",
    "winnow_trial_rung_timestamp_seconds": "When a running trial reached a rung.",
}


class MetricsPage:
    """The latest figures of every running trial; safe to use from several threads.

    Args:
        labels: of all series, besides the trial's name.
    """

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self._own = dict(labels or {})
        self._lock = threading.Lock()
        self._labels: dict[str, dict[str, str]] = {}
        self._steps: dict[str, int] = {}
        self._values: dict[str, dict[str, float]] = {}
        self._rungs: dict[str, dict[int, tuple[float, float]]] = {}

    def start(self, trial: str, labels: Mapping[str, str]) -> None:
        """Show a trial, with labels that say what it belongs to."""
        with self._lock:
            self._labels[trial] = dict(labels)
            self._values[trial] = {}

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> None:
        """Set a running trial's step and some of its metrics."""
        with self._lock:
            self._steps[trial] = step
            self._values.setdefault(trial, {}).update(metrics)

    def reach(self, trial: str, rung: int, value: float) -> None:
        """Note that a running trial has reached a rung; a later scrape still sees it."""
        with self._lock:
            self._rungs.setdefault(trial, {})[rung] = (value, time.time())

    def end(self, trial: str) -> None:
        """Drop all series of a trial."""
        with self._lock:
            for series in (self._labels, self._steps, self._values, self._rungs):
                series.pop(trial, None)

    def render(self) -> str:
        """The page in Prometheus' text format."""
        with self._lock:
            samples = self._samples()
        lines: list[str] = []
        for name, series in samples.items():
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge"]
            lines += [
                f"{name}{_labels({**labels, **self._own})} {_number(value)}"
                for labels, value in series
            ]
        return "\n".join(lines) + "\n"

    def _samples(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        """Labels and value of each series, by name."""
        reached = [
            ({"trial": trial, "rung": str(rung)}, value, at)
            for trial, rungs in self._rungs.items()
            for rung, (value, at) in rungs.items()
        ]
        return {
            "winnow_trial_info": [
                ({"trial": trial, **labels}, 1.0) for trial, labels in self._labels.items()
            ],
            "winnow_trial_metric": [
                ({"trial": trial, "metric": metric}, value)
                for trial, values in self._values.items()
                for metric, value in values.items()
            ],
            "winnow_trial_step": [
                ({"trial": trial}, float(step)) for trial, step in self._steps.items()
            ],
            "winnow_trial_rung_value": [(labels, value) for labels, value, _ in reached],
            "winnow_trial_rung_timestamp_seconds": [(labels, at) for labels, _, at in reached],
        }


def _labels(labels: Mapping[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    # The format spells what is not finite as Go does.
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(str(value), repr(value))


class _Server(ThreadingHTTPServer):
    """Serves on IPv4 and IPv6 alike: a pod may have an address of either kind alone."""

    daemon_threads = True

    def __init__(
        self, port: int, handler: type[BaseHTTPRequestHandler], family: socket.AddressFamily
    ) -> None:
        self.address_family = family
        super().__init__(("", port), handler)

    def server_bind(self) -> None:  # type: ignore[explicit-override] # needs 3.12
        """Bind without looking up a host name, which may wait for a name server."""
        if self.address_family is socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "", int(self.server_address[1])

    def handle_error(self, *_: object) -> None:  # type: ignore[explicit-override] # needs 3.12
        """A scraper that hangs up is nothing that the trial's log should show."""


def serve(page: MetricsPage, port: int) -> ThreadingHTTPServer | None:
    """Serve the page on all addresses of the pod; None if the port is 0 or taken."""
    if port == 0:
        return None

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS

        def do_GET(self) -> None:
            body = page.render().encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:  # type: ignore[explicit-override] # needs 3.12
            """Keep scrapes out of the trial's log."""

    for family in (socket.AF_INET6, socket.AF_INET):  # a node may have no IPv6 at all
        with contextlib.suppress(OSError):
            server = _Server(port, Handler, family)
            threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
            return server
    return None
