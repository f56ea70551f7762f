"""Specs of SearchJobs that the schema allows (mostly) and nobody would write."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.drawing import drawn
from tests.fuzz.odd_architectures import odd_architectures
from tests.support.api import Body

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
ALGORITHMS = ("Grid", "Random", "QMC", "TPE", "CMAES", "NSGAII", "Auto")
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
    return st.integers(0, 9).flatmap(
        lambda die: likely if die else _some(step=steps, **points, **log)
    )


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
    maxTrialDuration=st.sampled_from(("1s", "2s", "1h", "8760h", "0s")),
    retriesPerTrial=st.just(0),
)
_own_images = st.fixed_dictionaries(
    {"image": st.sampled_from(("example.test/trial:1", "a", "A/b@sha256:" + "0" * 64, "[::]/x"))},
    optional={"command": st.lists(words, max_size=3), "args": st.lists(words, max_size=3)},
)
_tasks = st.fixed_dictionaries(
    {
        "model": st.fixed_dictionaries(
            {"family": st.sampled_from(("MLP", "CNN", "ResNet", "Transformer"))},
            optional={
                "settings": st.lists(
                    st.fixed_dictionaries({"name": names, "value": st.one_of(decimals, words)}),
                    max_size=2,
                    unique_by=lambda s: s["name"],
                )
            },
        ),
        "data": st.sampled_from(
            (
                {"uri": "builtin://digits"},
                {"uri": "builtin://wine"},
                {"uri": "pvc://claim/a b/ü.csv", "target": "ü"},
                {"uri": "pvc://c.d/x.NPZ"},
                {"uri": "builtin://unknown"},
            )
        ),
    },
    optional={"evaluation": _some(test=decimals, validation=decimals, seed=st.integers(0, 5))},
)


_stopping = _some(
    algorithm=st.sampled_from(("ASHA", "Median")),
    resource=st.sampled_from(("Epochs", "Steps")),
    minimum=st.sampled_from((1, 20, 10**6)),
    eta=st.sampled_from((2, 10)),
    minTrials=st.sampled_from((2, 1000)),
)


@st.composite
def odd_specs(draw: st.DrawFn) -> Body:
    """One spec."""
    space = draw(_space())
    if draw(st.integers(0, 3)) == 0:
        space = {**draw(st.sampled_from(({}, space))), "architecture": draw(odd_architectures())}
    of_nets = ("Evolution", "Generative", "Generative") if "architecture" in space else ()
    algorithm = draw(st.sampled_from((*ALGORITHMS, *of_nets)))
    metric = draw(st.sampled_from(("quality", "accuracy", "a", "m" * 63)))
    objective = {"metric": metric, "goal": draw(st.sampled_from(("Maximize", "Minimize")))}
    spec: Body = {
        "objectives": [
            {**objective, **draw(_some(target=decimals))},
            *draw(st.sampled_from(((), (), ({"metric": "second", "goal": "Minimize"},)))),
        ],
        "space": space,
        "algorithm": {"name": algorithm, **draw(_some(seed=st.sampled_from((0, 1, 2**31 - 1))))},
        "budget": {
            **draw(_budgets),
            # Whatever happens, each job has an end soon.
            "maxDuration": draw(st.sampled_from(SHORT)),
            "maxTrials": draw(st.sampled_from((1, 2, 3, 5, 40))),
        },
        **draw(
            _some(
                earlyStopping=_stopping,
                trialsPerPod=st.sampled_from((2, 3, 32)),
                ttlSecondsAfterFinished=st.sampled_from((0, 31_536_000)),
                storage=st.sampled_from(
                    ({"uri": "pvc://claim"}, {"uri": "pvc://c/a/./b/"}, {"uri": "pvc://c/../x"})
                ),
            )
        ),
    }
    is_task = draw(st.integers(0, 4)) == 0
    spec.update({"task": draw(_tasks)} if is_task else {"trial": draw(_own_images)})
    if draw(st.integers(0, 2)) == 0:
        spec["podTemplate"] = draw(_templates)
    return spec


def some_odd_specs(count: int, *, number: int = 0) -> list[Body]:
    """`count` specs, the same ones for the same number."""
    return drawn(odd_specs(), count, number)
