"""The CustomResourceDefinitions, made from the models; `scripts/crds` writes them to `crds/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.fields import ApiModel
from winnow_operator.api.modelserver import ModelServer
from winnow_operator.api.names import GROUP, VERSION
from winnow_operator.api.schema_tree import Schema, structural_schema
from winnow_operator.api.searchjob import SearchJob
from winnow_operator.api.trial import Trial

_TYPE_FIELDS: dict[str, Schema] = {
    "apiVersion": {
        "description": "Version of the schema that this object is written in.",
        "type": "string",
    },
    "kind": {"description": "Kind of the object.", "type": "string"},
    "metadata": {"type": "object"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    kind: str = "string"
    description: str = ""
    wide: bool = False
    """Only shown with `--output wide`."""

    def document(self) -> dict[str, Any]:
        """The column as it stands in a CRD."""
        document: dict[str, Any] = {"name": self.name, "type": self.kind, "jsonPath": self.path}
        if self.description:
            document["description"] = self.description
        return {**document, "priority": 1} if self.wide else document


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of the API."""

    name: str
    plural: str
    short: str
    model: type[ApiModel]
    columns: tuple[Column, ...]
    categories: tuple[str, ...] = ()
    selectable: tuple[str, ...] = ()
    """Fields that `--field-selector` may name."""
    scalable: bool = False
    """Whether it has the scale subresource, for `kubectl scale`, HorizontalPodAutoscaler and KEDA."""

    @property
    def file_name(self) -> str:
        """Name of its file in `crds/`."""
        return f"{GROUP}_{self.plural}.yaml"


_AGE = Column("Age", ".metadata.creationTimestamp", "date")

SEARCHJOB = Kind(
    name="SearchJob",
    plural="searchjobs",
    short="sj",
    model=SearchJob,
    categories=("winnow",),
    columns=(
        Column("Status", ".status.state", description="What it does now, or how it ended."),
        Column("Trials", ".status.progress", description="Trials with an outcome, of all."),
        Column("Active", ".status.activePods", "integer", "Pods that run or wait to run."),
        Column("Best", ".status.bestValue", description="The best objective value so far."),
        Column("Metric", ".status.metric", description="The objective's metric."),
        Column("Winner", ".status.winner.trial", description="The best trial.", wide=True),
        Column("Algorithm", ".spec.algorithm.name", description="How it searches.", wide=True),
        _AGE,
    ),
)

COMPRESSIONJOB = Kind(
    name="CompressionJob",
    plural="compressionjobs",
    short="cpj",
    model=CompressionJob,
    categories=("winnow",),
    columns=(
        Column("Status", ".status.state", description="What it does now, or how it ended."),
        Column("Candidates", ".status.progress", description="Candidates with an outcome, of all."),
        Column("Selected", ".status.selected.candidate", description="The chosen candidate."),
        Column("Accuracy", ".status.selectedValue", description="Its first quality metric."),
        Column("Speedup", ".status.speedup", description="How many times as fast it is."),
        Column("Size", ".status.size", description="Size of its model.onnx."),
        Column("Active", ".status.activePods", "integer", "Pods that run or wait.", wide=True),
        Column("Metric", ".status.metric", description="The first quality metric.", wide=True),
        Column("Report", ".status.report", description="Where the report lies.", wide=True),
        _AGE,
    ),
)

TRIAL = Kind(
    name="Trial",
    plural="trials",
    short="tr",
    model=Trial,
    selectable=(".status.outcome",),
    columns=(
        Column("Candidate", ".spec.candidate", description="Of a compression: its name."),
        Column("Outcome", ".status.outcome", description="What became of it."),
        Column("Value", ".status.values[0].value", description="The objective's value."),
        Column("Metric", ".status.values[0].metric", description="The objective's metric."),
        Column("Cause", ".status.cause", description="Why it failed or cannot start."),
        Column("Attempts", ".status.attempts", "integer", "How many pods ran it."),
        Column("Score", ".status.score", description="What is sorted by.", wide=True),
        Column("Batch", ".status.batch", description="The Job that ran it last.", wide=True),
        Column("Message", ".status.message", description="The cause in words.", wide=True),
        _AGE,
    ),
)

MODELSERVER = Kind(
    name="ModelServer",
    plural="modelservers",
    short="ms",
    model=ModelServer,
    categories=("winnow",),
    columns=(
        Column("Status", ".status.state", description="Ready, or what it waits for."),
        Column("Revision", ".status.revision", "integer", "The revision that serves."),
        Column("Model", ".status.model", description="Its model."),
        Column("Ready", ".status.ready", description="Pods that are ready, of those wanted."),
        Column("Rollout", ".status.rollout.revision", "integer", "On its way.", wide=True),
        Column("URL", ".status.url", description="Where it answers.", wide=True),
        _AGE,
    ),
    scalable=True,
)

KINDS = (SEARCHJOB, COMPRESSIONJOB, MODELSERVER, TRIAL)

_SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def crd_document(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind.

    Raises:
        SchemaError: if its model has something that no transform knows.
    """
    names = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.name.lower(),
        "shortNames": [kind.short],
        **({"categories": list(kind.categories)} if kind.categories else {}),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    selectable = [{"jsonPath": path} for path in kind.selectable]
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}, **({"scale": _SCALE} if kind.scalable else {})},
        **({"selectableFields": selectable} if selectable else {}),
        "additionalPrinterColumns": [column.document() for column in kind.columns],
        "schema": {"openAPIV3Schema": root_schema(kind)},
    }


def root_schema(kind: Kind) -> Schema:
    """The schema of whole objects of a kind."""
    schema = structural_schema(kind.model)
    return {**schema, "properties": {**_TYPE_FIELDS, **schema["properties"]}}
