"""The Job that compares a canary with the revision that serves: one pod of the server image.

Its pod fetches the canary's artifact as a server's pod does, for the recorded rows in it, and sends
these to a pod of each revision. It belongs to the canary's Deployment, and goes when that goes.
"""

from __future__ import annotations

from typing import Any

from winnow_contract.comparing import COMPARE_ARGUMENTS, Comparison, variables
from winnow_contract.exit_codes import ExitCode
from winnow_contract.serving import HTTP_PORT, model_path
from winnow_operator.api.modelserver_status import RevisionStatus
from winnow_operator.api.names import LABEL_PROBE, standard_labels
from winnow_operator.domain.servers.agreement import PROBE
from winnow_operator.domain.servers.probes import Probe, Target
from winnow_operator.manifests.objects import without_queue
from winnow_operator.manifests.overlays import overlay_pod
from winnow_operator.manifests.serverpods import (
    Server,
    as_environment,
    environment_of,
    fetching_pod,
    model_container,
)
from winnow_operator.manifests.servers import deployment_name

RETRIES = 4
"""Pods that try again, ever later, where a pod does not answer or storage is away."""
DEADLINE_SECONDS = 600
"""What cannot start or hangs is given up then."""
KEPT_SECONDS = 300
"""What has ended stays so long, for its logs. What has failed is then made again."""


def probe_name(server: str, probe: Probe) -> str:
    """Name of the Job of a probe."""
    return f"{deployment_name(server, probe.canary.revision)}-p{probe.mark}"


def probe_job(server: Server, revision: RevisionStatus, probe: Probe) -> dict[str, Any]:
    """The Job of a probe.

    Args:
        server: whose canary it is.
        revision: of the canary.
        probe: which pods it asks.
    """
    standard = standard_labels(instance=server.name, component="probe")
    # Not the label of the server's own pods: no Service may send it requests.
    labels = {**server.owner.handed_on_labels(), **standard, LABEL_PROBE: server.name}
    labels = without_queue(labels)
    comparison = Comparison(
        stable=_url(server, probe.stable),
        canary=_url(server, probe.canary),
        tolerance=float(probe.tolerance),
    )
    asked = as_environment(variables(comparison))
    env = [*environment_of(server, revision), *asked]
    pod = fetching_pod(
        server, revision, model_container(server, PROBE, COMPARE_ARGUMENTS, env), labels
    )
    pod["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": probe_name(server.name, probe),
            "namespace": server.owner.namespace,
            "labels": labels,
            "ownerReferences": [_deployment(server, probe)],
        },
        "spec": {
            "backoffLimit": RETRIES,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "podFailurePolicy": {"rules": [_for_good(name) for name in ("fetch", PROBE)]},
            "template": overlay_pod(pod, server.spec.pod_template),
        },
    }


def _deployment(server: Server, probe: Probe) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": deployment_name(server.name, probe.canary.revision),
        "uid": probe.deployment_uid,
    }


def _url(server: Server, target: Target) -> str:
    host = f"[{target.address}]" if ":" in target.address else target.address
    return f"http://{host}:{HTTP_PORT}{model_path(server.name, target.revision)}"


def _for_good(container: str) -> dict[str, Any]:
    codes = {"containerName": container, "operator": "In", "values": [int(ExitCode.PERMANENT)]}
    return {"action": "FailJob", "onExitCodes": codes}
