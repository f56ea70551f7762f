"""The dashboard of a whole cluster: what runs, what it costs, and how the operator fares."""

from __future__ import annotations

from monitoring.panels import QUARTER, THIRD, Dashboard, Kind, Panel, Query
from monitoring.queries import nothing, quantile, rate

_LEADS = "and on (instance) winnow_leader_election_master_status == 1"
"""The replica that works; the others stand by and say nothing of interest."""
_CALLS, _IS_WRITE = "winnow_rest_client_requests_total", 'method!="GET"'

CLUSTER = Dashboard(
    identity="winnow-cluster",
    title="Winnow / Cluster",
    words="Every search, compression and model server of the cluster, and how the operator fares.",
    panels=(
        Panel(
            "Leaders",
            (Query("sum(winnow_leader_election_master_status)", "leaders"),),
            "Replicas that lead. Anything but 1 for longer than a minute: no trial starts.",
            kind=Kind.FIGURE,
            width=QUARTER,
        ),
        Panel(
            "Running jobs",
            (
                Query("sum(winnow_searchjobs_running)", "searches"),
                Query("sum(winnow_compressionjobs_running)", "compressions"),
            ),
            "Jobs that have not ended.",
            kind=Kind.FIGURE,
            width=QUARTER,
        ),
        Panel(
            "Active trials",
            (Query("sum by (controller) (winnow_trials_active)", "{{controller}}"),),
            "Trials without an outcome: suggested, waiting for a pod, or running.",
            kind=Kind.FIGURE,
            width=QUARTER,
        ),
        Panel(
            "Alerts",
            (
                Query(
                    'count(ALERTS{alertname=~"Winnow.*", alertstate="firing"}) or vector(0)',
                    "firing",
                ),
            ),
            "Winnow's own alerts that fire now; each has a page in docs/runbooks.",
            kind=Kind.FIGURE,
            width=QUARTER,
        ),
        Panel(
            "Jobs",
            (
                Query(
                    "max by (job_namespace, job_kind, job_name, state) (winnow_job_state)",
                    "{{job_namespace}}/{{job_name}} {{state}}",
                ),
            ),
            "The state of each job as kubectl shows it; jobs that ended stay for an hour.",
            kind=Kind.TABLE,
        ),
        Panel(
            "Model servers",
            (
                Query(
                    "max by (server_namespace, server_name, state) (winnow_modelserver_state)",
                    "{{server_namespace}}/{{server_name}} {{state}}",
                ),
            ),
            "The state of each server as kubectl shows it.",
            kind=Kind.TABLE,
        ),
        Panel(
            "Trials that ended",
            (
                Query(
                    "sum by (outcome) (increase(winnow_trials_finished_total[$__rate_interval]))",
                    "{{outcome}}",
                ),
            ),
            "Trials that got an outcome, in each interval of the graph.",
        ),
        Panel(
            "Failures by cause",
            (
                Query(
                    'sum by (cause) (increase(winnow_trials_finished_total{outcome="Failed"}[$__rate_interval]))'
                    f" > 0 or on () {nothing('cause')}",
                    "{{cause}}",
                ),
            ),
            "Why trials fail; docs/operations.md says what each cause means.",
        ),
        Panel(
            "GPUs held",
            (Query(f"sum by (controller) ({rate('winnow_gpu_seconds_total')})", "{{controller}}"),),
            "GPUs that pods of jobs hold, whether they use them or not.",
        ),
        Panel(
            "Pods by namespace",
            (Query("sum by (job_namespace) (winnow_job_active_pods)", "{{job_namespace}}"),),
            "Pods of jobs that run or wait to run.",
        ),
        Panel(
            "Requests to model servers",
            (
                Query(
                    f"sum by (namespace, winnow_dev_modelserver) ({rate('winnow_server_requests_total')})",
                    "{{namespace}}/{{winnow_dev_modelserver}}",
                ),
            ),
            "Inferences a second.",
            unit="reqps",
        ),
        Panel(
            "Latency of model servers, p95",
            (
                Query(
                    quantile(
                        0.95,
                        "winnow_server_request_duration_seconds",
                        "namespace, winnow_dev_modelserver",
                    ),
                    "{{namespace}}/{{winnow_dev_modelserver}}",
                ),
            ),
            "From the whole body of a request to its answer.",
            unit="s",
        ),
        Panel(
            "Reconciles",
            (
                Query(
                    f"sum by (controller, result) ({rate('winnow_reconcile_total')})",
                    "{{controller}} {{result}}",
                ),
            ),
            "Looks at jobs and servers a second. `error` is a bug, `again` a refusal of the API server.",
            unit="ops",
        ),
        Panel(
            "Time of a reconcile, p99",
            (
                Query(
                    quantile(0.99, "winnow_reconcile_time_seconds", "controller"), "{{controller}}"
                ),
            ),
            "How long one look takes.",
            unit="s",
        ),
        Panel(
            "Queue",
            (
                Query("sum(winnow_workqueue_depth)", "due and waiting"),
                Query("sum(winnow_active_workers)", "being worked on"),
            ),
            "Jobs that wait for a worker of the operator. More `workers` help where all of them are busy.",
        ),
        Panel(
            "Wait for a worker",
            (
                Query(quantile(0.99, "winnow_workqueue_queue_duration_seconds"), "p99"),
                Query("max(winnow_workqueue_oldest_wait_seconds)", "longest now"),
            ),
            "From when a job was due to when it was looked at.",
            unit="s",
        ),
        Panel(
            "Calls to the API server",
            (Query(f"sum by (method, code) ({rate(_CALLS)})", "{{method}} {{code}}"),),
            "409 and 404 are normal; 429, 5xx and `none` are not.",
            unit="reqps",
        ),
        Panel(
            "Writes",
            (Query(f"sum by (resource) ({rate(_CALLS, _IS_WRITE)})", "{{resource}}"),),
            "What the operator writes a second. At rest it renews its Lease and writes nothing else.",
            unit="wps",
        ),
        Panel(
            "Latency of the API server, p99",
            (
                Query(
                    quantile(0.99, "winnow_rest_client_request_duration_seconds", "method"),
                    "{{method}}",
                ),
            ),
            "As the operator sees it.",
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Time of suggestions, p95",
            (Query(quantile(0.95, "winnow_suggest_time_seconds", "algorithm"), "{{algorithm}}"),),
            "What engines take for one batch of suggestions.",
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Memory of the operator",
            (Query(f"process_resident_memory_bytes {_LEADS}", "{{pod}}"),),
            "Of the replica that leads.",
            unit="bytes",
            width=THIRD,
        ),
    ),
)
