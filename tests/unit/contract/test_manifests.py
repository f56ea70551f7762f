"""Artifacts: committed, found again, checked."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from winnow_contract.assignments import JobIdentity, TrialAssignment
from winnow_contract.files import is_storage_away, write_file, write_in_place
from winnow_contract.manifests import (
    MANIFEST_NAME,
    ManifestError,
    find_committed,
    manifest_head,
    read_artifact,
    value_entries,
    write_manifest,
)

JOB = JobIdentity("SearchJob", "ns", "digits", "uid")
ASSIGNMENT = TrialAssignment("digits-t00001", 1, 7, {"rate": 0.1})


def commit(artifacts: Path, attempt: str = "abcdef12", **changes: Any) -> Path:
    folder = artifacts / ASSIGNMENT.name / attempt
    write_file(folder / "weights.bin", b"12345")
    head = manifest_head(JOB, ASSIGNMENT, attempt)
    values = value_entries("validation", {"accuracy": (0.9, 0.01), "odd": (float("nan"), None)})
    write_manifest(folder, {**head, "values": values, **changes})
    return folder


def test_a_committed_artifact_is_found_with_its_values(tmp_path: Path) -> None:
    commit(tmp_path, metrics={"parameters": 10})

    found = find_committed(tmp_path, ASSIGNMENT)

    assert found is not None
    assert found.attempt == "abcdef12"
    assert found.values("validation") == {"accuracy": (0.9, 0.01)}
    assert found.extras() == {"parameters": (10.0, None)}
    assert found.size_bytes == sum(path.stat().st_size for path in found.folder.iterdir())


@pytest.mark.parametrize(
    "other",
    [
        TrialAssignment("digits-t00001", 2, 7, {"rate": 0.1}),
        TrialAssignment("digits-t00001", 1, 8, {"rate": 0.1}),
        TrialAssignment("digits-t00001", 1, 7, {"rate": 0.2}),
        TrialAssignment("digits-t00002", 1, 7, {"rate": 0.1}),
    ],
)
def test_an_artifact_of_another_assignment_does_not_count(
    tmp_path: Path, other: TrialAssignment
) -> None:
    commit(tmp_path)

    assert find_committed(tmp_path, other) is None


CHAIN = ({"prune": {"amount": 0.5}}, {"quantize": {"mode": "Aware"}})
CANDIDATE = TrialAssignment("small-c00002", 2, 7, {}, "half-int8", CHAIN)


def commit_candidate(artifacts: Path, attempt: str, **more: Any) -> None:
    folder = artifacts / CANDIDATE.name / attempt
    write_file(folder / "model.onnx", b"12345")
    write_manifest(folder, {**manifest_head(JOB, CANDIDATE, attempt), **more})


def test_a_candidate_is_found_by_its_chain(tmp_path: Path) -> None:
    commit_candidate(tmp_path, "abcdef12")

    found = find_committed(tmp_path, CANDIDATE)

    assert found is not None
    assert found.document["trial"]["steps"] == list(CHAIN)
    for other in (
        replace(CANDIDATE, steps=CHAIN[:1]),
        replace(CANDIDATE, candidate="half"),
        replace(CANDIDATE, candidate="", steps=()),
    ):
        assert find_committed(tmp_path, other) is None


def test_what_a_measuring_pod_made_of_a_candidate_is_not_what_was_built(tmp_path: Path) -> None:
    commit_candidate(tmp_path, "00000000", measurements={})
    assert find_committed(tmp_path, CANDIDATE) is None

    commit_candidate(tmp_path, "abcdef12")

    found = find_committed(tmp_path, CANDIDATE)
    assert found is not None
    assert found.attempt == "abcdef12"


def test_an_attempt_that_was_cut_off_does_not_count_but_a_whole_one_does(tmp_path: Path) -> None:
    write_file(tmp_path / ASSIGNMENT.name / "00000000" / "weights.bin", b"half")
    commit(tmp_path, "99999999")

    found = find_committed(tmp_path, ASSIGNMENT)

    assert found is not None
    assert found.attempt == "99999999"


@pytest.mark.parametrize("damage", [b"12346", b"1234", None])
def test_a_changed_or_missing_file_is_noticed(tmp_path: Path, damage: bytes | None) -> None:
    path = commit(tmp_path) / "weights.bin"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(ManifestError, match=r"weights.bin in abcdef12 is"):
        read_artifact(path.parent)
    assert find_committed(tmp_path, ASSIGNMENT) is None


def test_a_manifest_of_another_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="expected is 00"):
        read_artifact(commit(tmp_path), "00")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not one of contract version 1"),
        ('{"contractVersion": 7}', "not one of contract version 1"),
        ('{"contractVersion": 1}', "no list 'files'"),
        ('{"contractVersion": 1, "files": [{}]}', "lacks path"),
        (
            json.dumps(
                {
                    "contractVersion": 1,
                    "files": [{"path": "../../x", "sha256": "", "sizeBytes": 1}],
                }
            ),
            "leaves the artifact",
        ),
    ],
)
def test_an_odd_manifest_is_refused_with_a_sentence(
    tmp_path: Path, document: str, words: str
) -> None:
    (tmp_path / MANIFEST_NAME).write_text(document)

    with pytest.raises(ManifestError, match=words):
        read_artifact(tmp_path)


def test_a_manifest_with_odd_values_does_not_count(tmp_path: Path) -> None:
    commit(tmp_path, values=[{"metric": "accuracy", "split": "validation", "value": "high"}])

    assert find_committed(tmp_path, ASSIGNMENT) is None


def test_a_file_is_whole_or_not_there_when_storage_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_file(tmp_path / "a", b"before")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left") as error:
        write_file(tmp_path / "a", b"after")

    assert is_storage_away(error.value)
    assert (tmp_path / "a").read_bytes() == b"before"


def test_a_mounted_file_is_replaced_whole_by_a_shorter_text(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"

    write_in_place(path, b"a long text")
    write_in_place(path, b"short")

    assert path.read_bytes() == b"short"
