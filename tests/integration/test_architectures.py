"""A search of architectures on a real API server: what a Trial records, and what a pod gets of it."""

from __future__ import annotations

import pytest

from tests.support.namespace import Namespace, holds
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, report, simulated_node
from winnow_contract.nets import net_from_json
from winnow_contract.results import TrialResult

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]

SPACE = {
    "architecture": {
        "mlp": {"depth": {"max": 2}, "widths": [8, 16], "activations": ["relu", "tanh"]}
    },
    "parameters": [{"name": "x", "double": {"min": "0", "max": "1"}}],
}


def layers_count(pod: PodView) -> Ending:
    """The more layers the better; the net is read from its JSON, as an image of the user's own does."""
    results = []
    for trial in pod.trials:
        net = net_from_json(trial.architecture or {})
        assert net.text == trial.parameters["architecture"]
        value = float(str(net.text).count("-"))
        results.append(TrialResult(trial.number, "Succeeded", objective=value))
    return report(pod, *results)


async def test_nets_are_recorded_as_texts_and_reach_a_pod_as_json_too(namespace: Namespace) -> None:
    job = search_job("nets", space=SPACE, algorithm={"name": "TPE", "seed": 3})
    async with simulated_node(namespace.api, namespace.name, layers_count):
        await namespace.create_job(job)
        body = await namespace.ended("nets")

    assert holds(body, "Complete")
    trials = await namespace.trials("nets")
    assert len(trials) == 6
    for trial in trials:
        assert [p["name"] for p in trial["spec"]["parameters"]] == ["architecture", "x"]
    winner = {p["name"]: p["value"] for p in body["status"]["winner"]["parameters"]}
    assert "-" in winner["architecture"]


async def test_a_list_of_nets_ends_by_itself_when_each_was_trained(namespace: Namespace) -> None:
    space = {"architecture": {"nets": ["64-32-16", "32-64", "16-64-32"]}}
    job = search_job("three", space=space, algorithm={"name": "Grid"}, budget={"parallelism": 3})
    async with simulated_node(namespace.api, namespace.name, layers_count):
        await namespace.create_job(job)
        body = await namespace.ended("three")

    assert body["status"]["progress"] == "3/3"
    recorded = [t["spec"]["parameters"][0]["value"] for t in await namespace.trials("three")]
    assert recorded == ["64-32-16", "32-64", "16-64-32"]
