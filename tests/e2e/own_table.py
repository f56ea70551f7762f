"""A table of the user's own on a claim, as examples/own-csv.yaml puts it there."""

from __future__ import annotations

import json

import yaml

from tests.e2e.conftest import Cluster
from tests.support.chart import ROOT

OWN = "own-csv"
"""Name of the example's search, which is suspended until it is told to go on."""


def upload_table(cluster: Cluster, namespace: str, content: str) -> None:
    """Apply the example with a budget of two trials, and copy a table onto its claim."""
    claim, upload, job = yaml.safe_load_all((ROOT / "examples/own-csv.yaml").read_text())
    upload["spec"]["containers"][0]["image"] = cluster.trainer_image
    job["spec"]["budget"] = {"maxTrials": 2, "parallelism": 1}
    kubectl = ["-n", namespace]
    for document in (claim, upload, job):
        cluster.run(*kubectl, "apply", "-f", "-", stdin=json.dumps(document))
    cluster.run(*kubectl, "wait", "--for=condition=Ready", "pod/csv-upload", "--timeout=90s")
    write = ["python", "-c", "import sys; open('/data/table.csv', 'w').write(sys.stdin.read())"]
    cluster.run(*kubectl, "exec", "-i", "csv-upload", "--", *write, stdin=content)
    cluster.run(*kubectl, "delete", "pod", "csv-upload", "--now")


def iris_like() -> str:
    """A real table: iris, which comes with scikit-learn."""
    from sklearn.datasets import load_iris

    data = load_iris()
    lines = ["a,b,c,d,label"]
    for row, label in zip(data.data, data.target, strict=True):
        lines.append(",".join(str(x) for x in row) + f",{data.target_names[label]}")
    return "\n".join(lines) + "\n"
