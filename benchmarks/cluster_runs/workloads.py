"""What is run: a search with the smallest trial, and the bare Job of the very same pods. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.assignments import (
    Assignments,
    JobIdentity,
    ObjectiveSpec,
    TrialAssignment,
    encode_assignments,
)
from winnow_operator.api.names import GROUP
from winnow_operator.manifests.jobs import Batch, PodSettings, batch_job
from winnow_operator.manifests.objects import Owner

NAMESPACE = "winnow-bench"
CLAIM = "artifacts"
STORAGE = f"pvc://{CLAIM}"
METRIC = "quality"
WORDS = ("red", "green", "blue")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of run."""

    kind: str
    """Its name in tables: bare, random, tpe, random-packed, tpe-packed."""
    parallelism: int
    trials: int
    trials_per_pod: int = 1

    @property
    def is_bare(self) -> bool:
        """Whether it is the Job without an operator."""
        return self.kind == "bare"

    @property
    def algorithm(self) -> str:
        """As a SearchJob spells it."""
        return {"random": "Random", "tpe": "TPE"}[self.kind.partition("-")[0]]


def search_job(workload: Workload, image: str, seed: int) -> Body:
    """The SearchJob of a workload."""
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "SearchJob",
        "metadata": {"name": workload.kind, "namespace": NAMESPACE},
        "spec": {
            "trial": {"image": image},
            "objectives": [{"metric": METRIC, "goal": "Maximize"}],
            "space": {
                "parameters": [
                    {"name": "x", "double": {"min": "0", "max": "1"}},
                    {"name": "n", "int": {"min": 1, "max": 8}},
                    {"name": "word", "choice": {"values": list(WORDS)}},
                ]
            },
            "algorithm": {"name": workload.algorithm, "seed": seed},
            "budget": {"maxTrials": workload.trials, "parallelism": workload.parallelism},
            "trialsPerPod": workload.trials_per_pod,
            "storage": {"uri": STORAGE},
        },
    }


def bare_job(workload: Workload, image: str) -> Body:
    """An Indexed Job whose pods are those of a search, with values of its own.

    It is made by the operator's own code, so that volumes, security context, downward API and
    assignments are the same; only the labels that the operator watches have other names.
    """
    owner = Owner(NAMESPACE, workload.kind, "00000000-0000-0000-0000-000000000000")
    batch = Batch(
        number=1,
        trials=tuple(range(1, workload.trials + 1)),
        trials_per_pod=workload.trials_per_pod,
        parallelism=workload.parallelism,
        assignments=encode_assignments(_assignments(workload, owner)),
    )
    folder = f"{STORAGE}/{NAMESPACE}/searchjob/{owner.name}-{owner.uid[:8]}"
    body = batch_job(owner, batch, PodSettings(image=image, artifacts_uri=folder))
    del body["metadata"]["ownerReferences"]
    for metadata in (body["metadata"], body["spec"]["template"]["metadata"]):
        metadata["labels"] = _unwatched(metadata["labels"])
    return body


def _assignments(workload: Workload, owner: Owner) -> Assignments:
    trials = (
        TrialAssignment(
            name=f"{owner.name}-t{number:05}",
            number=number,
            seed=number,
            parameters={
                "x": number / (workload.trials + 1),
                "n": number % 8 + 1,
                "word": WORDS[number % len(WORDS)],
            },
        )
        for number in range(1, workload.trials + 1)
    )
    return Assignments(
        job=JobIdentity("SearchJob", owner.namespace, owner.name, owner.uid),
        objectives=(ObjectiveSpec(METRIC, "Maximize"),),
        trials=tuple(trials),
        trials_per_pod=workload.trials_per_pod,
    )


def _unwatched(labels: Mapping[str, str]) -> dict[str, str]:
    return {key.replace(f"{GROUP}/", "bench.dev/"): value for key, value in labels.items()}


def differences(bare: Mapping[str, Any], search: Mapping[str, Any]) -> list[str]:
    """Where the pods of two Jobs differ, beyond names, labels and the values of parameters."""
    left, right = _comparable(bare), _comparable(search)
    return sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key))


def _comparable(template: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a pod template by name; an image is compared without its digest or tag."""
    spec = {**template["spec"]}
    (container,) = spec.pop("containers")
    plain = {**container, "image": _repository(container["image"])}
    plain["env"] = [e for e in container["env"] if not e["name"].startswith("WINNOW_ARTIFACTS")]
    annotations = sorted(template["metadata"]["annotations"])
    return {**spec, **{f"containers.{k}": v for k, v in plain.items()}, "annotations": annotations}


def _repository(image: str) -> str:
    path, _, name = image.partition("@")[0].rpartition("/")
    return f"{path}/{name.partition(':')[0]}"
