"""Puts the inference server beside bare uvicorn, MLServer and KServe's SDK; prints figures and verdicts.

Every server is one process that runs the same ONNX file on one thread and gets the same body of JSON
from wrk; they run in turns, and what is compared is the ratio within a round.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

from benchmarks.machine import cpu_model, load, revision
from benchmarks.ranges import check
from benchmarks.results import Results, open_results, read_results
from benchmarks.serving_figures import Row, figures, line, report
from benchmarks.serving_models import SUBJECTS, Subject, make_artifact, rows_for
from benchmarks.serving_servers import (
    PEERS,
    Program,
    ask,
    install_peers,
    installed_mib,
    programs,
    running,
)
from devcluster.profiles import cache_root

ROOT = Path(__file__).resolve().parent.parent
RANGES = ROOT / "benchmarks/serving_ranges.yaml"
CACHE = cache_root().parent / "serving-peers"
CONNECTIONS = (1, 32)
WARM_SECONDS = 1
PORT = 28980
LUA = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = [[%s]]
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests": %%d, "seconds": %%f, "failed": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


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
    parser.add_argument("--output", type=Path, default=ROOT / "results/serving.json")
    parser.add_argument("--report", type=Path, help="print the report of a file, measure nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where peers are installed")
    parser.add_argument(
        "--only", choices=[s.name for s in SUBJECTS], help="this model alone", default=None
    )
    return parser.parse_args()


def _measure(arguments: argparse.Namespace) -> Results[Row]:
    if not shutil.which("wrk"):
        sys.exit("there is no wrk: install the package wrk (apt-get install wrk)")
    machine = {"cpu": cpu_model(), "winnow": revision(("trainer", "benchmarks"))}
    peers = install_peers(arguments.cache)
    sizes = installed_mib(peers)
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
        self._script = folder / "post.lua"
        self._script.write_text(LUA % self._body.decode())
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
            for connections in CONNECTIONS:
                before = load()
                self._wrk(server.url, connections, WARM_SECONDS)
                start = server.cpu_seconds()
                found = self._wrk(server.url, connections, seconds)
                row = Row(
                    number,
                    self.name,
                    program.name,
                    connections,
                    per_second=round(found["requests"] / found["seconds"], 1),
                    p50_milliseconds=round(found["p50"], 3),
                    p99_milliseconds=round(found["p99"], 3),
                    failed=int(found["failed"]),
                    cpu_microseconds=round(
                        1e6 * (server.cpu_seconds() - start) / max(found["requests"], 1), 1
                    ),
                    memory_mib=round(server.memory_mib(), 1),
                    installed_mib=round(sizes.get(program.name, 0.0)),
                    load=before,
                )
                print(line(row), flush=True)
                yield row

    def _wrk(self, url: str, connections: int, seconds: int) -> dict[str, float]:
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", str(self._script), url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return found


if __name__ == "__main__":
    sys.exit(main())
