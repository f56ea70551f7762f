"""The operator's own Prometheus metrics, all in one place; `objects` has those of single jobs.

Names mirror controller-runtime's where the meaning is the same. No label grows with the number
of trials, jobs or namespaces. docs/metrics.md lists them all.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.causes import CAUSES, STOP_CAUSES
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.servers.revisions import ENDED

# Nothing reads them, and they would be half of all series.
disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client has no type for it

RECONCILES = Counter(
    "winnow_reconcile",
    "Reconciles by result (done, again, error, fenced).",
    ["controller", "result"],
)
RECONCILE_ERRORS = Counter(
    "winnow_reconcile_errors", "Reconciles that found a bug in the operator.", ["controller"]
)
RECONCILE_SECONDS = Histogram(
    "winnow_reconcile_time_seconds",
    "Time of one reconcile.",
    ["controller"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
ACTIVE_WORKERS = Gauge("winnow_active_workers", "Reconciles that run now.", ["controller"])
MAX_WORKERS = Gauge(
    "winnow_max_concurrent_reconciles", "Reconciles that may run at one time.", ["controller"]
)
QUEUE_DEPTH = Gauge("winnow_workqueue_depth", "Keys that are due and wait for a worker.")
QUEUE_ADDS = Counter("winnow_workqueue_adds", "Keys that were put on the queue.")
QUEUE_RETRIES = Counter("winnow_workqueue_retries", "Reconciles that were put back after an error.")
QUEUE_SECONDS = Histogram(
    "winnow_workqueue_queue_duration_seconds",
    "Time that a key waited for a worker after it was due.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
QUEUE_OLDEST_SECONDS = Gauge(
    "winnow_workqueue_oldest_wait_seconds", "How long the key that is due longest has waited."
)
LONGEST_WORK_SECONDS = Gauge(
    "winnow_workqueue_longest_running_processor_seconds",
    "How long the reconcile that runs longest has run.",
)
API_REQUESTS = Counter(
    "winnow_rest_client_requests",
    "Calls to the API server; code is the HTTP status, or none without an answer.",
    ["method", "resource", "code"],
)
API_SECONDS = Histogram(
    "winnow_rest_client_request_duration_seconds",
    "Time of one call to the API server.",
    ["method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LEADER = Gauge("winnow_leader_election_master_status", "1 while this replica leads.")
RESYNCED = Counter(
    "winnow_resync_jobs", "Jobs that a look past the watch put on the queue, by cause.", ["cause"]
)
TRIALS_FINISHED = Counter(
    "winnow_trials_finished",
    "Trials that got an outcome; of failed and stopped ones by cause.",
    ["controller", "outcome", "cause"],
)
TRIALS_ACTIVE = Gauge(
    "winnow_trials_active", "Trials of running jobs without an outcome.", ["controller"]
)
SEARCHJOBS_FINISHED = Counter("winnow_searchjobs_finished", "SearchJobs that ended.", ["reason"])
COMPRESSIONJOBS_FINISHED = Counter(
    "winnow_compressionjobs_finished", "CompressionJobs that ended.", ["reason"]
)
SEARCHJOBS_HELD = Gauge(
    "winnow_searchjobs_running", "Running SearchJobs whose ledger is in memory."
)
COMPRESSIONJOBS_HELD = Gauge(
    "winnow_compressionjobs_running", "Running CompressionJobs whose ledger is in memory."
)
JOBS_FINISHED = {Kind.SEARCH: SEARCHJOBS_FINISHED, Kind.COMPRESSION: COMPRESSIONJOBS_FINISHED}
JOBS_HELD = {Kind.SEARCH: SEARCHJOBS_HELD, Kind.COMPRESSION: COMPRESSIONJOBS_HELD}
ROLLOUTS = Counter(
    "winnow_rollouts",
    "Rollouts of ModelServers that ended, by what became of the revision.",
    ["outcome"],
)
SUGGEST_SECONDS = Histogram(
    "winnow_suggest_time_seconds",
    "Time that an engine took for one batch of suggestions.",
    ["algorithm"],
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30),
)

# A counter that begins with its first event hides that event from rate() and increase(), and a
# gauge that is not there yet reads as no data.
for kind in Kind:
    RECONCILE_ERRORS.labels(kind.word)
    ACTIVE_WORKERS.labels(kind.word)
for kind in (Kind.SEARCH, Kind.COMPRESSION):
    TRIALS_FINISHED.labels(kind.word, Outcome.SUCCEEDED, "")
    for cause in ("", *sorted(STOP_CAUSES)):
        TRIALS_FINISHED.labels(kind.word, Outcome.STOPPED, cause)
    for cause in sorted(CAUSES):
        TRIALS_FINISHED.labels(kind.word, Outcome.FAILED, cause)
for ended in ENDED:
    ROLLOUTS.labels(ended.value)
