"""The dashboards of one search and of one compression."""

from __future__ import annotations

from monitoring.panels import FULL, QUARTER, Dashboard, Kind, Panel, Query, Variable
from monitoring.queries import nothing

_JOB = 'job_uid="$uid"'


def _job_variables(kind: str, title: str) -> tuple[Variable, ...]:
    of_kind = f'job_kind="{kind}"'
    of_namespace = f'{of_kind}, job_namespace="$namespace"'
    of_name = f'{of_namespace}, job_name="$name"'
    state = "winnow_job_state"
    return (
        Variable("namespace", "Namespace", f"{state}{{{of_kind}}}", "job_namespace"),
        Variable("name", title, f"{state}{{{of_namespace}}}", "job_name"),
        # A later job of the same name has another uid: the two never stand in one graph. An earlier one
        # is found by a time that ends before.
        Variable("uid", "Uid", f"{state}{{{of_name}}}", "job_uid", only_last=True),
    )


def _job_panels(noun: str) -> tuple[Panel, ...]:
    """What is the same for both kinds of jobs."""
    return (*_job_figures(noun), *_job_curves(noun))


def _job_figures(noun: str) -> tuple[Panel, ...]:
    """How far a job is, in a row of figures."""
    return (
        Panel(
            "State",
            (Query(f"max by (state) (winnow_job_state{{{_JOB}}})", "{{state}}"),),
            "As kubectl shows it; docs/operations.md says what to do about each.",
            kind=Kind.WORD,
            width=QUARTER,
        ),
        Panel(
            "Ended",
            (
                Query(
                    f'sum(winnow_job_trials{{{_JOB}, outcome!="Active"}})'
                    f" / max(winnow_job_planned_trials{{{_JOB}}})",
                    "of all",
                ),
            ),
            f"Share of the {noun} that have an outcome.",
            kind=Kind.FIGURE,
            unit="percentunit",
            width=QUARTER,
        ),
        Panel(
            "Pods",
            (Query(f"max(winnow_job_active_pods{{{_JOB}}})", "pods"),),
            "Pods that run or wait to run.",
            kind=Kind.FIGURE,
            width=QUARTER,
        ),
        Panel(
            "Time",
            (
                Query(
                    f"(max(winnow_job_completion_timestamp_seconds{{{_JOB}}}) or on () vector(time()))"
                    f" - on () max(winnow_job_start_timestamp_seconds{{{_JOB}}})",
                    "since the first batch",
                ),
            ),
            "From the first batch to the end, or until now.",
            kind=Kind.FIGURE,
            unit="s",
            width=QUARTER,
        ),
    )


def _job_curves(noun: str) -> tuple[Panel, ...]:
    """What has become of its trials, and what they cost."""
    return (
        Panel(
            f"{noun.capitalize()} by outcome",
            (Query(f"max by (outcome) (winnow_job_trials{{{_JOB}}})", "{{outcome}}"),),
            f"All {noun} so far.",
        ),
        Panel(
            "GPU seconds",
            (Query(f"sum(winnow_job_gpu_seconds_total{{{_JOB}}})", "GPU seconds"),),
            "Seconds that pods of the job have held GPUs, times their number.",
            unit="s",
        ),
    )


SEARCH = Dashboard(
    identity="winnow-search",
    title="Winnow / Search",
    words="One SearchJob: how far it is, how good it is, and what its running trials report.",
    variables=(
        *_job_variables("searchjob", "SearchJob"),
        Variable("metric", "Metric", f"winnow_job_best_value{{{_JOB}}}", "metric"),
    ),
    panels=(
        *_job_panels("trials"),
        Panel(
            "Best value",
            (Query(f"max by (metric) (winnow_job_best_value{{{_JOB}}})", "{{metric}}"),),
            "The best recorded value of the objective so far, on the validation split.",
        ),
        Panel(
            "Objective of running trials",
            (Query(f'winnow_trial_metric{{{_JOB}, metric="$metric"}}', "{{trial}}"),),
            "The latest value that each running trial reports.",
        ),
        Panel(
            "All that running trials report",
            (Query(f"winnow_trial_metric{{{_JOB}}}", "{{trial}} {{metric}}"),),
            "Every metric of every running trial.",
        ),
        Panel(
            "Steps of running trials",
            (Query(f"winnow_trial_step{{{_JOB}}}", "{{trial}}"),),
            "Epochs, or what the image counts. A line that stays level is a trial that hangs.",
        ),
        Panel(
            "Running trials at each rung",
            (
                Query(
                    f"count by (rung) (winnow_trial_rung_value{{{_JOB}}}) or on () {nothing('rung')}",
                    "{{rung}}",
                ),
            ),
            "With early stopping: running trials that have reached a rung. The rule stops some of them there.",
        ),
    ),
)

COMPRESSION = Dashboard(
    identity="winnow-compression",
    title="Winnow / Compression",
    words="One CompressionJob: its candidates, and what was selected, against the baseline.",
    variables=_job_variables("compressionjob", "CompressionJob"),
    panels=(
        *_job_panels("candidates"),
        Panel(
            "Quality of the selection",
            (Query(f"max by (metric) (winnow_job_best_value{{{_JOB}}})", "{{metric}}"),),
            "The selected candidate's first quality metric, on the validation split.",
            kind=Kind.FIGURE,
        ),
        Panel(
            "Selection over baseline",
            (Query(f"max by (metric) (winnow_job_selected_ratio{{{_JOB}}})", "{{metric}}"),),
            "Each figure of goals and prefer as a share of the uncompressed model's: 0.5 is half.",
            kind=Kind.FIGURE,
        ),
        Panel(
            "What candidates report while they are built",
            (Query(f"winnow_trial_metric{{{_JOB}}}", "{{trial}} {{metric}}"),),
            "Fine-tuning and distillation: every metric of every candidate in the making.",
            width=FULL,
        ),
    ),
)
