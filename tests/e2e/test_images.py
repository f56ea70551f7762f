"""The images: what is in them, how large they are, what a change costs, and that they start."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Cluster
from tests.support.chart import ROOT
from tests.support.namespace import Namespace
from tests.support.proofs import proofs
from winnow_contract.serving import SERVE_ARGUMENTS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

MEGABYTE = 1_000_000
TARGETS = ("operator", "trainer", "server")


def buildah(*arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def build(target: str, name: str, root: Path = ROOT) -> str:
    """Build a target; gives what was said on the way."""
    command = [str(root / "scripts/image"), "build", target, "--tag", name]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == name
    return done.stderr


def inspect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", name))
    return found


def layers(name: str) -> list[str]:
    diffs: list[str] = inspect(name)["OCIv1"]["rootfs"]["diff_ids"]
    return diffs


def megabytes(path: Path) -> float:
    done = subprocess.run(["du", "-sx", "--block-size=1", path], check=True, capture_output=True)
    return int(done.stdout.split()[0]) / MEGABYTE


@contextmanager
def files(name: str) -> Iterator[Path]:
    """The file system of an image."""
    container = buildah("from", "--pull-never", name)
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("rm", container)


@pytest.fixture(scope="module", params=TARGETS)
def image(request: pytest.FixtureRequest) -> str:
    """A built image of each target."""
    name = f"winnow/{request.param}:dev"
    build(request.param, name)
    return name


def test_an_image_that_is_up_to_date_is_not_built_again(image: str) -> None:
    target, before = image.partition("/")[2].partition(":")[0], inspect(image)["FromImageID"]

    said = build(target, image)

    assert "is up to date" in said
    assert inspect(image)["FromImageID"] == before


def test_the_user_is_a_number_and_not_root(image: str) -> None:
    config = inspect(image)["OCIv1"]["config"]

    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", config["User"])
    assert config["Entrypoint"][:2] == ["python", "-m"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_how_the_machine_reaches_an_index_is_in_no_image(image: str) -> None:
    with files(image) as root:
        assert not (root / "etc/pip.conf").exists()
        assert not list((root / "run/secrets").glob("*"))
        assert "://" not in (root / "etc/apt/sources.list").read_text()
    history = json.dumps(inspect(image)["OCIv1"]["history"])
    assert "://" not in history.replace("TORCH_INDEX_URL", "")


def test_bytecode_of_all_packages_is_compiled(image: str) -> None:
    with files(image) as root:
        sources = [
            path
            for path in (root / "opt/winnow/src").rglob("*.py")
            if not (path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc").exists()
        ]
    assert sources == []


def test_the_operator_has_no_torch_and_little_else() -> None:
    build("operator", "winnow/operator:dev")
    with files("winnow/operator:dev") as root:
        assert not list((root / "opt/winnow").glob("lib/python3*/site-packages/torch"))
        assert not (root / "opt/winnow/src/winnow_trainer").exists()
        above_the_base = megabytes(root / "opt/winnow")

    assert above_the_base < 500, f"{above_the_base:.0f} MB above its base, 500 are allowed"


def test_the_server_has_no_torch_and_little_else() -> None:
    build("server", "winnow/server:dev")
    with files("winnow/server:dev") as root:
        assert not list((root / "opt/winnow").glob("lib/python3*/site-packages/torch"))
        assert not (root / "opt/winnow/src/winnow_trainer").exists()
        above_the_base = megabytes(root / "opt/winnow")

    assert above_the_base < 300, f"{above_the_base:.0f} MB above its base, 300 are allowed"


def place(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


CODE_LAYERS = {"operator": 3, "server": 5, "trainer": 4}
"""A layer for each package that is copied, and one for their bytecode."""


@pytest.mark.parametrize("target", ["operator", *proofs("trainer", "server")])
def test_a_change_of_the_code_keeps_the_layers_of_the_dependencies(
    target: str, tmp_path: Path
) -> None:
    build(target, f"winnow/{target}:dev")
    copy = tmp_path / "copy"
    for name in ("Dockerfile", "requirements", "operator", "trainer", "scripts", "devcluster"):
        source = ROOT / name
        place(source, copy / name)
    with (copy / "trainer/winnow_contract/version.py").open("a") as module:
        module.write(f"\n# changed for {tmp_path}\n")

    name = f"winnow/{target}:test-change"
    try:
        build(target, name, copy)
        before, after = layers(f"winnow/{target}:dev"), layers(name)
    finally:
        buildah("rmi", name)

    common = [a for a, b in zip(before, after, strict=True) if a == b]
    assert len(common) >= len(before) - CODE_LAYERS[target], "more than the code's layers are new"
    assert before != after


RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod(image: str, *command: str) -> dict[str, Any]:
    """A pod as strict as those of trials, which runs a command of an image."""
    container = {
        "name": "main",
        "image": image,
        "command": list(command),
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 -- of the pod
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "image"}, "spec": spec}


def outcome(cluster: Cluster, namespace: Namespace, body: dict[str, Any]) -> tuple[int, str]:
    """Exit code and log of a pod."""
    where = ("-n", namespace.name)
    cluster.run(*where, "create", "-f", "-", stdin=json.dumps(body))
    ended = "jsonpath={.status.containerStatuses[0].state.terminated}"
    cluster.run(*where, "wait", "pod/image", f"--for={ended}", "--timeout=300s")
    found = yaml.safe_load(cluster.run(*where, "get", "pod/image", "-o", "yaml"))
    code = found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]
    return int(code), cluster.run(*where, "logs", "pod/image")


async def test_the_operator_starts_read_only_and_says_plainly_what_it_lacks(
    cluster: Cluster, namespace: Namespace
) -> None:
    code, log = outcome(
        cluster, namespace, pod(cluster.operator_image, "python", "-m", "winnow_operator")
    )

    assert code == 2
    assert "WINNOW_TRAINER_IMAGE is not set: name the trainer image to run" in log
    assert len(log.splitlines()) == 1


async def test_every_engine_works_in_the_operators_image(
    cluster: Cluster, namespace: Namespace
) -> None:
    program = (
        "import importlib.util as u, sys\n"
        "import optuna, kopf, winnow_operator.app\n"
        "optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1)).optimize("
        "lambda t: t.suggest_float('x', 0, 1), n_trials=20)\n"
        "sys.exit(u.find_spec('torch') is not None)"
    )
    code, log = outcome(cluster, namespace, pod(cluster.operator_image, "python", "-c", program))

    assert code == 0, log


async def test_the_trainer_starts_read_only_and_says_plainly_what_it_lacks(
    cluster: Cluster, namespace: Namespace
) -> None:
    code, log = outcome(
        cluster, namespace, pod(cluster.trainer_image, "python", "-m", "winnow_trainer")
    )

    assert code == 65
    assert "WINNOW_ASSIGNMENTS" in log or "assignment file" in log
    assert "Traceback" not in log


async def test_the_server_measures_without_being_told_and_says_plainly_what_it_lacks(
    cluster: Cluster, namespace: Namespace
) -> None:
    body = pod(cluster.server_image)
    del body["spec"]["containers"][0]["command"]

    code, log = outcome(cluster, namespace, body)

    assert code == 65
    assert (
        log == "cannot start: WINNOW_ARTIFACTS is not set: name the folder of the job's artifacts\n"
    )


async def test_the_server_serves_by_argument_and_says_plainly_what_it_lacks(
    cluster: Cluster, namespace: Namespace
) -> None:
    body = pod(cluster.server_image)
    container = body["spec"]["containers"][0]
    del container["command"]
    container["args"] = [*SERVE_ARGUMENTS]

    code, log = outcome(cluster, namespace, body)

    assert code == 65
    assert "model has no manifest.json: it is not whole" in log
    assert "Traceback" not in log


async def test_a_model_runs_in_the_servers_image(cluster: Cluster, namespace: Namespace) -> None:
    program = (
        "import importlib.util as u, pathlib, sys\n"
        "from winnow_measure.empty_model import EMPTY_MODEL\n"
        "from winnow_measure.memory import memory_of\n"
        "path = pathlib.Path('/tmp/model.onnx')\n"
        "path.write_bytes(EMPTY_MODEL)\n"
        "print(memory_of(path, 1, [1, 64]))\n"
        "sys.exit(u.find_spec('torch') is not None)"
    )
    code, log = outcome(cluster, namespace, pod(cluster.server_image, "python", "-c", program))

    assert code == 0, log


async def test_torch_trains_in_the_trainers_image(cluster: Cluster, namespace: Namespace) -> None:
    program = (
        "import torch, sklearn, pandas, mlxtend, safetensors.torch\n"
        "model = torch.nn.Linear(2, 1)\n"
        "model(torch.zeros(4, 2)).sum().backward()\n"
    )
    code, log = outcome(cluster, namespace, pod(cluster.trainer_image, "python", "-c", program))

    assert code == 0, log
