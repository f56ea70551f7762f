"""What the init container does: the artifact from the claim into the pod's own folder, verified.

The copy is verified, not the original: what is served is what was verified, whatever becomes of
the claim.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.log import say
from winnow_contract.manifests import MANIFEST_NAME, Committed, ManifestError, read_manifest
from winnow_contract.serving import Serving
from winnow_contract.uris import parse_claim
from winnow_runtime.artifacts import open_artifact
from winnow_runtime.errors import ModelError

__all__ = ["fetch"]


def fetch(serving: Serving) -> Committed:
    """Copy the artifact of these settings; one that is there already is kept.

    Raises:
        EnvironmentVariableError: if the settings do not say which artifact.
        ModelError: if it is missing, damaged, has another digest or cannot be served.
        OSError: if the claim cannot be read or the folder cannot be written.
    """
    if not serving.model_uri or not serving.model_digest:
        raise EnvironmentVariableError(
            "WINNOW_MODEL_URI and WINNOW_MODEL_DIGEST must both be set, to know what to fetch"
        )
    digest = serving.model_digest.removeprefix("sha256:")
    target = serving.model_folder
    try:
        return open_artifact(target, digest, serving.model_uri)
    except ModelError:  # not there yet, or half of it
        pass
    source = serving.model_source / parse_claim(serving.model_uri).path
    _check_mount(serving, source)
    try:
        _copy(source, target, digest)
    except ManifestError as error:
        raise ModelError("BadArtifact", f"the artifact at {serving.model_uri}: {error}") from error
    artifact = open_artifact(target, digest, serving.model_uri)
    say(f"{serving.model_uri}: {artifact.size_bytes} bytes copied, every file as recorded")
    return artifact


def _check_mount(serving: Serving, source: Path) -> None:
    if not serving.model_source.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the claim is not mounted", str(serving.model_source))
    if not source.is_dir():
        raise ModelError("BadArtifact", f"there is no artifact at {serving.model_uri}")


def _copy(source: Path, target: Path, digest: str) -> None:
    manifest = read_manifest(source, digest)
    for file in manifest.files:
        file.check_size(source)  # before it can fill the pod's folder
        copy = target / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file.path, copy)
    (target / MANIFEST_NAME).write_bytes(manifest.content)
