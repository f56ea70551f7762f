"""`python -m winnow_measure.memory_probe`: one model in a process of its own (see `memory`).

Anonymous memory is counted, so that pages of the runtime's own program, which come in as they are
used, are nobody's. The last line of the output is `{"bytes": ...}` or `{"cause", "message"}`.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

from winnow_measure.empty_model import EMPTY_MODEL
from winnow_runtime.errors import ModelError
from winnow_runtime.sessions import Session

RUNS = 3
STATUS = Path("/proc/self/status")
_OUT_OF_MEMORY = re.compile(r"bad_alloc|[Ff]ailed to allocate|out of memory", re.IGNORECASE)


def main(words: list[str]) -> int:
    """Load and run the model; print what it took."""
    path, threads, batch_sizes, limit = words
    if int(limit):
        # The container's own limit would kill all of its processes; this one only fails.
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit), int(limit)))
    sizes = [int(size) for size in batch_sizes.split(",")]
    try:
        answer: dict[str, object] = {"bytes": probe(Path(path), int(threads), sizes)}
    except MemoryError as error:
        answer = _out_of_memory(str(error))
    except ModelError as error:
        found = _OUT_OF_MEMORY.search(str(error))
        answer = {"cause": error.cause, "message": str(error)}
        answer = _out_of_memory(str(error)) if found else answer
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def _out_of_memory(words: str) -> dict[str, object]:
    message = f"the model does not fit into the pod's memory: raise measurement.resources ({words})"
    return {"cause": "OutOfMemory", "message": message}


def probe(path: Path, threads: int, batch_sizes: list[int]) -> int:
    """Bytes that the model takes on top of an empty runtime.

    Raises:
        ModelError: if it cannot be loaded or run.
    """
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(EMPTY_MODEL)
        file.flush()
        empty = Session(Path(file.name), threads)
    _run(empty, batch_sizes)
    before = anonymous_bytes()
    session = Session(path, threads)
    _run(session, batch_sizes)
    return anonymous_bytes() - before


def _run(session: Session, batch_sizes: list[int]) -> None:
    for size in batch_sizes:
        rows = np.zeros((size, *session.row_shape), dtype=np.float32)
        for _ in range(RUNS):
            session.run(rows)


def anonymous_bytes(status: Path = STATUS) -> int:
    """Resident memory of this process that no file stands behind.

    Raises:
        OSError: if the kernel does not tell.
    """
    found = re.search(r"^RssAnon:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{status} does not say RssAnon, which Linux has had since 4.5")
    return int(found[1]) * 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
