"""Pods of the trainer that need not train again: the same trainer makes the same of one document.

What such a pod leaves in its folder is kept under `build/`, for as long as the trainer's code and
its locked requirements stay as they are; a clone without `build/` trains everything.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.support.chart import ROOT
from tests.support.trainer_process import Ended, TrialPod

KEPT = ROOT / "build/tests/pods"
LOG = "kept.log"


def run_or_recall(pod: TrialPod, about: str = "", **variables: str) -> Ended:
    """What a pod ends with, from its first run or another one of the same document.

    Args:
        pod: all that it reads is its document, what that names by digest, and `about`.
        about: other files that it reads.
        variables: of its environment, for a run.

    Raises:
        RuntimeError: with its log, if it ended with another code than 0.
    """
    home = KEPT / state_of_the_trainer() / _digest(json.dumps(pod.document, sort_keys=True), about)
    if home.exists():
        shutil.copytree(home, pod.folder, dirs_exist_ok=True)
        return Ended(0, (pod.folder / LOG).read_text(), pod.result())
    ended = pod.run(**variables)
    if ended.code:
        raise RuntimeError(ended.log)
    (pod.folder / LOG).write_text(ended.log)
    _keep(pod.folder, home)
    return ended


def _keep(folder: Path, home: Path) -> None:
    """Copy a folder to its place as a whole, and forget those of another state of the trainer."""
    home.parent.mkdir(parents=True, exist_ok=True)
    for other in KEPT.iterdir():
        if other != home.parent:
            shutil.rmtree(other, ignore_errors=True)
    half = Path(tempfile.mkdtemp(dir=home.parent)) / "pod"
    shutil.copytree(folder, half)
    try:
        half.rename(home)
    except OSError:  # another process was faster
        shutil.rmtree(half)
    half.parent.rmdir()


@cache
def state_of_the_trainer() -> str:
    """Hash of everything that decides what a trainer makes of a document."""
    files = [*(ROOT / "trainer").rglob("*.py"), *(ROOT / "requirements").glob("*.txt")]
    return _digest(*(f"{path.relative_to(ROOT)}\n{path.read_text()}" for path in sorted(files)))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
