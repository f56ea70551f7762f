"""What Prometheus scrapes: follows the pods and writes them down for its file discovery.

    python3 -m devcluster.targets KUBECONFIG FILE

Debian builds Prometheus without the discovery that asks Kubernetes itself. Pods and ports are chosen
as the chart's own monitors choose them, and get the labels that these set: `namespace`, `pod`,
`container`, the pod's `winnow.dev/` labels (`winnow_dev_searchjob`), and the uid of a trial's job.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from devcluster.api import Api, follow_for_ever

SELECTOR = "app.kubernetes.io/name=winnow"
_PODS = f"/api/v1/pods?labelSelector={SELECTOR}"
_COMPONENT = "app.kubernetes.io/component"
PORTS = {"operator": "metrics", "trial": "metrics", "server": "http"}
"""Name of the port that has metrics, by the pod's component."""
_ENDED = {"Succeeded", "Failed"}
_OURS = "winnow.dev/"
_JOB_UIDS = (f"{_OURS}searchjob-uid", f"{_OURS}compressionjob-uid")

Pod = dict[str, Any]
Target = dict[str, Any]


def target_of(pod: Pod) -> Target | None:
    """The pod's entry for file discovery; None if there is nothing to scrape (yet, or any more)."""
    status, metadata = pod.get("status", {}), pod["metadata"]
    port = PORTS.get(metadata.get("labels", {}).get(_COMPONENT, ""))
    address = status.get("podIP")
    if not address or status.get("phase") in _ENDED:
        return None
    for container in pod["spec"]["containers"]:
        for offered in container.get("ports", []):
            if offered.get("name") == port:
                labels = _labels(metadata, container["name"])
                return {"targets": [f"{address}:{offered['containerPort']}"], "labels": labels}
    return None


def _labels(metadata: dict[str, Any], container: str) -> dict[str, str]:
    named = {"namespace": metadata["namespace"], "pod": metadata["name"], "container": container}
    ours = {k: v for k, v in metadata["labels"].items() if k.startswith(_OURS)}
    uid = next((v for k, v in metadata.get("annotations", {}).items() if k in _JOB_UIDS), None)
    if uid is not None:
        named["job_uid"] = uid
    return named | {re.sub(r"\W", "_", key): value for key, value in ours.items()}


def follow(api: Api, file: Path) -> None:
    """Write the targets down with each change of a pod, until the watch ends."""
    listed = api.get(_PODS)
    found = {pod["metadata"]["uid"]: target_of(pod) for pod in listed["items"]}
    write(file, found.values())
    version = listed["metadata"]["resourceVersion"]
    for event in api.watch(f"{_PODS}&watch=1&resourceVersion={version}"):
        if event["type"] == "ERROR":
            return
        pod = event["object"]
        key = pod["metadata"]["uid"]
        before = found.pop(key, None)
        if event["type"] != "DELETED":
            found[key] = target_of(pod)
        if found.get(key) != before:
            write(file, found.values())


def write(file: Path, targets: Iterable[Target | None]) -> None:
    """Replace the file as a whole, as Prometheus may read it at any moment."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps([target for target in targets if target]))
    new.replace(file)


def main() -> None:
    """Work for ever."""
    api, file = Api.of_kubeconfig(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    follow_for_ever(lambda: follow(api, file))


if __name__ == "__main__":
    main()
