"""Searched nets through the trainer's programs: trained by seed, exported, and compressed like others."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.support.builder_pods import Chain, build, searched
from tests.support.proofs import proofs
from tests.support.served import outputs_in_runtime
from tests.support.trainer_process import TrialPod
from tests.support.trainings import assignment_document
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import Committed

CHAINS: dict[str, Chain] = {
    "baseline": [],
    "cut": [{"prune": {"amount": "0.25", "epochs": 4}}],
    "student": [{"distill": {"student": {"width": "0.5"}, "epochs": 3}}],
    "int8": [{"quantize": {"calibrationRows": 200, "maxDrop": "0.02"}}],
    "small": [
        {"prune": {"amount": "0.2", "epochs": 3}},
        {"quantize": {"mode": "Aware", "epochs": 1}},
    ],
}
NETS: dict[str, tuple[str, dict[str, str]]] = {
    "MLP": ("48-48+1-24 relu batch", {}),
    "CNN": ("max3 conv3@0 separable3+0 conv1@1+3 | 12 24/2", {"norm": "batch"}),
    "Transformer": ("24 | h2x48 h3x24", {"batch_size": "32"}),
}
FLOATS = ("baseline", "cut", "student")


@pytest.mark.parametrize(
    ("family", "names"),
    proofs(("MLP", tuple(CHAINS)), ("CNN", tuple(CHAINS)), ("Transformer", FLOATS)),
)
def test_a_searched_net_is_compressed_like_any_other(
    family: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    net, settings = NETS[family]
    settings = {"epochs": "8", "architecture": net, "learning_rate": "0.005", **settings}
    source = searched(tmp_path / "source", "net", family=family, settings=settings)

    built = build(tmp_path / "built", source, {name: CHAINS[name] for name in names})

    trials = built.ended.result.trials
    assert {trial.outcome for trial in trials} == {"Succeeded"}, built.ended.log
    for trial, name in zip(trials, names, strict=True):
        assert (trial.objective or 0) > 0.8, (name, trial)
        assert as_promised(built.artifact(name)), name
    sizes = [built.artifact(name).document["metrics"]["parameters"] for name in names]
    assert sizes[1] < sizes[0]


def as_promised(artifact: Committed) -> bool:
    """Whether ONNX Runtime makes of its golden rows what torch has, as far as the manifest says."""
    golden = load_file(artifact.folder / "golden.safetensors")
    allowed = artifact.document["tolerance"]
    most = allowed["absolute"] + allowed["relative"] * float(golden["outputs"].abs().max())
    content = (artifact.folder / "model.onnx").read_bytes()
    served = outputs_in_runtime(content, golden["inputs"])
    return bool((served - golden["outputs"]).abs().max() <= most)


def test_nets_are_trained_by_seed_and_one_that_cannot_be_built_fails_alone(tmp_path: Path) -> None:
    nets = [{"architecture": "max3 conv3@0+1 | 6 8/2"}, {"architecture": "conv3 | 6/9"}]
    document = assignment_document(*nets, family="CNN", settings={"epochs": "2"})

    one, other = (TrialPod(tmp_path / name, document).run() for name in ("one", "other"))

    assert one.code == ExitCode.OK, one.log
    good, bad = one.result.trials
    assert (good.outcome, bad.outcome, bad.cause) == ("Succeeded", "Failed", "BadParameters")
    assert "a CNN has the stage '6/9', allowed are channels as 16, or 32/2" in bad.message
    assert good.objective == other.result.trials[0].objective
