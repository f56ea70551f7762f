"""Sources and candidates of compressions, as pods of the shared trainer make them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.support.kept_pods import run_or_recall
from tests.support.trainer_process import Ended, TrialPod
from tests.support.trainings import JobDocument, assignment_document
from winnow_contract.manifests import Committed, read_artifact
from winnow_contract.steps.chains import resolve_chain

MODELS = "models"
"""Claim on which sources lie."""
Chain = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Searched:
    """What a search has left on a claim: its winner, and the data that it was trained on."""

    claims: Path
    uri: str
    artifact: Committed
    metric: str


def searched(folder: Path, name: str, content: str = "", **changes: Any) -> Searched:
    """Train one model as a SearchJob does.

    Args:
        folder: is filled.
        name: of the model on its claim.
        content: of a table `tables/t.csv` with target `label`; empty: data comes with `changes`.
        changes: to the assignment document.
    """
    pod = TrialPod(folder, assignment_document({}, **changes))
    if content:
        (pod.claims / "tables").mkdir(parents=True, exist_ok=True)
        (pod.claims / "tables/t.csv").write_text(content)
    home = pod.claims / MODELS / name
    run_or_recall(pod, content, WINNOW_ARTIFACTS=str(home))
    path = home / "digits-t00001/aaaaaaaa"
    uri = f"pvc://{MODELS}/{name}/digits-t00001/aaaaaaaa"
    return Searched(pod.claims, uri, read_artifact(path), changes.get("objective", "accuracy"))


def compression_document(
    source: Searched, chains: Mapping[str, Chain], /, **changes: Any
) -> JobDocument:
    """The file for one pod that builds a candidate for each chain; one without steps: baseline."""
    return {
        "contractVersion": 1,
        "job": {"kind": "CompressionJob", "namespace": "team", "name": "small", "uid": "uid"},
        "task": None,
        "objectives": [{"metric": source.metric, "goal": "Maximize"}],
        "trialsPerPod": len(chains),
        "source": {"uri": source.uri, "digest": source.artifact.digest},
        "trials": [
            {
                "name": f"small-c{number:05d}",
                "number": number,
                "seed": 100 + number,
                "parameters": {},
                "candidate": name,
                "steps": list(resolve_chain(chain)),
            }
            for number, (name, chain) in enumerate(chains.items(), 1)
        ],
        **changes,
    }


class CompressionPod(TrialPod):
    """A builder pod: it sees the claims of a source."""

    def __init__(
        self, folder: Path, source: Searched, chains: Mapping[str, Chain], /, **changes: Any
    ) -> None:
        super().__init__(folder, compression_document(source, chains, **changes))
        self.claims = source.claims

    @override
    def start(
        self, attempt: str = "aaaaaaaa", wrapper: Sequence[str] = (), **variables: str
    ) -> subprocess.Popen[str]:
        """Start it on the claims of the source."""
        return super().start(attempt, wrapper, **{"WINNOW_CLAIMS": str(self.claims), **variables})

    def artifact(self, number: int = 1, attempt: str = "aaaaaaaa") -> Committed:
        """What it has made of a candidate, every file checked."""
        return read_artifact(self.artifacts / f"small-c{number:05d}" / attempt)


@dataclass(frozen=True)
class Built:
    """A builder pod that has ended."""

    pod: CompressionPod
    ended: Ended
    chains: Mapping[str, Chain]

    def number(self, name: str) -> int:
        """Number of a candidate."""
        return 1 + list(self.chains).index(name)

    def artifact(self, name: str) -> Committed:
        """What it has made of a candidate, every file checked."""
        return self.pod.artifact(self.number(name))


def build(folder: Path, source: Searched, chains: Mapping[str, Chain]) -> Built:
    """What a builder pod ends with."""
    pod = CompressionPod(folder, source, chains)
    return Built(pod, run_or_recall(pod), chains)
