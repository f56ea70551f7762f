"""ModelServers on real pods, and a client that asks them by way of the API server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sklearn.datasets import load_digits

from tests.e2e.cluster import Cluster
from tests.support.api import Body
from tests.support.modelservers import model_server

RESOURCES = {
    "requests": {"cpu": "50m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}
ROWS = 32
"""No more than a request may have (`spec.server.maxBatchSize`)."""


def small_server(name: str, **spec: Any) -> Body:
    """A ModelServer that fits beside others."""
    return model_server(name, resources=RESOURCES, **spec)


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to the Service of a server, by way of the API server."""

    cluster: Cluster
    namespace: str
    name: str

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/services/{self.name}:80/proxy"

    def get(self, path: str) -> Body:
        """An answer as JSON."""
        found: Body = json.loads(self.cluster.run("get", "--raw", f"{self._path}{path}"))
        return found

    def infer(self, rows: list[list[float]]) -> list[int]:
        """The class of each row."""
        (signature,) = self.get(f"/v2/models/{self.name}")["inputs"]
        tensor = {
            "name": signature["name"],
            "datatype": signature["datatype"],
            "shape": [len(rows), len(rows[0])],
            "data": rows,
        }
        path = f"{self._path}/v2/models/{self.name}/infer"
        request = json.dumps({"inputs": [tensor]})
        answer = json.loads(self.cluster.run("create", "--raw", path, "-f", "-", stdin=request))
        (output,) = answer["outputs"]
        width = output["shape"][1]
        scores = [output["data"][i : i + width] for i in range(0, len(output["data"]), width)]
        return [max(range(width), key=row.__getitem__) for row in scores]

    def accuracy(self) -> float:
        """The share of scanned digits that are named right."""
        digits: Any = load_digits()
        classes = self.infer(digits.data[:ROWS].tolist())
        right = [a == int(b) for a, b in zip(classes, digits.target[:ROWS], strict=True)]
        return sum(right) / ROWS
