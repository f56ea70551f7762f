"""Fixtures of the fuzz tests."""

from tests.support.cluster_fixtures import (
    api,
    control_plane,
    idle_operator,
    namespace,
    nursery,
    operator,
)

__all__ = ["api", "control_plane", "idle_operator", "namespace", "nursery", "operator"]
