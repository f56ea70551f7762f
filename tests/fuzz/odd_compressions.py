"""Specs of CompressionJobs that the schema allows (mostly), good ones and bad ones mixed."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.fuzz.drawing import drawn
from tests.fuzz.odd_specs import decimals
from tests.support.api import Body
from winnow_contract.choosing.goals import METRICS, Bound

shares = st.one_of(st.sampled_from(["0.5", "0.25", "5e-1", "0.999"]), decimals)
counts = st.sampled_from([1, 2, 3, 6, 10])
sizes = st.sampled_from([1, 8, 64, 256])


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Body]:
    return st.fixed_dictionaries({}, optional=fields)


def _several(*words: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=len(words), unique=True)


def _rarely(fields: st.SearchStrategy[Body], plain: Body) -> st.SearchStrategy[Body]:
    """Mostly the plain options: of options at will, hardly any go together."""
    return st.integers(0, 2).flatmap(lambda die: st.just(plain) if die else fields)


quantize = _rarely(
    _some(
        mode=st.sampled_from(["PostTraining", "Dynamic", "Aware"]),
        layers=_several("Linear", "Convolution"),
        maxDrop=shares,
        calibrationRows=counts,
        epochs=counts,
        learningRate=shares,
    ),
    {},
)
prune = _rarely(
    _some(
        unit=st.sampled_from(["Weight", "Neuron"]),
        amount=shares,
        scope=st.sampled_from(["Global", "Layer"]),
        importance=st.sampled_from(["Magnitude", "Taylor", "Random"]),
        schedule=st.sampled_from(["OneShot", "Iterative"]),
        rounds=st.sampled_from([2, 3, 50]),
        epochs=counts,
        learningRate=shares,
    ),
    {"unit": "Weight"},
)
setting = st.fixed_dictionaries(
    {"name": st.sampled_from(["width", "depth", "epochs"]), "value": st.sampled_from("128x")}
)
student = _some(
    width=shares,
    depth=shares,
    settings=st.lists(setting, min_size=1, max_size=2, unique_by=lambda item: str(item["name"])),
)
distill = _rarely(
    _some(
        student=student,
        transfer=_several("Outputs", "Parameters"),
        temperature=shares,
        alpha=shares,
        epochs=counts,
        learningRate=shares,
    ),
    {},
)
step = st.one_of(
    st.fixed_dictionaries({"prune": prune}),
    st.fixed_dictionaries({"distill": distill}),
    st.fixed_dictionaries({"quantize": quantize}),
)
candidate = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["int8", "half", "x", "7", "baseline"]),
        "steps": st.lists(step, min_size=1, max_size=3),
    }
)
metrics = st.sampled_from(list(METRICS))


@st.composite
def goals(draw: st.DrawFn) -> Body:
    bounds = draw(st.lists(st.sampled_from(list(Bound)), min_size=1, max_size=1))
    bounds = draw(st.sampled_from([bounds, bounds, bounds, list(Bound)[:2]]))
    limits = {str(bound): draw(shares) for bound in bounds}
    return {"metric": draw(metrics), **draw(_some(batchSize=sizes)), **limits}


preferences = st.one_of(metrics, st.builds(lambda m, b: f"{m}@{b}", metrics, sizes))


@st.composite
def odd_specs(draw: st.DrawFn) -> Body:
    """A spec, of which about a third can run."""
    parts = _some(
        candidates=st.lists(candidate, max_size=2, unique_by=lambda item: str(item["name"])),
        auto=_some(maxCandidates=counts, candidatesPerRound=counts),
        goals=st.lists(goals(), max_size=1),
        candidatesPerPod=st.integers(1, 8),
        prefer=st.lists(preferences, max_size=2, unique=True),
        measurement=_some(
            batchSizes=st.lists(sizes, min_size=1, max_size=4, unique=True), threads=counts
        ),
    )
    return {"model": {"searchJob": "digits"}, **draw(parts)}


def some_odd_compressions(count: int, *, number: int = 0) -> list[Body]:
    """`count` specs, the same ones for the same number."""
    return drawn(odd_specs(), count, number)
