"""Puts the inference server beside bare uvicorn, MLServer and KServe's SDK; prints figures and verdicts.

Every server is one process that runs the same ONNX file on one thread and gets the same body of JSON
from wrk, the peers the same row over gRPC from h2load too; they run in turns, and what is compared is
the ratio within a round.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

from benchmarks.machine import cpu_model, load, revision
from benchmarks.ranges import check
from benchmarks.results import Results, open_results, read_results
from benchmarks.servers.figures import Row, figures, line, report
from benchmarks.servers.loads import PROGRAMS as LOAD_PROGRAMS
from benchmarks.servers.loads import GrpcLoader, HttpLoader, Loader
from benchmarks.servers.models import SUBJECTS, Subject, make_artifact, rows_for
from benchmarks.servers.processes import (
    INFER,
    PEERS,
    Program,
    ask,
    image_mib,
    install_peers,
    keep_message,
    programs,
    running,
)
from devcluster.packages import ensure_programs
from devcluster.profiles import cache_root

ROOT = Path(__file__).resolve().parents[2]
RANGES = ROOT / "benchmarks/serving_ranges.yaml"
CACHE = cache_root().parent / "serving-peers"
CONNECTIONS = (1, 32)
WARM_SECONDS = 1
PORT = 28980


def main() -> int:
    """Measure or report; gives the exit code."""
    arguments = _arguments()
    given = arguments.report
    results = read_results(given, Row) if given else _measure(arguments)
    verdicts = check(figures(results.rows), yaml.safe_load(RANGES.read_text()))
    print(report(results.rows, results.machine, verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each load")
    parser.add_argument("--output", type=Path, default=ROOT / "build/benchmarks/serving.json")
    parser.add_argument("--report", type=Path, help="print the report of a file, measure nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where peers are installed")
    parser.add_argument(
        "--only", choices=[s.name for s in SUBJECTS], help="this model alone", default=None
    )
    return parser.parse_args()


def _measure(arguments: argparse.Namespace) -> Results[Row]:
    ensure_programs(LOAD_PROGRAMS)
    machine = {"cpu": cpu_model(), "winnow": revision(("trainer", "benchmarks"))}
    peers = install_peers(arguments.cache)
    sizes = image_mib(peers)
    settings = {"seconds": arguments.seconds, **{n: " ".join(p) for n, p in PEERS.items()}}
    results = open_results(arguments.output, Row, machine, settings)
    chosen = [s for s in SUBJECTS if arguments.only in (None, s.name)]
    with tempfile.TemporaryDirectory() as scratch:
        stages = [Stage(subject, Path(scratch) / subject.name, peers) for subject in chosen]
        for number in range(1, arguments.rounds + 1):
            for stage in stages:
                if not any(row.round == number and row.model == stage.name for row in results.rows):
                    results.add(stage.measure(number, arguments.seconds, sizes))
    return results


class Stage:
    """A model, and all servers for it.

    Args:
        subject: the model.
        folder: is filled.
        peers: interpreters by name.
    """

    def __init__(self, subject: Subject, folder: Path, peers: dict[str, Path]) -> None:
        self.name = subject.name
        graph = make_artifact(subject, folder)
        rows = rows_for(subject)[:1]
        tensor = {
            "name": "rows",
            "shape": list(rows.shape),
            "datatype": "FP32",
            "data": [round(float(number), 3) for number in rows.ravel()],
        }
        self._body = json.dumps({"inputs": [tensor]}).encode()
        self._peers = peers
        self._request = folder / "request.json"
        self._request.write_bytes(self._body)
        self._message = folder / "message"
        self._http = HttpLoader(INFER, self._body, folder / "post.lua")
        self._grpc = GrpcLoader(self._message, folder / "h2load.log")
        answer = folder / "answer.json"
        self._programs = programs(graph, answer, PORT, peers)
        with running(self._programs[0], PORT, self._body) as ours:
            answer.write_bytes(ask(ours, self._body))

    def measure(self, number: int, seconds: int, sizes: dict[str, float]) -> list[Row]:
        """All servers once, in the other order each second round."""
        order = self._programs if number % 2 else self._programs[::-1]
        return [
            row for program in order for row in self._measure_one(program, number, seconds, sizes)
        ]

    def _measure_one(
        self, program: Program, number: int, seconds: int, sizes: dict[str, float]
    ) -> Iterable[Row]:
        with running(program, PORT, self._body) as server:
            loader: Loader = self._http
            if program.grpc_port is not None:
                keep_message(program, self._peers, self._request, self._message)
                loader = self._grpc
            port = program.grpc_port or PORT
            for connections in CONNECTIONS:
                before = load()
                loader.run(port, connections, WARM_SECONDS)
                start = server.cpu_seconds()
                found = loader.run(port, connections, seconds)
                spent = server.cpu_seconds() - start
                row = Row(
                    number,
                    self.name,
                    program.name,
                    connections,
                    per_second=round(found.requests / found.seconds, 1),
                    p50_milliseconds=round(found.p50_milliseconds, 3),
                    p99_milliseconds=round(found.p99_milliseconds, 3),
                    failed=found.failed,
                    cpu_microseconds=round(1e6 * spent / max(found.requests, 1), 1),
                    memory_mib=round(server.memory_mib(), 1),
                    image_mib=round(sizes.get(program.packages, 0.0)),
                    load=before,
                )
                print(line(row), flush=True)
                yield row


if __name__ == "__main__":
    sys.exit(main())
