"""scripts/report without a cluster: what it asks of one, and what it makes of the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.chart import ROOT
from tests.support.measured_models import report_of
from tests.support.search_documents import TRIALS, search
from winnow_measure.report import write_report


def load() -> ModuleType:
    loader = SourceFileLoader("winnow_report_script", str(ROOT / "scripts/report"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


script = load()


def job(**status: str) -> dict[str, Any]:
    return {"metadata": {"name": "small", "namespace": "demo"}, "spec": {}, "status": status}


FINISHED = job(report="pvc://winnow-artifacts/demo/small/report/1", serverImage="winnow/server:1")


def read_in_pod(path: Path) -> subprocess.CompletedProcess[str]:
    """What the pod does, here."""
    command = [sys.executable, "-c", script.READER, str(path), "pvc://claim/report.html"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_report_arrives_as_it_was_written(tmp_path: Path) -> None:
    written = write_report(tmp_path, report_of())

    printed = read_in_pod(written).stdout

    assert script.checked(printed) == written.read_bytes()


@pytest.mark.parametrize("keep", [0, 30, 70, 500])
def test_a_report_that_was_cut_off_is_refused(tmp_path: Path, keep: int) -> None:
    printed = read_in_pod(write_report(tmp_path, report_of())).stdout

    with pytest.raises(script.ReportError, match="did not arrive whole"):
        script.checked(printed[:keep])


def test_a_report_that_is_gone_is_said_with_its_path(tmp_path: Path) -> None:
    done = read_in_pod(tmp_path / "report.html")

    assert done.returncode == 1
    assert done.stderr == "pvc://claim/report.html cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("pvc://claim/a/report/1", ("claim", "a/report/1/report.html")),
        ("pvc://claim/a/report/1/", ("claim", "a/report/1/report.html")),
        ("pvc://claim/a/report/1/report.html", ("claim", "a/report/1/report.html")),
    ],
)
def test_the_place_of_a_report_is_a_folder_or_a_file(uri: str, place: tuple[str, str]) -> None:
    assert script.report_place(job(report=uri)) == place


def test_a_job_without_a_report_is_told_when_there_will_be_one() -> None:
    with pytest.raises(script.ReportError, match=r"small has no report yet \(it is Running\)"):
        script.report_place(job(state="Running"))


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "pvc:///x", "pvc://claim/../../etc"])
def test_a_place_that_is_none_on_a_claim_is_refused(uri: str) -> None:
    with pytest.raises(script.ReportError, match="which is no pvc://CLAIM/PATH"):
        script.report_place(job(report=uri))


def test_the_reading_pod_may_do_nothing_but_read() -> None:
    pod = script.reader_pod(FINISHED, "winnow/server:1")["spec"]

    (container,), (volume,) = pod["containers"], pod["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "winnow-artifacts", "readOnly": True}
    assert container["volumeMounts"][0]["readOnly"] is True
    assert container["command"][-2:] == [
        "/claim/demo/small/report/1/report.html",
        "pvc://winnow-artifacts/demo/small/report/1/report.html",
    ]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["activeDeadlineSeconds"] > 0
    assert pod["restartPolicy"] == "Never"


def test_the_reading_pod_is_placed_as_the_jobs_own() -> None:
    placed = {"nodeSelector": {"disk": "fast"}, "imagePullSecrets": [{"name": "registry"}]}
    template = {"spec": {**placed, "serviceAccountName": "trainer"}}

    pod = script.reader_pod({**FINISHED, "spec": {"podTemplate": template}}, "i")["spec"]

    assert {key: pod[key] for key in placed} == placed
    assert "serviceAccountName" not in pod


def test_the_image_is_that_which_measured_unless_another_is_given() -> None:
    assert script.server_image(FINISHED, None) == "winnow/server:1"
    assert script.server_image(FINISHED, "mine") == "mine"
    with pytest.raises(script.ReportError, match="give one with --image"):
        script.server_image(job(), None)


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    ready = {"type": "Ready", "status": "False", "message": "containers with unready status"}
    return {"phase": "Pending", "containerStatuses": [{"state": state}], "conditions": [ready]}


UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    ],
}
TOO_LATE = {"phase": "Failed", "message": "Pod was active on the node longer than the deadline"}


@pytest.mark.parametrize(
    ("status", "words", "is_hopeless"),
    [
        ({"phase": "Pending"}, "", False),
        (waiting("ContainerCreating"), "", False),
        (UNSCHEDULABLE, "0/1 nodes are available", False),
        (waiting("ErrImagePull", "no such image"), "no such image", False),
        (waiting("ImagePullBackOff", "back-off"), "back-off", True),
        (waiting("CreateContainerConfigError", "no Secret"), "no Secret", True),
        (waiting("InvalidImageName"), "InvalidImageName", True),
        (TOO_LATE, TOO_LATE["message"], True),
    ],
    ids=str,
)
def test_what_a_pod_waits_for_is_said_and_whether_waiting_can_help(
    status: dict[str, Any],
    words: str,
    is_hopeless: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    assert script.obstacle(status) == words
    assert script.is_hopeless(status) is is_hopeless


KUBECTL = """#!/bin/sh
case "$2" in
  events) echo '{"items": [{"message": "older"}, {"message": "the claim is lost"}]}' ;;
  *) echo '{"status": {"phase": "Pending"}}' ;;
esac
"""


def test_a_claim_that_cannot_be_mounted_is_said_at_once_and_given_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(program))
    monkeypatch.setattr(script, "WAIT_SECONDS", 1.0)
    monkeypatch.setattr(script, "LOOK_SECONDS", 0.01)

    with pytest.raises(script.ReportError, match="pod/a did not run: the claim is lost"):
        script.wait_for("pod/a", [])

    assert capsys.readouterr().err == "scripts/report: pod/a waits: the claim is lost\n"


def test_a_machine_without_kubectl_is_told_so(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "KUBECTL"} | {"PATH": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, ROOT / "scripts/report", "small"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr == ("scripts/report: there is no kubectl on the path: set KUBECTL to one\n")


FAKE = """#!/bin/sh
case "$*" in
  *"get compressionjob"*) echo "no such CompressionJob" >&2; exit 1;;
  *"get searchjob"*) cat {job};;
  *"get trials"*) cat {trials};;
esac
"""
"""A kubectl of one search and its Trials."""


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    owned = {"ownerReferences": [{"uid": "uid-1"}]}
    own = [{**t, "metadata": {**t["metadata"], **owned}} for t in TRIALS]
    search_job = search()
    search_job["metadata"]["uid"] = "uid-1"
    (tmp_path / "job").write_text(json.dumps(search_job))
    (tmp_path / "trials").write_text(json.dumps({"items": [*own, *TRIALS]}))
    program = tmp_path / "kubectl"
    program.write_text(FAKE.format(job=tmp_path / "job", trials=tmp_path / "trials"))
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("asked", ["digits", "searchjob/digits", "sj/digits"])
def test_the_report_of_a_search_is_made_from_its_own_trials(
    kubectl: Path, tmp_path: Path, asked: str
) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/report", asked, "-o", tmp_path / "page.html"],
        env={**os.environ, "KUBECTL": str(kubectl)},
        check=True,
        capture_output=True,
        text=True,
    )

    text = (tmp_path / "page.html").read_text()
    assert f"({len(text.encode())} bytes)" in done.stdout
    assert "The best 5 of 6 trials" in text


def test_a_kind_without_a_report_is_named(kubectl: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/report", "modelserver/digits"],
        env={**os.environ, "KUBECTL": str(kubectl)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert "modelserver has no report, allowed: compressionjob, cj" in done.stderr
