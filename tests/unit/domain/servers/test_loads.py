"""What Prometheus is asked about a rollout, and how its answers are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from winnow_operator.domain.servers.loads import Load, Loads, Question, loads_of, queries

QUESTION = Question("team", "digits", serving=3, canary=4, since="2026-01-31T12:00:00Z")


def test_each_revision_is_asked_about_by_the_names_of_its_pods() -> None:
    asked = queries(QUESTION, 90)

    for name, query in asked.items():
        revision = 4 if name.startswith("canary") else 3
        assert f'namespace="team",pod=~"digits-r{revision}-[a-z0-9]+-[a-z0-9]+"' in query
        assert "[90s]" in query


def test_both_revisions_are_counted_over_the_same_time() -> None:
    later = replace(QUESTION, is_first=False)
    asked = queries(later, 90)

    for name in ("serving", "canary"):
        assert "offset 90s" in asked[name]
    assert asked["canary"] == asked["serving"].replace("-r3-", "-r4-")
    assert asked["canary_p95"] == asked["serving_p95"].replace("-r3-", "-r4-")


def test_answers_are_counted_by_code() -> None:
    counts = {"200": 90.0, "400": 6.0, "422": 1.0, "503": 3.0}
    codes = tuple(({"code": code}, count) for code, count in counts.items())
    found = loads_of(
        {
            "serving": codes,
            "serving_p95": (({}, 0.01),),
            "canary": (),
            "canary_p95": (({}, float("nan")),),
        }
    )

    assert found == Loads(Load(100, 4, 0.01), Load(0, 0, None))
    assert found.serving.error_rate == pytest.approx(0.04)
    assert found.weight == 0


def test_the_weight_is_the_measured_share_of_the_requests() -> None:
    assert Loads(Load(300), Load(100)).weight == pytest.approx(0.25)
    assert Loads().weight is None
