"""Fake GPUs: a component that writes a capacity on the node, whenever the node lacks it.

    python3 -m devcluster.gpus KUBECONFIG COUNT

Pods that ask for GPUs are then scheduled and counted as on a GPU node. They get no device.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from devcluster.api import Api, follow_for_ever
from devcluster.credentials import NODE_NAME

RESOURCE = "nvidia.com/gpu"
_POINTER = "/status/capacity/nvidia.com~1gpu"


def count_of(node: dict[str, Any]) -> int:
    """GPUs that a node object shows as allocatable."""
    return int(node.get("status", {}).get("allocatable", {}).get(RESOURCE, 0))


def shown_gpus(api: Api) -> int:
    """GPUs that pods can have."""
    return count_of(api.get(f"/api/v1/nodes/{NODE_NAME}"))


def keep(api: Api, count: int) -> None:
    """Follow the node and correct its capacity, until the watch ends."""
    for event in api.watch(f"/api/v1/nodes?watch=1&fieldSelector=metadata.name={NODE_NAME}"):
        if event["type"] == "ERROR":
            return
        node = event["object"]
        capacity = node.get("status", {}).get("capacity", {})
        if event["type"] in {"ADDED", "MODIFIED"} and capacity.get(RESOURCE) != str(count):
            correct(api, count)


def correct(api: Api, count: int) -> None:
    """Write the capacity; the kubelet derives what can be allocated at its next report."""
    operations = [
        {"op": "add", "path": pointer, "value": str(count)}
        for pointer in (_POINTER, _POINTER.replace("capacity", "allocatable"))
    ]
    api.patch(f"/api/v1/nodes/{NODE_NAME}/status", operations)
    print(f"the node now has {count} {RESOURCE}", flush=True)


def main() -> None:
    """Work for ever."""
    api, count = Api.of_kubeconfig(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    follow_for_ever(lambda: keep(api, count))


if __name__ == "__main__":
    main()
