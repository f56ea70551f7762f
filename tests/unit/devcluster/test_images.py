"""Names of images in the local registry, and the image of one program."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from devcluster.errors import DevclusterError
from devcluster.images import image_path, load_image, single_program_image
from devcluster.profiles import open_profile


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("winnow/operator:src-1", "winnow/operator:src-1"),
        ("localhost/winnow/operator:src-1", "winnow/operator:src-1"),
        ("probe", "probe:latest"),
        ("registry.example.com:5000/team/a/b:1", "team/a/b:1"),
        ("registry.example.com/a", "a:latest"),
        ("localhost:5000/a:1", "a:1"),
    ],
)
def test_an_image_keeps_its_name_without_the_registry_it_had(image: str, path: str) -> None:
    assert image_path(image) == path


def test_an_image_named_by_digest_is_refused() -> None:
    with pytest.raises(DevclusterError, match="takes a name with a tag"):
        image_path(f"a@sha256:{'0' * 64}")


def test_without_a_registry_the_error_says_how_to_get_one() -> None:
    with pytest.raises(DevclusterError, match="up --profile dev` brings up a full node"):
        load_image(open_profile("dev"), "a:1")


def test_the_image_of_a_program_holds_it_as_its_entry_point(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")

    with tarfile.open(fileobj=io.BytesIO(single_program_image("localhost/p:1", program))) as image:
        files = {member.name: image.extractfile(member) for member in image.getmembers()}
        texts = {name: file.read() for name, file in files.items() if file}
    (manifest,) = json.loads(texts["manifest.json"])
    config = json.loads(texts[manifest["Config"]])
    (layer,) = [texts[name] for name in manifest["Layers"]]

    assert manifest["RepoTags"] == ["localhost/p:1"]
    assert config["config"]["Entrypoint"] == ["/pause"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as content:
        (member,) = content.getmembers()
        assert (member.name, member.mode) == ("pause", 0o755)
