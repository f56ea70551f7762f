"""A choice from recorded Trials, and how its figures are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.measured_models import BASELINE, BATCH_SIZES, CANDIDATES, GOALS, PREFER
from winnow_contract.goals import parse_goals
from winnow_contract.pareto import Candidate
from winnow_contract.selection import choose
from winnow_operator.api.compressionjob_status import Ratio
from winnow_operator.api.fields import decimal_text
from winnow_operator.api.trial import MetricValue, Outcome, TrialStatus
from winnow_operator.domain.choosing import (
    RecordedCandidate,
    candidate_of,
    choose_recorded,
    ratios_of,
    recorded_of,
    shown_keys,
    size_shown,
    speed_key,
    speedup_shown,
    values_of,
)


def recorded_values(candidate: Candidate) -> tuple[MetricValue, ...]:
    return tuple(
        MetricValue(
            metric=key,
            value=decimal_text(value),
            standard_error=None if error is None else decimal_text(error),
        )
        for key, (value, error) in candidate.values.items()
    )


def record(candidate: Candidate) -> RecordedCandidate:
    return RecordedCandidate(
        candidate.number,
        candidate.name,
        Outcome.SUCCEEDED,
        recorded_values(candidate),
        recorded_values(BASELINE),
        is_baseline=candidate.is_baseline,
    )


RECORDED = tuple(map(record, (BASELINE, *CANDIDATES)))


def test_what_is_recorded_leads_to_the_choice_that_was_measured() -> None:
    choice = choose_recorded(RECORDED, goals=GOALS, prefer=PREFER)

    assert choice == choose(BASELINE, CANDIDATES, goals=GOALS, prefer=PREFER)
    assert choice is not None
    assert choice.name == "half-int8"


@pytest.mark.parametrize(("name", "is_baseline"), [("baseline", True), ("int8", False)])
def test_a_trial_is_read_as_the_candidate_that_it_records(
    name: str,
    is_baseline: bool,  # noqa: FBT001 - a column of the table
) -> None:
    size = MetricValue(metric="size_bytes", value="10")
    secret = MetricValue(metric="accuracy", value="0.5")
    status = TrialStatus(
        outcome=Outcome.SUCCEEDED, values=(size,), baseline=(size,), test=(secret,), round=2
    )

    recorded = recorded_of(4, name, status)

    assert recorded == RecordedCandidate(
        4, name, Outcome.SUCCEEDED, (size,), (size,), is_baseline=is_baseline
    )


def test_the_ratios_shown_are_those_that_were_asked_for_and_the_size() -> None:
    assert shown_keys(GOALS, PREFER) == ("accuracy", "latency_p95_seconds@1", "size_bytes")


def test_edited_goals_lead_to_another_choice_from_the_same_records() -> None:
    strict = parse_goals([{"metric": "accuracy", "maxDrop": "0.001"}], BATCH_SIZES)

    choice = choose_recorded(RECORDED, goals=strict, prefer=PREFER)

    assert choice is not None
    assert (choice.name, choice.goals_met) == ("int8", True)


@pytest.mark.parametrize("outcome", [Outcome.ACTIVE, Outcome.FAILED, Outcome.STOPPED])
def test_only_candidates_that_succeeded_can_be_chosen(outcome: Outcome) -> None:
    best = next(r for r in RECORDED if r.name == "half-int8")
    others = [r for r in RECORDED if r is not best]

    choice = choose_recorded([*others, replace(best, outcome=outcome)], goals=GOALS, prefer=PREFER)

    assert choice is not None
    assert choice.name == "half"
    assert best.number not in choice.verdicts


def test_without_a_measured_baseline_there_is_no_choice() -> None:
    assert choose_recorded(RECORDED[1:], goals=GOALS, prefer=PREFER) is None


def test_figures_that_are_no_measured_metrics_do_not_count() -> None:
    values = (
        MetricValue(metric="made_up", value="1"),
        MetricValue(metric="size_bytes", value="10", standard_error="2"),
    )

    assert values_of(values) == {"size_bytes": (10.0, 2.0)}


def test_ratios_are_to_the_baseline_of_the_same_round() -> None:
    slow = replace(BASELINE, values={"latency_p95_seconds@1": (5e-3, None)})
    trial = RecordedCandidate(
        9,
        "late",
        Outcome.SUCCEEDED,
        (MetricValue(metric="latency_p95_seconds@1", value="0.001"),),
        recorded_values(slow),
    )

    candidate = candidate_of(trial)

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


@given(st.permutations(RECORDED))
def test_the_order_in_which_trials_are_listed_does_not_matter(
    listed: list[RecordedCandidate],
) -> None:
    assert choose_recorded(listed, goals=GOALS, prefer=PREFER) == choose_recorded(
        RECORDED, goals=GOALS, prefer=PREFER
    )
