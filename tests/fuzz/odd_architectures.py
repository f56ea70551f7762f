"""Spaces of architectures that the schema allows (mostly) and nobody would write."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.api import Body

OPERATIONS = ("conv1", "conv3", "conv9", "separable5", "max3", "max9", "avg7", "max1", "conv4")
NETS = (
    "64-32-16", "64:relu-32", "64 relu", "linear", "1", "4096-4096+1", "64+1", "conv3 | 16", "x",
    "conv3 max3@0 conv1+2 | 8 8/2", "conv3@9 | 8", "32 | h2x64", "32 | h3", "32 |", "|", "🦆", "٣",
    "-".join(["4096:leaky_relu:batch"] * 10), " ".join(["conv3"] * 40) + " | 8",
)  # fmt: skip

_units = st.lists(st.sampled_from((1, 2, 3, 8, 64, 4096)), min_size=1, max_size=6, unique=True)


def _counts(low: int, high: int) -> st.SearchStrategy[Body]:
    ends = st.tuples(st.integers(low, high), st.integers(low, high))
    return ends.map(lambda pair: {"min": min(pair), "max": max(pair)}) | ends.map(
        lambda pair: {"min": pair[0], "max": pair[1]}
    )


def _words(*words: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=4, unique=True)


_mlps = st.fixed_dictionaries(
    {"depth": _counts(0, 10), "widths": _units},
    optional={
        "activations": _words("relu", "gelu", "leaky_relu", "sigmoid"),
        "norms": _words("none", "batch", "layer"),
        "skips": st.booleans(),
    },
)
_cnns = st.fixed_dictionaries(
    {
        "nodes": st.integers(1, 6),
        "operations": _words(*OPERATIONS),
        "stages": _counts(1, 6),
        "widths": _units,
    },
    optional={
        "branches": st.booleans(),
        "skips": st.booleans(),
        "strides": st.sampled_from(([1], [2], [2, 1])),
    },
)
_transformers = st.fixed_dictionaries(
    {"depth": _counts(1, 12), "widths": _units, "heads": _units},
    optional={"hidden": _units},
)
_nets = st.lists(st.sampled_from(NETS[:4]), min_size=1, max_size=4, unique=True) | st.lists(
    st.sampled_from(NETS), min_size=1, max_size=5, unique=True
)


@st.composite
def odd_architectures(draw: st.DrawFn) -> Body:
    """One space, seldom of no kind or two."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "mlp": _mlps,
        "cnn": _cnns,
        "transformer": _transformers,
        "nets": _nets,
    }
    given = draw(
        st.sampled_from([*([kind] for kind in kinds), ["mlp"], ["cnn"], [], ["mlp", "nets"]])
    )
    return {kind: draw(kinds[kind]) for kind in given}
