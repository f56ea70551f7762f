"""Fetching: a whole, verified copy, or a sentence that says what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.served_artifacts import artifact
from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.files import file_digest
from winnow_contract.manifests import read_artifact, write_manifest
from winnow_contract.serving import Serving
from winnow_runtime.errors import ModelError
from winnow_server.fetching import fetch


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    return artifact(tmp_path)


def home(serving: Serving) -> Path:
    """Where the artifact lies on the claim."""
    return serving.model_source / serving.model_uri.removeprefix("pvc://models/")


def test_every_file_is_copied_and_verified(serving: Serving) -> None:
    found = fetch(serving)

    assert f"sha256:{found.digest}" == serving.model_digest
    assert read_artifact(serving.model_folder).size_bytes == read_artifact(home(serving)).size_bytes


def test_a_copy_that_is_there_is_kept_even_without_the_claim(serving: Serving) -> None:
    fetch(serving)

    again = fetch(replace(serving, model_source=Path("/nowhere")))

    assert f"sha256:{again.digest}" == serving.model_digest


def test_half_a_copy_is_made_whole(serving: Serving) -> None:
    fetch(serving)
    (serving.model_folder / "model.onnx").write_bytes(b"half")

    fetch(serving)

    read_artifact(serving.model_folder)


def refused(serving: Serving) -> str:
    with pytest.raises(ModelError) as caught:
        fetch(serving)
    assert caught.value.cause == "BadArtifact"
    return str(caught.value)


def test_what_is_not_there_is_named(serving: Serving) -> None:
    gone = replace(serving, model_uri="pvc://models/elsewhere")

    assert refused(gone) == "there is no artifact at pvc://models/elsewhere"


def test_another_digest_is_refused_with_both(serving: Serving) -> None:
    words = refused(replace(serving, model_digest=f"sha256:{'0' * 64}"))

    assert serving.model_digest.removeprefix("sha256:") in words
    assert "expected is 000000000000..." in words


@pytest.mark.parametrize("content", [b"", b"damaged", None])
def test_a_damaged_file_is_named_and_the_larger_one_is_not_even_copied(
    serving: Serving, content: bytes | None
) -> None:
    file = home(serving) / "model.onnx"
    same_size = b"x" * file.stat().st_size
    file.write_bytes(same_size if content is None else content)

    assert "model.onnx in " in refused(serving)
    assert (serving.model_folder / "model.onnx").exists() is (content is None)


def test_an_artifact_without_a_graph_says_what_to_do(serving: Serving) -> None:
    folder = home(serving)
    (folder / "model.onnx").unlink()
    document = json.loads((folder / "manifest.json").read_bytes())
    digest = write_manifest(folder, document).digest

    words = refused(replace(serving, model_digest=f"sha256:{digest}"))

    assert words == (
        f"the artifact at {serving.model_uri} has no model.onnx: export it to ONNX first"
    )


def test_a_manifest_that_leaves_its_folder_is_refused(serving: Serving) -> None:
    folder = home(serving)
    document = json.loads((folder / "manifest.json").read_bytes())
    document["files"][0]["path"] = "../../../secret"
    (folder / "manifest.json").write_text(json.dumps(document))
    digest = file_digest(folder / "manifest.json")

    assert "leaves the artifact" in refused(replace(serving, model_digest=f"sha256:{digest}"))


def test_a_claim_that_is_not_mounted_may_come_back(serving: Serving) -> None:
    with pytest.raises(FileNotFoundError, match="the claim is not mounted"):
        fetch(replace(serving, model_source=Path("/nowhere")))


@pytest.mark.parametrize("changes", [{"model_uri": ""}, {"model_digest": ""}])
def test_what_to_fetch_must_be_said(serving: Serving, changes: dict[str, Any]) -> None:
    with pytest.raises(EnvironmentVariableError, match="must both be set"):
        fetch(replace(serving, **changes))
