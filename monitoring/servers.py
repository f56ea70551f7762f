"""The dashboard of one model server."""

from __future__ import annotations

from monitoring.panels import THIRD, Dashboard, Kind, Panel, Query, Variable
from monitoring.queries import quantile, rate
from winnow_contract.serving import ERROR_CODES

_SERVER = 'namespace="$namespace", winnow_dev_modelserver="$server"'
_ERRORS = f'{_SERVER}, code=~"{ERROR_CODES}"'

SERVER = Dashboard(
    identity="winnow-server",
    title="Winnow / Model server",
    words="One ModelServer: requests, errors, latency and pods, by revision.",
    variables=(
        Variable("namespace", "Namespace", "winnow_modelserver_state", "server_namespace"),
        Variable(
            "server",
            "ModelServer",
            'winnow_modelserver_state{server_namespace="$namespace"}',
            "server_name",
        ),
    ),
    panels=(
        Panel(
            "State",
            (
                Query(
                    'max by (state) (winnow_modelserver_state{server_namespace="$namespace", '
                    'server_name="$server"})',
                    "{{state}}",
                ),
            ),
            "As kubectl shows it.",
            kind=Kind.WORD,
            width=THIRD,
        ),
        Panel(
            "Pods",
            tuple(
                Query(
                    f'max(winnow_modelserver_{word}_pods{{server_namespace="$namespace", '
                    'server_name="$server"})',
                    word,
                )
                for word in ("ready", "wanted")
            ),
            "Pods that answer, and pods that shall.",
            kind=Kind.FIGURE,
            width=THIRD,
        ),
        Panel(
            "Errors",
            (
                Query(
                    f"(sum(increase(winnow_server_requests_total{{{_ERRORS}}}[$__range]))"
                    " or on () vector(0))"
                    f" / sum(increase(winnow_server_requests_total{{{_SERVER}}}[$__range]))",
                    "of all requests",
                ),
            ),
            "Share of the requests that the server failed, in the time shown.",
            kind=Kind.FIGURE,
            unit="percentunit",
            width=THIRD,
        ),
        Panel(
            "Requests",
            (
                Query(
                    f"sum by (winnow_dev_revision, code) ({rate('winnow_server_requests_total', _SERVER)})",
                    "revision {{winnow_dev_revision}} {{code}}",
                ),
            ),
            "Inferences a second by the status of their answer; two revisions during a rollout.",
            unit="reqps",
        ),
        Panel(
            "Latency",
            tuple(
                Query(
                    quantile(share, "winnow_server_request_duration_seconds", labels=_SERVER),
                    f"p{share * 100:g}",
                )
                for share in (0.5, 0.95, 0.99)
            ),
            "From the whole body of a request to its answer.",
            unit="s",
        ),
        Panel(
            "Rows of a batch",
            (
                Query(
                    f"sum({rate('winnow_server_batch_size_sum', _SERVER)})"
                    f" / sum({rate('winnow_server_batch_size_count', _SERVER)})",
                    "mean",
                ),
            ),
            "How many rows the model is run on at once; more under load, where batching is on.",
        ),
        Panel(
            "Queue",
            (Query(f"sum by (pod) (winnow_server_queue_length{{{_SERVER}}})", "{{pod}}"),),
            "Requests that wait for the model. A queue that stays asks for more replicas.",
        ),
        Panel(
            "Memory",
            (Query(f"process_resident_memory_bytes{{{_SERVER}}}", "{{pod}}"),),
            "Of each pod.",
            unit="bytes",
        ),
        Panel(
            "Processor time",
            (Query(rate("process_cpu_seconds_total", _SERVER), "{{pod}}"),),
            "Cores that each pod uses.",
        ),
    ),
)
