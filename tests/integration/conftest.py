"""What tests on a real API server share: the control plane, CRDs, a namespace, the operator."""

from tests.support.cluster_fixtures import (
    api,
    control_plane,
    idle_operator,
    namespace,
    nursery,
    operator,
)

__all__ = ["api", "control_plane", "idle_operator", "namespace", "nursery", "operator"]
