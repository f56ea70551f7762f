"""Goals: parsed once, refused with a sentence, never contradicting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.choosing.goals import (
    METRICS,
    QUALITY_METRICS,
    Bound,
    Goal,
    GoalError,
    check_goals,
    goal_document,
    is_higher_better,
    max_drop_of,
    measured_keys,
    metric_of,
    parse_goal,
    parse_goals,
    parse_prefer,
)

Document = dict[str, Any]
SIZES = (1, 64)

limits = st.decimals("0.001", "0.999", places=3)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    metric = METRICS[draw(st.sampled_from(sorted(METRICS)))]
    size = draw(st.sampled_from([None, *SIZES])) if metric.is_per_batch_size else None
    bound = draw(st.sampled_from(metric.bounds))
    return {"metric": metric.name, "batchSize": size, str(bound): str(draw(limits))}


junk = st.dictionaries(
    st.sampled_from(["metric", "batchSize", "limit", *Bound]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("f1"),
    max_size=4,
)


@given(documents())
def test_a_goal_that_was_written_is_read_as_the_same(document: Document) -> None:
    goal = parse_goal(document, SIZES)

    assert parse_goal(goal_document(goal), SIZES) == goal
    assert metric_of(goal.key).name == goal.metric
    assert goal.key in measured_keys("", SIZES)


@given(st.lists(documents() | junk, max_size=8), st.lists(st.text(max_size=9), max_size=3))
def test_whatever_goals_are_the_answer_is_sentences(
    listed: list[Document], prefer: list[str]
) -> None:
    faults = check_goals(listed, prefer, SIZES, "Classification")

    assert all(isinstance(fault, str) and fault for fault in faults)
    if not faults:
        assert len(parse_goals(listed, SIZES)) == len(listed)


def test_a_goal_without_batch_size_means_the_first_that_is_measured() -> None:
    document = {"metric": "latency_p95_seconds", "minSpeedup": "1.5"}

    goal = parse_goal(document, (64, 1))

    assert goal == Goal("latency_p95_seconds", Bound.MIN_SPEEDUP, 1.5, 64)
    assert goal.key == "latency_p95_seconds@64"
    assert parse_goal({"metric": "size_bytes", "max": 9}, SIZES).key == "size_bytes"


REFUSED = {
    "no metric": ({"max": "1"}, "metric missing is not measured, allowed: accuracy"),
    "unknown": ({"metric": "energy", "max": "1"}, "metric energy is not measured, allowed:"),
    "no bound": ({"metric": "f1"}, "the goal for f1 has none as bounds: give exactly one of"),
    "two": ({"metric": "mae", "min": "1", "max": "2"}, "has min, max as bounds"),
    "no such bound": ({"metric": "f1", "minDrop": "1"}, "has minDrop as bounds"),
    "no number": ({"metric": "f1", "min": "high"}, "min of the goal for f1 is high, allowed are"),
    "infinite": ({"metric": "f1", "min": float("inf")}, "is inf, allowed are decimal numbers"),
    "a drop below 0": ({"metric": "f1", "maxDrop": "-1"}, "maxDrop of the goal for f1 is -1"),
    "a speedup of 0": ({"metric": "cpu_seconds", "minSpeedup": "0"}, "allowed are numbers above 0"),
    "speedup of a size": (
        {"metric": "size_bytes", "minSpeedup": "2"},
        "minSpeedup has no meaning for size_bytes: minSpeedup is for times and throughput",
    ),
    "ratio of accuracy": (
        {"metric": "accuracy", "maxRatio": "0.9"},
        "maxRatio has no meaning for accuracy: more accuracy is better",
    ),
    "too accurate": ({"metric": "accuracy", "min": "1.1"}, "but accuracy is never above 1"),
    "a negative size": ({"metric": "size_bytes", "max": "-1"}, "but size_bytes is never below 0"),
    "batch of a size": (
        {"metric": "size_bytes", "batchSize": 1, "max": "9"},
        "batchSize of the goal for size_bytes is 1, it must be left out",
    ),
    "a batch not measured": (
        {"metric": "cpu_seconds", "batchSize": 8, "max": "9"},
        "batchSize of the goal for cpu_seconds is 8, measured are 1, 64",
    ),
}


@pytest.mark.parametrize(("document", "words"), REFUSED.values(), ids=REFUSED)
def test_a_goal_that_cannot_be_used_is_refused_with_a_sentence(
    document: Document, words: str
) -> None:
    with pytest.raises(GoalError) as refusal:
        parse_goal(document, SIZES)

    assert words in str(refusal.value)


CONTRADICTING = {
    "bounds cross": (
        [{"metric": "f1", "min": "0.9"}, {"metric": "f1", "max": "0.8"}],
        "f1 must be at least 0.9 and at most 0.8",
    ),
    "the other way round": (
        [{"metric": "mae", "max": "1"}, {"metric": "mae", "min": "2"}],
        "mae must be at least 2 and at most 1",
    ),
    "of one batch size": (
        [
            {"metric": "cpu_seconds", "min": "2"},
            {"metric": "cpu_seconds", "batchSize": 1, "max": "1"},
        ],
        "cpu_seconds@1 must be at least 2",
    ),
    "percentiles": (
        [
            {"metric": "latency_p99_seconds", "max": "0.1"},
            {"metric": "latency_p50_seconds", "min": "0.2"},
        ],
        "latency_p50_seconds@1 must be at least 0.2 and latency_p99_seconds@1 at most 0.1",
    ),
    "twice": ([{"metric": "f1", "min": "0.9"}] * 2, "goals give min for f1 twice: keep one"),
}


@pytest.mark.parametrize(("listed", "words"), CONTRADICTING.values(), ids=CONTRADICTING)
def test_goals_that_cannot_all_hold_are_refused(listed: list[Document], words: str) -> None:
    assert words in "; ".join(check_goals(listed, (), SIZES))


def test_goals_that_can_all_hold_are_taken() -> None:
    listed: list[Document] = [
        {"metric": "f1", "min": "0.9"},
        {"metric": "f1", "max": "0.9"},
        {"metric": "f1", "maxDrop": "0"},
        {"metric": "latency_p50_seconds", "max": "0.1"},
        {"metric": "latency_p99_seconds", "min": "0.2"},
        {"metric": "latency_p99_seconds", "batchSize": 64, "max": "0.1"},
    ]

    assert check_goals(listed, ("f1", "cpu_seconds@64"), SIZES, "Classification") == []


@pytest.mark.parametrize(("kind", "name"), [("Classification", "rmse"), ("Regression", "f1")])
def test_a_metric_of_the_other_kind_of_task_is_refused(kind: str, name: str) -> None:
    goal = {"metric": name, "maxDrop": "0.1"}

    said = check_goals([goal], [name], SIZES, kind)

    assert [sentence.split(",")[0] for sentence in said] == [
        f"goals names {name}",
        f"prefer names {name}",
    ]
    assert ", ".join(QUALITY_METRICS[kind]) in said[0]
    assert check_goals([goal], [name], SIZES) == []


def test_preferences_are_keys_with_their_batch_size() -> None:
    named = ["latency_p95_seconds", "throughput_rows_per_second@64", "size_bytes"]

    assert parse_prefer(named, SIZES) == (
        "latency_p95_seconds@1",
        "throughput_rows_per_second@64",
        "size_bytes",
    )


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["energy"], "prefer names energy, which is not measured, allowed: accuracy"),
        (["cpu_seconds@8"], "prefer names cpu_seconds at batch size 8, measured are 1, 64"),
        (["size_bytes@1"], "it must be left out: size_bytes does not depend on it"),
        (["cpu_seconds", "cpu_seconds@1"], "prefer names cpu_seconds@1 more than once"),
        (["cpu_seconds@"], "prefer names cpu_seconds at batch size , measured are"),
    ],
)
def test_a_preference_that_cannot_be_used_is_refused(named: list[str], words: str) -> None:
    with pytest.raises(GoalError) as refusal:
        parse_prefer(named, SIZES)

    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "key", ["", "energy", "size_bytes@1", "cpu_seconds", "cpu_seconds@", "cpu_seconds@01", "f1@x"]
)
def test_what_is_no_key_of_a_measurement_is_refused(key: str) -> None:
    with pytest.raises(GoalError, match="is not measured, allowed"):
        is_higher_better(key)


def test_keys_of_a_task_hold_its_quality_and_every_batch_size() -> None:
    keys = measured_keys("Regression", SIZES)

    assert keys[:3] == ("rmse", "mae", "r2")
    assert "latency_p99_seconds@64" in keys
    assert "accuracy" not in keys
    assert len(measured_keys("Classification", (1, 8, 64, 256))) == 29


def test_the_smallest_allowed_drop_of_a_metric_counts() -> None:
    goals = parse_goals(
        [
            {"metric": "f1", "maxDrop": "0.2"},
            {"metric": "accuracy", "maxDrop": "0.1"},
            {"metric": "accuracy", "min": "0.9"},
        ],
        SIZES,
    )

    assert max_drop_of(goals, "accuracy") == 0.1
    assert max_drop_of(goals, "log_loss") is None
