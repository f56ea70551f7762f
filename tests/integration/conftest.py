"""What tests on a real API server share: the control plane, CRDs, a namespace, the operator."""

from __future__ import annotations

import pytest

from tests.support.cluster_fixtures import (
    api,
    control_plane,
    idle_operator,
    namespace,
    nursery,
    operator,
)
from tests.support.modelservers import Servers
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess

__all__ = ["api", "control_plane", "idle_operator", "namespace", "nursery", "operator"]


@pytest.fixture
def servers(namespace: Namespace, operator: OperatorProcess) -> Servers:
    """The ModelServers of the test's namespace, with an operator that looks after them."""
    assert operator.is_running
    return Servers(namespace)
