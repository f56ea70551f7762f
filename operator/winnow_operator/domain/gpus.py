"""Which of a pod's resources are GPUs; the names are those of the vendors' device plugins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_RESOURCE = re.compile(
    r"[a-z0-9.-]*gpu[a-z0-9.-]*/[a-z0-9_.-]+|[a-z0-9.-]+/[a-z0-9_.-]*(?:gpu|mig-)[a-z0-9_.-]*"
)
"""`nvidia.com/gpu`, `nvidia.com/mig-1g.5gb`, `amd.com/gpu`, `gpu.intel.com/xe`."""


def gpus_of(pod_spec: Mapping[str, Any]) -> int:
    """How many GPUs a pod with this spec holds while it runs."""
    limits = (
        (container.get("resources") or {}).get("limits") or {}
        for container in pod_spec.get("containers") or ()
    )
    return sum(
        int(amount)
        for found in limits
        for name, amount in found.items()
        if _RESOURCE.fullmatch(name) and str(amount).isdigit()
    )


def names_gpu(message: str) -> bool:
    """Whether the cluster's words are about a GPU: `0/3 nodes: Insufficient nvidia.com/gpu`."""
    return _RESOURCE.search(message) is not None
