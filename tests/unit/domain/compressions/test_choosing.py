"""What Trials record for a choice, and how its figures are shown."""

from __future__ import annotations

from tests.support.measured_models import BATCH_SIZES, GOALS, PREFER
from winnow_contract.choosing.goals import parse_goals
from winnow_contract.choosing.pareto import Candidate
from winnow_contract.choosing.recorded import Recorded
from winnow_operator.api.compressionjob_status import Ratio
from winnow_operator.api.trial import MetricValue, Outcome, TrialStatus
from winnow_operator.domain.compressions.choosing import (
    measured_of,
    ratios_of,
    recorded_of,
    shown_keys,
    size_shown,
    speed_key,
    speedup_shown,
    values_of,
)
from winnow_operator.domain.ledger import Candidate as TrialCandidate
from winnow_operator.domain.ledger import Ledger, TrialRecord


def trial(number: int, name: str, outcome: Outcome = Outcome.SUCCEEDED) -> TrialRecord:
    size = MetricValue(metric="size_bytes", value=f"{number}0")
    slow = MetricValue(metric="latency_p95_seconds@1", value="0.005")
    secret = MetricValue(metric="accuracy", value="0.5")
    status = TrialStatus(outcome=outcome, values=(size,), baseline=(slow,), test=(secret,), round=2)
    candidate = TrialCandidate(name, (), "")
    return TrialRecord(number, (), 0, outcome=outcome, candidate=candidate, status=status)


def test_a_trial_is_read_as_what_it_records_without_its_test_values() -> None:
    assert recorded_of(trial(4, "int8")) == Recorded(
        4, "int8", {"size_bytes": (40.0, None)}, {"latency_p95_seconds@1": (0.005, None)}, 2
    )


def test_only_candidates_that_succeeded_count_as_measured() -> None:
    ledger = Ledger()
    for number, outcome in enumerate(Outcome, 1):
        ledger.put(trial(number, str(outcome).lower(), outcome))

    assert [recorded.name for recorded in measured_of(ledger).values()] == ["succeeded"]


def test_the_figures_shown_are_those_that_were_asked_for_the_speed_and_the_sizes() -> None:
    assert shown_keys(GOALS, PREFER, "cpu_seconds@64") == (
        "accuracy",
        "latency_p95_seconds@1",
        "size_bytes",
        "cpu_seconds@64",
        "parameters",
    )


def test_figures_that_are_no_measured_metrics_do_not_count() -> None:
    values = (
        MetricValue(metric="made_up", value="1"),
        MetricValue(metric="size_bytes", value="10", standard_error="2"),
    )

    assert values_of(values) == {"size_bytes": (10.0, 2.0)}


def test_ratios_are_to_the_baseline_of_the_same_round() -> None:
    candidate = Candidate(
        9,
        "late",
        {"latency_p95_seconds@1": (0.001, None)},
        {"latency_p95_seconds@1": (0.005, None)},
    )

    assert ratios_of(candidate, ("latency_p95_seconds@1", "size_bytes")) == (
        Ratio(metric="latency_p95_seconds@1", value="0.2"),
    )
    assert speedup_shown(candidate, "latency_p95_seconds@1") == "5.0x"
    assert speedup_shown(candidate, "latency_p95_seconds@64") is None
    assert size_shown(candidate) is None


def test_speedup_and_size_are_shown_as_columns_have_them() -> None:
    values = {
        "latency_p95_seconds@1": (0.265e-3, None),
        "throughput_rows_per_second@64": (4000.0, None),
        "size_bytes": (99_328.0, None),
    }
    base = {
        "latency_p95_seconds@1": (2.49e-3, None),
        "throughput_rows_per_second@64": (2000.0, None),
    }
    candidate = Candidate(2, "half-int8", values, base)

    assert speedup_shown(candidate, "latency_p95_seconds@1") == "9.4x"
    assert speedup_shown(candidate, "throughput_rows_per_second@64") == "2.0x"
    assert size_shown(candidate) == "97Ki"


def test_the_speedup_shown_is_that_of_what_was_asked_for() -> None:
    (goal,) = parse_goals(
        [{"metric": "throughput_rows_per_second", "batchSize": 64, "minSpeedup": "2"}], BATCH_SIZES
    )

    assert speed_key((goal,), ("size_bytes", "latency_p50_seconds@64"), 1) == (
        "latency_p50_seconds@64"
    )
    assert speed_key((goal,), ("size_bytes",), 1) == "throughput_rows_per_second@64"
    assert speed_key((), ("size_bytes",), 64) == "latency_p95_seconds@64"
