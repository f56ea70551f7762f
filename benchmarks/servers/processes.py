"""The servers that are compared, each as one process with one thread, and what they hold."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from winnow_contract.serving import SERVE_ARGUMENTS, Serving, variables

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benchmarks/serving_peers"
PEERS = {
    "mlserver": ("mlserver==1.7.1", "onnxruntime==1.32.0"),
    "kserve": ("kserve==0.21.0", "onnxruntime==1.32.0"),
}
"""What is installed for each, into an environment of its own."""
OWN_PACKAGES = ("winnow_contract", "winnow_runtime", "winnow_measure", "winnow_server")
INFER = "/v2/models/model/infer"
START_SECONDS = 120
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Program:
    """How a server is started, and what of it is asked."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: str = ""
    """Whose packages it is made of; empty: not worth a figure."""
    grpc_port: int | None = None
    """Where it is asked over gRPC; None: it is asked over HTTP."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """What it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """What it holds now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def install_peers(cache: Path) -> dict[str, Path]:
    """An environment for each peer, kept for the next time; gives their interpreters."""
    uv = ROOT / ".venv/bin/uv"
    found = {}
    for name, packages in PEERS.items():
        folder, stamp = cache / name, cache / name / "installed"
        if not stamp.exists() or stamp.read_text() != " ".join(packages):
            print(f"installing {' '.join(packages)}")
            subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
            python = folder / "bin/python"
            subprocess.run([uv, "pip", "install", "-q", "-p", python, *packages], check=True)
            stamp.write_text(" ".join(packages))
        found[name] = folder / "bin/python"
    return found


def programs(graph: Path, answer: Path, port: int, peers: Mapping[str, Path]) -> list[Program]:
    """All servers for a model, ours first.

    Args:
        graph: the model, in the folder of its artifact.
        answer: a file with what ours answers; bare uvicorn gives it back.
        port: they listen on, one after the other.
        peers: interpreters by name.
    """
    serving = Serving(model_folder=graph.parent, port=port, drain_seconds=0, connection_max_age=0)
    ours = {**variables(serving), "WINNOW_TERMINATION_LOG": str(answer.with_name("termination"))}
    python = sys.executable
    echo = (python, str(PROGRAMS / "echo_server.py"), str(port), str(answer))
    found = [
        Program("winnow", (python, "-m", *SERVE_ARGUMENTS), answer.parent, ours, "winnow"),
        Program(
            "winnow, no batching",
            (python, "-m", *SERVE_ARGUMENTS),
            answer.parent,
            {**ours, "WINNOW_BATCHING": "false"},
            "winnow",
        ),
        Program("echo", echo, PROGRAMS),
        Program("echo_run", (*echo, str(graph)), PROGRAMS),
    ]
    home = answer.parent / "mlserver"
    _configure_mlserver(home, port)
    mlserver = (str(peers["mlserver"].with_name("mlserver")), "start", str(home))
    extra = {"BENCHMARK_MODEL": str(graph), "PYTHONPATH": str(PROGRAMS)}
    kserve = (str(peers["kserve"]), str(PROGRAMS / "kserve_server.py"), str(port), str(graph))
    grpc = port + 1
    return [
        *found,
        Program("mlserver", mlserver, home, extra, "mlserver"),
        Program("mlserver, gRPC", mlserver, home, extra, "mlserver", grpc),
        Program("kserve", kserve, answer.parent, {}, "kserve"),
        Program("kserve, gRPC", (*kserve, str(grpc)), answer.parent, {}, "kserve", grpc),
    ]


def _configure_mlserver(home: Path, port: int) -> None:
    home.mkdir(exist_ok=True)
    settings = {
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "host": "127.0.0.1",
        "parallel_workers": 0,
        "debug": False,
    }
    (home / "settings.json").write_text(json.dumps(settings))
    model = {"name": "model", "implementation": "mlserver_runtime.Onnx"}
    (home / "model-settings.json").write_text(json.dumps(model))


@contextmanager
def running(program: Program, port: int, body: bytes) -> Iterator[Running]:
    """Start a server, wait until it answers a request rightly, and end it with the block."""
    inherited = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    log = program.folder / "log" if program.folder != PROGRAMS else Path(os.devnull)
    with log.open("w") as file:
        process = subprocess.Popen(
            program.command,
            cwd=program.folder,
            env={**inherited, **program.environment},
            stdout=file,
            stderr=file,
        )
    try:
        server = Running(process.pid, port)
        _wait(process, server, body, program)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _wait_until_free(port)


def ask(server: Running, body: bytes) -> bytes:
    """One request.

    Raises:
        OSError: if it is not answered with 200.
    """
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{INFER}", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- same
        content: bytes = answer.read()
        return content


def _wait(process: subprocess.Popen[bytes], server: Running, body: bytes, program: Program) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            ask(server, body)
        except OSError as error:
            if process.poll() is not None or time.monotonic() > end:
                words = f"{program.name} does not answer ({error}); see {program.folder}/log"
                raise RuntimeError(words) from error
            time.sleep(0.1)
        else:
            return


def _wait_until_free(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)


def keep_message(program: Program, peers: Mapping[str, Path], request: Path, message: Path) -> None:
    """Ask a running server once over gRPC, and keep what was sent.

    Args:
        program: that is running.
        peers: interpreters by name.
        request: a file with the request in JSON.
        message: a file, is written.

    Raises:
        subprocess.CalledProcessError: if the answer is not what it should be.
    """
    script = str(PROGRAMS / "grpc_call.py")
    words = [str(peers["kserve"]), script, str(program.grpc_port), str(request), str(message)]
    subprocess.run(words, check=True)


def image_mib(peers: Mapping[str, Path]) -> dict[str, float]:
    """What an image of each server has above Python itself: its packages and all they need.

    Files that Python makes of others (`__pycache__`) are left out for all. Ours are those of its lock
    and its own.
    """
    lock = (ROOT / "requirements/server.txt").read_text()
    names = re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)
    files = [
        Path(str(file.locate()))
        for name in names
        for file in importlib.metadata.distribution(name).files or ()
    ]
    for package in OWN_PACKAGES:
        files += (ROOT / "trainer" / package).rglob("*")
    sizes = {"winnow": _mib(files)}
    for name, python in peers.items():
        site = next((python.parent.parent / "lib").glob("python3*/site-packages"))
        sizes[name] = _mib(site.rglob("*"))
    return sizes


def _mib(files: Iterable[Path]) -> float:
    kept = (path for path in files if "__pycache__" not in path.parts and path.is_file())
    return sum(path.stat().st_size for path in kept) / MIB
