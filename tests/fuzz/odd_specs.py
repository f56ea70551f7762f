"""Specs of SearchJobs that the schema allows (mostly) and nobody would write."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.drawing import drawn, mostly
from tests.fuzz.odd_architectures import odd_architectures
from tests.support.api import Body
from winnow_operator.api.algorithms import (
    ARCHITECTURES_ONLY,
    WITH_ARCHITECTURES,
    WITH_CHOICES,
    WITH_SEVERAL_OBJECTIVES,
    AlgorithmName,
)

SHORT = ("1s", "2s", "3s", "0m2s", "0h0m3s")
DECIMALS = (
    "0", "-0", "1", "-1", "0.1", "0.3", "1.0", "007", "1e99", "-1e99", "1e-99", "1E+9", "1e15",
    "999999999999999999", "0.000000000000000001", "1e-18", "0.30000000000000004", "123456.789e-3",
)  # fmt: skip
INTEGERS = (0, 1, -1, 2, 3, 7, 8, 1000, 10**6, 2**31, 2**53 - 1, -(2**53 - 1))
WORDS = (
    "a", "A", " a", "a ", "0", "1", "1.0", "1e0", "true", "null", "None", "NaN", "ü", "u\u0308",
    "日本語", "🦆", "\u202eabc", '"', "'", "\\", "$(HOME)", "{{x}}", "a,b", "-", "x" * 256, "é" * 128,
)  # fmt: skip
NAMES = ("x", "X", "_", "a.b", "a-b", "lr", "learning_rate", "n" * 63, "__class__", "epochs")
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)

names = st.one_of(
    st.sampled_from(NAMES), st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,20}", fullmatch=True)
)
words = st.one_of(st.sampled_from(WORDS), TEXT)
decimals = st.one_of(
    st.sampled_from(DECIMALS), st.decimals(-1000, 1000, places=3).map(lambda d: f"{d:f}")
)
integers = st.one_of(st.sampled_from(INTEGERS), st.integers(-100, 100))


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A document with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def _double(draw: st.DrawFn) -> Body:
    if draw(st.booleans()):
        return {"values": draw(st.lists(decimals, min_size=1, max_size=6, unique=True))}
    pairs = st.tuples(decimals, decimals).map(lambda pair: sorted(pair, key=Decimal))
    low, high = draw(pairs.filter(lambda pair: Decimal(pair[0]) < Decimal(pair[1])))
    steps = decimals.filter(lambda step: Decimal(step) > 0)
    return {"min": low, "max": high, **draw(_refinements(steps, is_positive=Decimal(low) > 0))}


def _refinements(steps: st.SearchStrategy[Any], *, is_positive: bool) -> st.SearchStrategy[Body]:
    """Steps, points or a scale; mostly those that go together and give a grid an end."""
    points, log = {"points": st.integers(2, 5)}, {"scale": st.just("Log")}
    together = [{"step": steps}, points, points, {**points, **log} if is_positive else points]
    likely = st.sampled_from(together).flatmap(st.fixed_dictionaries)
    return mostly(likely, _some(step=steps, **points, **log))


@st.composite
def _int(draw: st.DrawFn) -> Body:
    if draw(st.booleans()):
        return {"values": draw(st.lists(integers, min_size=1, max_size=6, unique=True))}
    pairs = st.tuples(integers, integers).filter(lambda pair: pair[0] != pair[1])
    low, high = sorted(draw(pairs))
    steps = st.sampled_from((1, 2, 3, 10, 2**53 - 1))
    return {"min": low, "max": high, **draw(_refinements(steps, is_positive=low > 0))}


_choice = st.fixed_dictionaries({"values": st.lists(words, min_size=1, max_size=6, unique=True)})


@st.composite
def _parameter(draw: st.DrawFn, name: str) -> Body:
    kind = draw(st.sampled_from(("double", "int", "choice")))
    return {"name": name, kind: draw({"double": _double(), "int": _int(), "choice": _choice}[kind])}


@st.composite
def _space(draw: st.DrawFn) -> Body:
    many = draw(st.sampled_from((1, 2, 2, 3, 3, 32)))
    given_names = draw(st.lists(names, min_size=min(many, 3), max_size=many, unique=True))
    more = [f"p{i}" for i in range(len(given_names), many)]
    return {"parameters": [draw(_parameter(name)) for name in (*given_names, *more)]}


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(WORDS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    ),
    max_leaves=4,
)
_pod_spec_fields: dict[str, st.SearchStrategy[Any]] = {
    "nodeSelector": st.one_of(st.just({"disk": "ssd"}), json_values),
    "tolerations": st.one_of(st.just([{"operator": "Exists"}]), json_values),
    "affinity": json_values,
    "volumes": st.one_of(
        st.just([{"name": "winnow-tmp", "emptyDir": {}}]),
        st.just([{"name": "own", "emptyDir": {}}]),
        json_values,
    ),
    "resources": st.sampled_from(
        ({"limits": {"cpu": "lots"}}, {"limits": {"memory": "1Gi"}}, {"requests": []}, [], None)
    ),
    "env": st.sampled_from(
        ([{"name": "A", "value": "1"}], [{"name": "HOME", "value": "/"}], {"A": "1"}, [None], "A")
    ),
    "containers": st.sampled_from(([], [{"name": "trial", "image": "other"}], {"a": 1})),
    "priorityClassName": st.sampled_from(("missing", 3)),
    "serviceAccountName": st.sampled_from(("missing", "default", "")),
    "runtimeClassName": words,
    "hostNetwork": st.booleans(),
    "terminationGracePeriodSeconds": st.sampled_from((0, -1, 30, "30")),
}
_templates = st.one_of(
    st.fixed_dictionaries({"spec": _some(**_pod_spec_fields)}),
    st.fixed_dictionaries({"metadata": json_values}),
    _some(
        metadata=_some(
            labels=st.sampled_from(
                ({"team": "a"}, {"winnow.dev/searchjob": "other"}, {"team": "no good"}, [])
            ),
            annotations=st.sampled_from(({"a/b": "c"}, {"winnow.dev/assignments": "{}"}, "no")),
        )
    ),
    st.dictionaries(st.sampled_from(("spec", "metadata", "more")), json_values, max_size=2),
)
_budgets = _some(
    parallelism=st.sampled_from((1, 2, 3, 1000)),
    maxFailedTrials=st.sampled_from((0, 1, 5, 99_999)),
    maxTrialDuration=st.sampled_from(("1s", "2s", "1h", "8760h")),
    retriesPerTrial=st.just(0),
)
_own_images = st.fixed_dictionaries(
    {"image": st.sampled_from(("example.test/trial:1", "a", "A/b@sha256:" + "0" * 64, "[::]/x"))},
    optional={"command": st.lists(words, max_size=3), "args": st.lists(words, max_size=3)},
)
FAMILIES = ("MLP", "CNN", "ResNet", "Transformer")
DATA = (
    {"uri": "builtin://digits"},
    {"uri": "builtin://wine"},
    {"uri": "pvc://claim/a b/ü.csv", "target": "ü"},
    {"uri": "pvc://c.d/x.NPZ"},
)
_shares = st.sampled_from(("0.1", "0.3", "1e-1", "0.30000000000000004", "1e-18"))
_settings = st.lists(
    st.fixed_dictionaries({"name": names, "value": st.one_of(decimals, words)}),
    max_size=2,
    unique_by=lambda s: s["name"],
)


def _task(family: str) -> st.SearchStrategy[Body]:
    """A task with a model of this family."""
    seeds = st.integers(0, 5)
    return st.fixed_dictionaries(
        {
            "model": mostly(
                st.just({"family": family}),
                st.fixed_dictionaries({"family": st.sampled_from(FAMILIES), "settings": _settings}),
            ),
            "data": mostly(st.sampled_from(DATA), st.just({"uri": "builtin://unknown"})),
        },
        optional={
            "evaluation": mostly(
                _some(test=_shares, validation=_shares, seed=seeds),
                _some(test=decimals, validation=decimals, seed=seeds),
            )
        },
    )


_storage = mostly(
    st.sampled_from(({"uri": "pvc://claim"}, {"uri": "pvc://c/a/./b/"})),
    st.just({"uri": "pvc://c/../x"}),
)
_stopping = _some(
    algorithm=st.sampled_from(("ASHA", "Median")),
    resource=st.sampled_from(("Epochs", "Steps")),
    minimum=st.sampled_from((1, 20, 10**6)),
    eta=st.sampled_from((2, 10)),
    minTrials=st.sampled_from((2, 1000)),
)


def _able(space: Body, objectives: int) -> list[AlgorithmName]:
    """Algorithms that can search this space for so many objectives."""
    has_nets = "architecture" in space
    able = WITH_ARCHITECTURES if has_nets else frozenset(AlgorithmName) - ARCHITECTURES_ONLY
    if objectives > 1:
        able &= WITH_SEVERAL_OBJECTIVES
    if any("choice" in parameter for parameter in space.get("parameters", ())):
        able &= WITH_CHOICES
    return sorted(able)


@st.composite
def _algorithm(draw: st.DrawFn, space: Body, objectives: int) -> Body:
    able = st.sampled_from(_able(space, objectives))
    name = draw(mostly(able, st.sampled_from(AlgorithmName)))
    return {"name": str(name), **draw(_some(seed=st.sampled_from((0, 1, 2**31 - 1))))}


@st.composite
def _objectives(draw: st.DrawFn) -> list[Body]:
    metric = draw(st.sampled_from(("quality", "accuracy", "a", "m" * 63)))
    first = {"metric": metric, "goal": draw(st.sampled_from(("Maximize", "Minimize")))}
    more = draw(st.sampled_from(((), (), ({"metric": "second", "goal": "Minimize"},))))
    return [{**first, **draw(_some(target=decimals))}, *more]


def _what_runs(space: Body) -> st.SearchStrategy[Body]:
    """A task with a model that the architectures are of, or an image."""
    kind = next(iter(space.get("architecture", {})), "")
    own = {
        "mlp": ("MLP",),
        "cnn": ("CNN",),
        "transformer": ("Transformer",),
        "nets": ("MLP", "CNN"),
    }
    families = st.sampled_from(own.get(kind, FAMILIES))
    task = st.fixed_dictionaries({"task": families.flatmap(_task)})
    image = st.fixed_dictionaries({"trial": _own_images})
    return st.integers(0, 4).flatmap(lambda die: image if die else task)


@st.composite
def odd_specs(draw: st.DrawFn) -> Body:
    """One spec."""
    space = draw(_space())
    if draw(st.integers(0, 3)) == 0:
        space = {**draw(st.sampled_from(({}, space))), "architecture": draw(odd_architectures())}
    objectives = draw(_objectives())
    several = len(objectives) > 1
    more = {
        "trialsPerPod": st.sampled_from((2, 3) if several else (2, 3, 32)),
        "ttlSecondsAfterFinished": st.sampled_from((0, 31_536_000)),
        "storage": _storage,
        **({} if several else {"earlyStopping": _stopping}),
    }
    spec: Body = {
        "objectives": objectives,
        "space": space,
        "algorithm": draw(_algorithm(space, len(objectives))),
        "budget": {
            **draw(_budgets),
            # Whatever happens, each job has an end soon.
            "maxDuration": draw(st.sampled_from(SHORT)),
            "maxTrials": draw(st.sampled_from((1, 2, 3, 5, 40))),
        },
        **draw(_some(**more)),
        **draw(_what_runs(space)),
    }
    if draw(st.integers(0, 2)) == 0:
        spec["podTemplate"] = draw(_templates)
    return spec


def some_odd_specs(count: int, *, number: int = 0) -> list[Body]:
    """`count` specs, the same ones for the same number."""
    return drawn(odd_specs(), count, number)
