"""A search of architectures on a real API server: what a Trial records, and what a pod gets of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.namespace import Namespace, holds
from tests.support.proofs import proofs
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, report, simulated_node
from winnow_contract.models.nets import net_from_json
from winnow_contract.results import TrialResult
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.trial import Trial
from winnow_operator.domain.intervals import contains, read_spans
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines import Record, make_engine

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


@pytest.mark.parametrize("algorithm", ["Evolution", *proofs("Generative")])
async def test_nets_by_one_engine_and_the_rest_by_another_follow_from_the_recorded_histories(
    namespace: Namespace, algorithm: str
) -> None:
    space = {**SPACE, "architecture": {"mlp": {"depth": {"max": 4}, "widths": [8, 16, 32]}}}
    budget = {"maxTrials": 26, "parallelism": 4}
    job = search_job("nets", space=space, algorithm={"name": algorithm, "seed": 3}, budget=budget)
    async with simulated_node(namespace.api, namespace.name, layers_count):
        await namespace.create_job(job)
        body = await namespace.ended("nets")

    assert body["status"]["progress"] == "26/26"
    spec = SearchJobSpec.model_validate(body["spec"])
    parsed = parse_space(spec.space)
    recorded = [Trial.model_validate(t) for t in await namespace.trials("nets")]
    trials = {trial.spec.number: trial for trial in recorded}
    knew = [len(ended_by(trial.spec.history, number)) for number, trial in sorted(trials.items())]
    steps = lessons(knew) if algorithm == "Generative" else []
    assert [batch["known"] for batch in body["status"].get("learning", [])] == steps
    engine = make_engine(spec, parsed)
    for number, trial in sorted(trials.items()):
        for known in ended_by(trial.spec.history, number):
            engine.observe(record_of(parsed, trials[known]))
        assert engine.suggest(number) == record_of(parsed, trial).assignment


def lessons(knew: Sequence[int]) -> list[int]:
    """How many trials were known whenever the network learnt: 16 at least, then 8 more."""
    steps: list[int] = []
    for known in knew:
        if known - (steps[-1] if steps else 0) >= (8 if steps else 16):
            steps.append(known)
    return steps


def ended_by(history: str, number: int) -> list[int]:
    """Trials whose outcome was known to a later one."""
    spans = read_spans(history)
    return [earlier for earlier in range(1, number) if contains(spans, earlier)]


def record_of(space: Space, trial: Trial) -> Record:
    """A finished trial as engines see it."""
    texts = tuple((p.name, p.value) for p in trial.spec.parameters)
    score = None if trial.status.score is None else float(trial.status.score)
    return Record(
        trial.spec.number,
        space.from_texts(texts),
        trial.status.outcome,
        score,
        trial.spec.history,
    )
