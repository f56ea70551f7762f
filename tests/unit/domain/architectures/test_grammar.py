"""Grammars of architectures: masks, canonical forms, counts, texts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.models.nets import MAX_NET_TEXT, net_from_json, read_net
from winnow_operator.domain.architectures import (
    CnnGrammar,
    CnnSpace,
    Grammar,
    ListedGrammar,
    MlpGrammar,
    MlpSpace,
    Tokens,
    TransformerGrammar,
    TransformerSpace,
)

AnyGrammar = Grammar[Any]
Walk = tuple[AnyGrammar, Tokens]
_some_widths = st.sets(st.sampled_from((8, 16, 32, 64)), min_size=1, max_size=3).map(
    lambda found: tuple(sorted(found))
)
_some_depths = st.sampled_from(((1,), (0, 1, 2), (2, 3), (1, 2, 3, 4)))

mlps = st.builds(
    MlpSpace,
    _some_depths,
    _some_widths,
    st.sampled_from(((), ("relu",), ("relu", "tanh"))),
    st.sampled_from(((), ("none", "batch"))),
    st.booleans(),
).map(MlpGrammar)
_operations = st.sampled_from(
    (
        (("conv", 3),),
        (("conv", 1), ("conv", 3), ("max", 3)),
        (("separable", 5), ("avg", 3), ("max", 3), ("max", 5)),
    )
)
cnns = st.builds(
    CnnSpace,
    st.integers(1, 4),
    _operations,
    st.sampled_from(((1,), (1, 2))),
    _some_widths,
    st.sampled_from(((1,), (1, 2))),
    st.booleans(),
    st.booleans(),
).map(CnnGrammar)
transformers = st.builds(
    TransformerSpace,
    st.sampled_from(((1,), (1, 2, 3))),
    _some_widths,
    st.sampled_from(((1, 2), (1, 3, 4))),
    st.sampled_from(((), (16, 32))),
).map(TransformerGrammar)
listed = st.just(ListedGrammar(["64-32-16", "32-64 relu", "conv3 | 8", "32 | h2"]))
grammars: st.SearchStrategy[AnyGrammar] = st.one_of(mlps, cnns, transformers, listed)


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    """A grammar and any complete sequence of it."""
    grammar = draw(grammars)
    tokens: list[int] = []
    while any(mask := grammar.allowed(tokens)):
        tokens.append(draw(st.sampled_from([t for t, may in enumerate(mask) if may])))
    return grammar, tuple(tokens)


@given(walks())
def test_whatever_the_masks_allow_is_a_net(walk: Walk) -> None:
    grammar, tokens = walk

    net = net_from_json(grammar.decode(tokens))

    assert len(tokens) <= grammar.max_length
    assert net == read_net(grammar.text(tokens))
    assert len(grammar.text(tokens)) <= MAX_NET_TEXT


@given(walks())
def test_encoding_what_was_decoded_gives_the_canonical_sequence(
    walk: Walk,
) -> None:
    grammar, tokens = walk
    canonical = grammar.canonical(tokens)

    assert grammar.encode(grammar.decode(tokens)) == canonical
    assert grammar.parse(grammar.text(tokens)) == canonical
    assert grammar.canonical(canonical) == canonical
    assert not any(grammar.allowed(canonical))


@given(walks())
def test_a_sequence_and_its_canonical_form_have_one_text(
    walk: Walk,
) -> None:
    grammar, tokens = walk
    canonical = grammar.canonical(tokens)

    assert grammar.text(canonical) == grammar.text(tokens)


@given(grammars)
def test_each_index_is_another_architecture_and_there_are_no_more(grammar: AnyGrammar) -> None:
    size = grammar.size()
    if size is None or size > 500:
        return

    texts = {grammar.text(grammar.at(index)) for index in range(size)}

    assert len(texts) == size
    assert texts == _texts_of_all_walks(grammar, ())


def _texts_of_all_walks(grammar: AnyGrammar, prefix: Tokens) -> set[str]:
    options = grammar.options(prefix)
    if not options:
        return {grammar.text(prefix)}
    return {text for token in options for text in _texts_of_all_walks(grammar, (*prefix, token))}


@given(grammars, st.floats(0, 1, exclude_max=True))
def test_a_position_is_an_architecture_of_the_space(grammar: AnyGrammar, unit: float) -> None:
    tokens = grammar.from_unit(unit)

    assert grammar.canonical(tokens) == tokens


def test_options_of_every_decision_are_alike() -> None:
    grammar = MlpGrammar(MlpSpace((1, 2, 3), (8, 16), ("relu", "tanh")))
    drawn = [grammar.from_unit((place + 0.5) / 600) for place in range(600)]

    firsts = [sum(tokens[0] == depth for tokens in drawn) for depth in range(3)]
    lasts = sum(grammar.vocabulary[tokens[-1]] == "activation=tanh" for tokens in drawn)

    assert firsts == [200, 200, 200]
    assert abs(lasts / 600 - 0.5) < 4 * math.sqrt(0.25 / 600)


def test_mlps_are_counted() -> None:
    assert MlpGrammar(MlpSpace((0, 1, 2, 3, 4, 5), (8, 16, 32, 64, 128))).size() == 3906
    assert MlpGrammar(MlpSpace((2,), (8, 16), skips=True)).size() == 2 * 2 + 2
    assert MlpGrammar(MlpSpace(tuple(range(1, 11)), (8,) * 1, skips=True)).size() == sum(
        math.factorial(depth) for depth in range(1, 11)
    )


def test_large_spaces_are_counted_without_being_listed() -> None:
    widths = tuple(8 * size for size in range(1, 9))
    grammar = MlpGrammar(MlpSpace(tuple(range(1, 11)), widths, ("relu", "tanh"), skips=True))
    size = grammar.size()

    assert size is not None
    assert size > 10**12
    assert len(grammar.at(size - 1)) == grammar.max_length


def test_a_cell_with_many_branches_has_no_known_size() -> None:
    operations = (("conv", 3), ("conv", 5), ("max", 3), ("avg", 3))
    grammar = CnnGrammar(CnnSpace(4, operations, (2,), (16, 32), branches=True, skips=True))

    assert grammar.size() is None
    assert grammar.sequences > 100_000


def test_a_pooling_by_max_does_not_follow_another() -> None:
    grammar = CnnGrammar(CnnSpace(2, (("conv", 3), ("max", 3)), (1,), (8,), (1,)))

    texts = {grammar.text(grammar.at(place)) for place in range(grammar.size() or 0)}

    assert texts == {
        "conv3 | 8",
        "max3 | 8",
        "conv3 conv3 | 8",
        "conv3 max3 | 8",
        "max3 conv3 | 8",
    }


def test_only_heads_that_divide_the_width_are_allowed() -> None:
    grammar = TransformerGrammar(TransformerSpace((1,), (8, 12), (2, 3)))

    texts = {grammar.text(grammar.at(place)) for place in range(grammar.size() or 0)}

    assert texts == {"8 | h2", "12 | h2", "12 | h3"}


def test_a_skip_needs_an_earlier_layer_of_the_same_width() -> None:
    grammar = MlpGrammar(MlpSpace((3,), (8, 16), skips=True))
    words = [grammar.vocabulary.index(word) for word in ("depth=3", "width=8", "skip=0")]
    words += [grammar.vocabulary.index(word) for word in ("width=16", "skip=0", "width=8")]

    allowed = [grammar.vocabulary[token] for token in grammar.options(words)]

    assert allowed == ["skip=0", "skip=2"]


def test_decisions_have_names() -> None:
    grammar = CnnGrammar(
        CnnSpace(2, (("conv", 3),), (1, 2), (8,), (1, 2), branches=True, skips=True)
    )
    tokens = grammar.parse("conv3 conv3+0 | 8 8/2")

    slots = [grammar.slot(tokens[:place]) for place in range(len(tokens) + 1)]

    assert slots == [
        *("nodes", "node1.input", "node1.operation", "node1.skip"),
        *("node2.input", "node2.operation", "node2.skip"),
        *("stages", "stage1.width", "stage1.stride", "stage2.width", "stage2.stride", ""),
    ]


def test_a_sequence_that_masks_forbid_is_refused() -> None:
    grammar = MlpGrammar(MlpSpace((1,), (8, 16)))

    with pytest.raises(ValueError, match="token 0 is 1, which may not stand there"):
        grammar.allowed([1])
    with pytest.raises(ValueError, match="not complete"):
        grammar.text([0])
    with pytest.raises(ValueError, match="architecture 32 has width=32"):
        grammar.parse("32")
    with pytest.raises(ValueError, match="has family CNN"):
        grammar.parse("conv3 | 8")


def test_a_list_has_each_net_once() -> None:
    with pytest.raises(ValueError, match="'64:relu' is the same net as '64 relu'"):
        ListedGrammar(["64 relu", "64:relu"])
