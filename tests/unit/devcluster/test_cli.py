"""What the command line answers when there is nothing to work on, and locks of profiles."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from devcluster.binaries import binary_folder
from devcluster.cli import main
from devcluster.lifecycle import locked
from devcluster.profiles import known_profiles
from devcluster.record import Record, read_record, write_record
from tests.support.chart import ROOT

Eventually = Callable[[Callable[[], bool]], None]


@pytest.mark.parametrize(
    "verb", [["status"], ["kubeconfig"], ["load-image", "a:1"], ["logs", "etcd"]]
)
def test_a_verb_on_a_profile_that_never_was_says_how_to_bring_it_up(
    verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb, "--profile", "never"]) == 1

    assert "scripts/devcluster up --profile never" in capsys.readouterr().err
    assert known_profiles() == []


def test_only_the_programs_that_are_named_are_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path))
    folder = binary_folder()
    folder.mkdir(parents=True)
    (folder / "helm").touch()

    assert main(["build", "helm"]) == 0  # there is nothing to build: it is there

    assert capsys.readouterr().out == f"{folder}\n"


def test_a_program_that_is_not_built_here_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["build", "minikube"])

    assert "invalid choice: 'minikube'" in capsys.readouterr().err


def test_gpus_without_a_node_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--control-plane-only", "--gpus", "2"]) == 1

    assert "--gpus needs a node" in capsys.readouterr().err


@pytest.mark.parametrize("count", ["-1", "two", "1.5"])
def test_an_odd_number_of_gpus_is_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["up", f"--gpus={count}"])

    assert f"'{count}' is no number of GPUs: 0 or more is allowed" in capsys.readouterr().err


def test_a_second_command_on_a_profile_waits_for_the_first(
    capsys: pytest.CaptureFixture[str], eventually: Eventually
) -> None:
    order: list[str] = []

    def second() -> None:
        with locked("dev"):
            order.append("second")

    thread = threading.Thread(target=second)
    said: list[str] = []

    def has_said_that_it_waits() -> bool:
        said.append(capsys.readouterr().out)
        return "waiting" in "".join(said)

    with locked("dev"):
        thread.start()
        eventually(has_said_that_it_waits)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_a_lock_of_a_profile_that_was_purged_meanwhile_is_taken_anew(
    eventually: Eventually, cache: Path
) -> None:
    entered = threading.Event()

    def second() -> None:
        with locked("dev") as profile:
            assert (profile.root / "lock").exists()
            entered.set()

    thread = threading.Thread(target=second)
    with locked("dev") as profile:
        thread.start()
        eventually(lambda: len(open_locks(cache)) == 2)
        for path in profile.root.iterdir():
            path.unlink()
        profile.root.rmdir()
    thread.join()

    assert entered.is_set()


def open_locks(cache: Path) -> list[Path]:
    lock = cache / "profiles/dev/lock"
    return [f for f in Path("/proc/self/fd").iterdir() if f.exists() and f.readlink() == lock]


def test_a_record_is_read_as_it_was_written() -> None:
    record = Record(full_node=True, gpus=2, prometheus=True, binaries="bin-1")
    with locked("dev") as profile:
        assert read_record(profile) is None
        profile.state.mkdir()
        write_record(profile, record)

        assert read_record(profile) == record


def cluster(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts/cluster", *arguments],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def test_an_unknown_kind_of_cluster_is_refused_with_those_there_are() -> None:
    done = cluster("up", CLUSTER="k9s")

    assert done.returncode == 1
    assert "CLUSTER=k9s is unknown: devcluster, current or kind" in done.stderr


def test_an_image_for_the_users_own_cluster_needs_the_name_of_a_registry() -> None:
    done = cluster("load-image", "a:1", CLUSTER="current", WINNOW_REGISTRY="")

    assert done.returncode == 1
    assert "WINNOW_REGISTRY=registry.example.com/team" in done.stderr


def test_the_users_own_cluster_is_left_as_it_is(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("{}")
    calls = fake_program(tmp_path, "kubectl", "echo mine")

    done = cluster(
        "down", CLUSTER="current", KUBECONFIG=str(config), WINNOW_KUBECTL=f"{tmp_path}/kubectl"
    )

    assert done.stdout == "the context mine is yours and stays as it is\n"
    assert calls() == ["config current-context"]


def test_options_of_the_devcluster_are_refused_elsewhere() -> None:
    done = cluster("up", "--gpus", "2", CLUSTER="current")

    assert done.returncode == 1
    assert "--gpus 2 is for CLUSTER=devcluster alone" in done.stderr


def test_a_kind_cluster_gets_images_under_the_name_that_is_printed(tmp_path: Path) -> None:
    kind = fake_program(tmp_path, "kind")
    buildah = fake_program(tmp_path, "buildah")
    path = f"{tmp_path}:{os.environ['PATH']}"

    done = cluster("load-image", "winnow/operator:1", "--profile", "p", CLUSTER="kind", PATH=path)

    assert done.stdout.splitlines()[-1] == "localhost/winnow/operator:1"
    (push,), (load,) = buildah(), kind()
    assert push.endswith("image.tar:localhost/winnow/operator:1")
    assert load.startswith("load image-archive ")
    assert load.endswith("--name winnow-p")


def fake_program(folder: Path, name: str, action: str = "true") -> Callable[[], list[str]]:
    """A stand-in for a program that needs Docker or a cluster; gives what it was called with."""
    program, calls = folder / name, folder / f"{name}.calls"
    program.write_text(f'#!/bin/sh\necho "$*" >> {calls}\n{action}\n')
    program.chmod(0o755)
    return lambda: calls.read_text().splitlines()
