"""scripts/image without a build: what reaches a build, what its name depends on, and what does not."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.chart import ROOT


def load(name: str) -> ModuleType:
    loader = SourceFileLoader(f"winnow_{name}_script", str(ROOT / "scripts" / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


image, deploy = load("image"), load("deploy")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no settings of pip but those that a test writes."""
    for name in [n for n in os.environ if n.startswith("PIP_") or n in image.CERTIFICATE_VARIABLES]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(image, "PIP_FILES", (str(tmp_path / "pip.conf"),))
    monkeypatch.setattr(image, "CERTIFICATES", str(tmp_path / "no-bundle"))
    return tmp_path


def secret(name: str) -> tuple[str, str]:
    """Text and mode of a secret while it exists, and whether it is gone afterwards."""
    with image.secrets() as options:
        found = dict(o.removeprefix("--secret=id=").split(",src=") for o in options)
        path = Path(found[name])
        text, mode = path.read_text(), oct(path.stat().st_mode & 0o777)
    assert not path.exists()
    return text, mode


def test_only_what_reaches_an_index_is_handed_to_a_build(home: Path) -> None:
    settings = "index-url = https://user:secret@index.example/simple\nfind-links = /opt/wheels\n"
    (home / "pip.conf").write_text(f"[global]\n{settings}[install]\nuser = true\n")

    text, mode = secret("pip-conf")

    assert "index-url = https://user:secret@index.example/simple" in text.splitlines()
    assert "find-links" not in text
    assert "user = true" not in text
    assert mode == "0o600"


def test_an_environment_variable_wins_over_a_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "pip.conf").write_text("[global]\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example/simple")

    assert image.pip_settings()["index-url"] == "https://variable.example/simple"


def test_the_machines_certificates_go_along_as_a_secret_of_their_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = home / "bundle.crt"
    bundle.write_text("certificates")
    monkeypatch.setenv("PIP_CERT", str(bundle))

    with image.secrets() as options:
        assert f"--secret=id=ca-certificates,src={bundle}" in options
    assert "cert = /run/secrets/ca-certificates" in secret("pip-conf")[0].splitlines()


def test_without_certificates_none_are_named(home: Path) -> None:
    assert home.is_dir()
    assert "cert =" not in secret("pip-conf")[0]


@pytest.mark.parametrize("target", image.TARGETS)
def test_an_image_is_made_of_its_lock_and_its_packages(target: str) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in image.sources(target)}

    assert f"requirements/{target}.txt" in files
    assert "trainer/winnow_contract/results.py" in files
    assert {name.split("/")[0] for name in files} <= {"requirements", "operator", "trainer"}
    assert not [name for name in files if "__pycache__" in name]


@pytest.mark.parametrize("target", image.TARGETS)
def test_a_deployment_names_an_image_by_all_that_it_is_made_of(target: str) -> None:
    named_by = {path for path in deploy._image_sources(target) if path.suffix != ".pyc"}

    assert named_by == {ROOT / "Dockerfile", *image.sources(target)}


def test_only_the_trainers_image_has_the_trainer() -> None:
    operator, trainer, server = (
        {path.relative_to(ROOT).parts[1] for path in image.sources(target)}
        for target in ("operator", "trainer", "server")
    )

    assert operator == {"operator.txt", "winnow_contract", "winnow_operator"}
    assert trainer == {"trainer.txt", "winnow_contract", "winnow_measure", "winnow_trainer"}
    assert server == {
        "server.txt",
        "winnow_contract",
        "winnow_measure",
        "winnow_runtime",
        "winnow_server",
    }


def test_a_deployment_tells_the_chart_of_every_image() -> None:
    assert image.TARGETS == deploy.TARGETS
    assert set(deploy.VALUES.values()) == set(image.TARGETS)
    assert set(deploy.FIRST_TIME) == set(image.TARGETS)


def test_the_fingerprint_follows_content_and_not_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "ROOT", tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    module = tmp_path / "module.py"
    module.write_text("one = 1\n")
    first = image.fingerprint([module], "operator")

    os.utime(module, (1, 1))
    assert image.fingerprint([module], "operator") == first
    assert image.fingerprint([module], "trainer") != first
    module.write_text("one = 2\n")
    assert image.fingerprint([module], "operator") != first


def test_the_context_of_a_build_has_the_same_times_and_modes_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "ROOT", tmp_path)
    monkeypatch.setattr(image, "SCRATCH", str(tmp_path))
    module = tmp_path / "package/module.py"
    module.parent.mkdir()
    module.write_text("one = 1\n")
    module.chmod(0o600)

    with image.context([module]) as folder:
        found = {
            path.relative_to(folder).as_posix(): (path.stat().st_mtime, path.stat().st_mode & 0o777)
            for path in folder.rglob("*")
        }

    assert found == {"package": (0, 0o755), "package/module.py": (0, 0o644)}


def test_a_base_that_is_named_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_BASE_IMAGE", "registry.example/python:3.11")

    assert image.base_image() == "registry.example/python:3.11"
