"""The reader of the audit log: marks, rotation, and what counts as a write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.audit import AuditLog, Call, audit_log_beside, count_writes, read_call, within


def line(verb: str = "create", resource: str = "jobs", **fields: Any) -> str:
    event = {
        "kind": "Event",
        "stage": "ResponseComplete",
        "requestURI": "/apis/batch/v1/namespaces/blue/jobs",
        "verb": verb,
        "user": {"username": "operator"},
        "objectRef": {"resource": resource, "namespace": "blue", "apiGroup": "batch", "name": "a"},
        "responseStatus": {"code": 201},
        "annotations": {"authorization.k8s.io/decision": "allow"},
        **fields,
    }
    return json.dumps(event) + "\n"


def call(verb: str = "create", resource: str = "jobs", **fields: Any) -> Call:
    made = read_call(line(verb, resource, **fields))
    assert made is not None
    return made


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(lines)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    path = tmp_path / "audit.log"
    path.write_text(line("get"))
    return AuditLog(path)


def test_only_what_was_logged_after_the_mark_is_read(log: AuditLog) -> None:
    mark = log.mark()
    append(log.path, line("patch"), line("delete"))

    assert [c.verb for c in log.since(mark)] == ["patch", "delete"]


def test_a_line_that_is_being_written_is_left_for_later(log: AuditLog) -> None:
    mark = log.mark()
    whole = line("patch")
    append(log.path, whole[:20])
    assert log.since(mark) == []

    append(log.path, whole[20:])
    assert [c.verb for c in log.since(mark)] == ["patch"]


def test_rotated_files_are_read_in_the_order_in_which_they_were_written(log: AuditLog) -> None:
    mark = log.mark()
    append(log.path, line("create"))
    for hour, verb in ((1, "update"), (2, "patch")):
        log.path.rename(log.path.with_name(f"audit-2026-01-01T0{hour}-00-00.000.log"))
        log.path.write_text(line(verb))

    assert [c.verb for c in log.since(mark)] == ["create", "update", "patch"]


def test_a_mark_that_was_rotated_away_is_an_error_with_a_way_out(log: AuditLog) -> None:
    mark = log.mark()
    kept = log.path.with_name("kept")
    log.path.rename(kept)
    log.path.write_text("")

    with pytest.raises(LookupError, match="rotated away: mark later"):
        log.since(mark)


def test_without_an_audit_log_the_error_says_which_cluster_has_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="CLUSTER=devcluster"):
        audit_log_beside(tmp_path / "kubeconfig")


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        pytest.param("get", {}, id="a read"),
        pytest.param("watch", {"stage": "ResponseStarted"}, id="a watch"),
        pytest.param("create", {"responseStatus": {"code": 409}}, id="a conflict"),
        pytest.param("create", {"stage": "ResponseStarted"}, id="an answer that has only begun"),
        pytest.param("create", {"requestURI": "/apis/x?dryRun=All&fieldManager=a"}, id="a dry run"),
    ],
)
def test_what_changes_nothing_is_no_write(verb: str, fields: dict[str, Any]) -> None:
    assert not call(verb, **fields).is_write


def test_events_and_dry_runs_are_counted_apart() -> None:
    counted = count_writes(
        [
            call("create", "events"),
            call("patch", "events"),
            call("create"),
            call("deletecollection"),
            call("create", requestURI="/apis/x?dryRun=All"),
            call("create", responseStatus={"code": 403}),
        ]
    )

    assert (counted.objects, counted.events, counted.dry_runs) == (2, 2, 1)
    assert counted.by_words["create jobs"] == 1
    assert "create jobs" in counted.table(2)


def test_a_subresource_belongs_to_the_right_that_a_call_needs() -> None:
    about = {"resource": "trials", "subresource": "status", "apiGroup": "winnow.dev"}

    assert call("patch", objectRef=about).right == ("winnow.dev", "trials/status", "patch")


def test_the_lease_belongs_to_no_job() -> None:
    calls = [call("update", "leases"), call("create"), call("create", objectRef={})]

    assert [c.resource for c in within(calls, "blue")] == ["jobs"]
