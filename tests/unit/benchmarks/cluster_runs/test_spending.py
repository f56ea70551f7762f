"""Whose CPU time is whose, from processes as /proc shows them."""

from __future__ import annotations

import os

import pytest

from benchmarks.cluster_runs.spending import PAYERS, Process, parts_of, spent

NODE, BENCHMARK = 100, 7


def node(*more: tuple[int, Process]) -> dict[int, Process]:
    return {
        NODE: Process(1, "python3", own=0.5, buried=30.0),
        BENCHMARK: Process(1, "python", own=3.0, buried=50.0),
        101: Process(NODE, "kube-apiserver", own=10.0, buried=0.0),
        102: Process(NODE, "containerd", own=4.0, buried=6.0),
        103: Process(NODE, "containerd-shim", own=0.25, buried=0.0),
        **dict(more),
    }


def test_a_component_pays_for_what_it_has_started_too() -> None:
    parts = parts_of(node((110, Process(102, "bridge", 0.5, 0.0))), NODE, BENCHMARK, busy=200.0)

    assert parts["apiserver"] == 10.0
    assert parts["containerd"] == 10.5


def test_what_shims_and_their_containers_took_is_the_pods_also_when_they_have_ended() -> None:
    parts = parts_of(node((110, Process(103, "trial", 1.0, 0.0))), NODE, BENCHMARK, busy=200.0)

    assert parts["pods"] == pytest.approx(30.5 + 0.25 + 1.0)


def test_the_operator_is_no_pod_among_others() -> None:
    program = (110, Process(103, "python", 8.0, 0.0, is_operator=True))
    parts = parts_of(node(program), NODE, BENCHMARK, busy=200.0)

    assert parts["operator"] == 8.0
    assert parts["pods"] == pytest.approx(30.75)


def test_every_busy_second_is_told_once() -> None:
    elsewhere = (500, Process(1, "etcd", 70.0, 0.0))
    parts = parts_of(node(elsewhere), NODE, BENCHMARK, busy=200.0)

    assert tuple(parts) == PAYERS
    assert parts["etcd"] == 0.0
    assert parts["benchmark"] == 3.0
    assert sum(parts.values()) == pytest.approx(200.0)


def test_a_run_has_spent_what_was_added_to_each_part() -> None:
    before = parts_of(node(), NODE, BENCHMARK, busy=200.0)
    after = parts_of(
        {**node(), 101: Process(NODE, "kube-apiserver", 12.5, 0.0)}, NODE, os.getpid(), busy=210.0
    )

    assert spent(before, after)["apiserver"] == 2.5
