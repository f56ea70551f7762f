"""Final artifacts: the same files, the figures beside them, and a manifest that names its parent."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.measuring_pods import SOURCE, Round
from tests.support.onnx_graphs import dense
from winnow_contract.manifests import Committed, read_artifact
from winnow_measure import finals
from winnow_measure.errors import RoundError
from winnow_measure.finals import write_final
from winnow_measure.models import BuiltModel, open_model

VALUES = {
    "accuracy": (0.98, 0.01),
    "latency_p95_seconds@1": (1e-4, 1e-6),
    "size_bytes": (9.0, None),
}
QUALITY = {"validation": {"accuracy": (0.98, 0.01)}, "test": {"accuracy": (0.97, 0.01)}}
MEASURED: dict[str, Any] = {"measuredAt": "2026-02-01T00:00:00+00:00", "round": 1}


@pytest.fixture
def built(tmp_path: Path) -> BuiltModel:
    """A baseline as its builder pod left it."""
    models = Round(tmp_path)
    values = [{"metric": "accuracy", "split": "test", "value": 0.5, "standardError": None}]
    return open_model(models.add("baseline", dense(width=4), values=values), models.claims)


def write(built: BuiltModel, attempt: str = "bbbbbbbb") -> Committed:
    folder = built.artifact.folder.parent / attempt
    write_final(folder, built, MEASURED, VALUES, QUALITY)
    return read_artifact(folder)


def test_the_files_are_the_same_and_take_no_room(built: BuiltModel) -> None:
    final = write(built)

    for name in ("model.onnx", "golden.safetensors"):
        assert (final.folder / name).samefile(built.artifact.folder / name)
    assert not (final.folder / "evaluation.safetensors").exists()


def test_a_storage_without_links_gets_copies(
    built: BuiltModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)

    final = write(built)

    name = "model.onnx"
    assert not (final.folder / name).samefile(built.artifact.folder / name)
    assert (final.folder / name).read_bytes() == dense(width=4)


def test_a_link_in_an_artifact_becomes_a_file(built: BuiltModel) -> None:
    model = built.onnx
    model.rename(model.with_name("hidden"))
    model.symlink_to("hidden")

    final = write(built)

    assert not (final.folder / "model.onnx").is_symlink()
    assert (final.folder / "model.onnx").read_bytes() == dense(width=4)


def test_the_manifest_names_its_parent_and_holds_what_was_measured(built: BuiltModel) -> None:
    document = write(built).document

    parent = {"kind": "candidate", "uri": built.model.uri, "digest": built.model.digest}
    assert document["lineage"] == [SOURCE, parent]
    assert document["trial"]["attempt"] == "bbbbbbbb"
    assert document["measurements"] == MEASURED
    assert document["createdAt"] == MEASURED["measuredAt"]
    assert document["candidate"] == "baseline"
    assert document["builtValues"][0]["value"] == 0.5
    read_artifact(built.artifact.folder, built.model.digest)  # the built one is as it was


def test_its_values_are_those_of_the_runtime(built: BuiltModel) -> None:
    final = write(built)

    assert final.values("validation") == QUALITY["validation"]
    assert final.values("test") == QUALITY["test"]


def test_the_checksums_are_of_the_files_as_they_are(built: BuiltModel) -> None:
    final = write(built)

    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=final.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    listed = {line.split()[1] for line in (final.folder / "SHA256SUMS").read_text().splitlines()}
    present = {path.name for path in final.folder.iterdir()}
    assert listed == present - {"SHA256SUMS", "manifest.json"}


def test_the_card_goes_on_with_the_figures(built: BuiltModel) -> None:
    card = (write(built).folder / "README.md").read_text()

    assert card.startswith("# small/baseline\n\n## Measured as it is served\n")
    assert "| latency_p95_seconds@1 | 100 µs | 1.00 µs |" in card


def test_half_an_artifact_of_the_same_attempt_is_replaced(built: BuiltModel) -> None:
    folder = built.artifact.folder.parent / "bbbbbbbb"
    folder.mkdir()
    (folder / "left-over").write_text("half")

    assert not (write(built).folder / "left-over").exists()


def test_a_whole_artifact_is_never_replaced(built: BuiltModel) -> None:
    before = hashlib.sha256(built.onnx.read_bytes()).digest()

    with pytest.raises(RoundError, match="give each pod a WINNOW_ATTEMPT of its own"):
        write(built, attempt="aaaaaaaa")
    assert hashlib.sha256(built.onnx.read_bytes()).digest() == before


def test_a_full_disk_is_not_taken_for_a_storage_without_links(
    built: BuiltModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr(finals, "_copy", lambda *_: pytest.fail("it was copied"))

    with pytest.raises(OSError, match="No space left"):
        write(built)
