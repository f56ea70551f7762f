"""The fields of a pod that `spec.podTemplate` may set; all others belong to the operator.

Nothing that Pod Security or the trial contract rest on is here. `domain.checks.pod_templates`
holds a spec against it, docs/api.md lists it.
"""

from __future__ import annotations

METADATA_FIELDS = ("labels", "annotations")
POD_FIELDS = (
    "affinity",
    "containers",
    "imagePullSecrets",
    "nodeSelector",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
)
CONTAINER_FIELDS = ("name", "env", "envFrom", "imagePullPolicy", "resources", "volumeMounts")
"""Of the one container, `trial`."""

VOLUME_FIELDS = (
    "name",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
"""Of a volume: its name, and the kinds that Pod Security `restricted` has. Paths of a node and
disks that are named past a claim are not among them, whether or not a namespace enforces it."""
