"""Renders the Helm chart for tests: documents as dictionaries, refusals as text."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/winnow"

Document = dict[str, Any]


@cache
def tool(name: str) -> str:
    """Path of helm or kubectl, built if it is missing."""
    done = subprocess.run(
        [ROOT / "scripts/tool", name], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def helm_template(
    values: Mapping[str, Any] | None = None, *options: str
) -> subprocess.CompletedProcess[str]:
    """What `helm template` says to these values, in the namespace `winnow`."""
    command = [tool("helm"), "template", "winnow", str(CHART), "--namespace", "winnow"]
    return subprocess.run(
        [*command, *options, "--values", "-"],
        input=json.dumps(dict(values or {})),  # YAML would make booleans of y and n
        capture_output=True,
        text=True,
        check=False,
    )


def render(values: Mapping[str, Any] | None = None, *options: str) -> list[Document]:
    """All documents that the chart makes of these values."""
    documents: list[Document] = json.loads(_rendered(json.dumps(dict(values or {})), options))
    return documents


@cache
def _rendered(values: str, options: tuple[str, ...]) -> str:
    """The documents as JSON, from which each test gets its own copy."""
    done = helm_template(json.loads(values), *options)
    assert done.returncode == 0, done.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where it is there
    return json.dumps([d for d in yaml.load_all(done.stdout, loader) if d])


def find(documents: Iterable[Document], kind: str, name: str | None = None) -> Document:
    """The one document of this kind (and name)."""
    found = [d for d in documents if d["kind"] == kind and name in {None, d["metadata"]["name"]}]
    assert len(found) == 1, f"{len(found)} documents of kind {kind}, name {name}"
    return found[0]


def operator_container(documents: Iterable[Document]) -> Document:
    """The container of the operator's Deployment."""
    container: Document = find(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return container
