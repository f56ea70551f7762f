"""A search space as Optuna has it, and values on the way there and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from winnow_operator.domain.spaces.space import (
    Dimension,
    DoubleSpan,
    IntSpan,
    Listed,
    Nets,
    Space,
    Value,
)
from winnow_operator.domain.spaces.values import rounded
from winnow_operator.engines.base import Record

optuna.logging.set_verbosity(optuna.logging.ERROR)

Distributions = Mapping[str, BaseDistribution]


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    """The distribution of each dimension, by name; an architecture has none, but one per decision."""
    return {d.name: _distribution(d) for d in space.dimensions if not isinstance(d, Nets)}


def several_valued(distributions: Distributions) -> dict[str, BaseDistribution]:
    """Those that have more than one value."""
    return {name: d for name, d in distributions.items() if not d.single()}


def to_study(space: Space, assignment: Mapping[str, Value]) -> dict[str, Any]:
    """An assignment as a study holds it, a net as its decisions."""
    values: dict[str, Any] = {}
    for dimension in space.dimensions:
        if dimension.name not in assignment:
            continue
        value = assignment[dimension.name]
        if isinstance(dimension, Nets):
            values |= {name: word for name, _, word in _decisions(dimension, str(value))}
        else:
            values[dimension.name] = _to_study(dimension, value)
    return values


def distributions_for(
    space: Space, common: Distributions, assignment: Mapping[str, Value]
) -> dict[str, BaseDistribution]:
    """The distributions of what `to_study` makes of an assignment.

    Args:
        space: what is searched.
        common: what `distributions_of` makes of it.
        assignment: one of its points.
    """
    found = {name: common[name] for name in assignment if name in common}
    if space.nets is not None:
        text = str(assignment[space.nets.name])
        found |= {
            name: CategoricalDistribution(words) for name, words, _ in _decisions(space.nets, text)
        }
    return found


def _decisions(nets: Nets, text: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Each decision of a net: its name in a study, the words to choose from, the word chosen."""
    grammar = nets.grammar
    for slot, options, token in grammar.decisions(grammar.parse(text)):
        name, words = _decision(nets, slot, options)
        yield name, words, grammar.vocabulary[token]


def _decision(nets: Nets, slot: str, options: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """A decision; what may be chosen is a part of its name, for a study takes no other then."""
    words = tuple(nets.grammar.vocabulary[token] for token in options)
    return f"{nets.name}.{slot}({','.join(words)})", words


def constraints_of(record: Record) -> dict[str, float]:
    """What a study knows of constraints: one number that is above 0 where they are missed."""
    return {"violation": record.violation} if record.violation else {}


def suggested(space: Space, trial: optuna.Trial) -> dict[str, Value]:
    """What a study suggests; dimensions with a condition are asked for where they belong."""
    found: dict[str, Value] = {}
    for dimension in space.dimensions:
        if isinstance(dimension, Nets):
            found[dimension.name] = _suggested_net(trial, dimension)
        elif space.belongs(dimension, found):
            found[dimension.name] = _clean(dimension, _suggest(trial, dimension))
    return found


def _suggested_net(trial: optuna.Trial, nets: Nets) -> str:
    grammar, tokens = nets.grammar, list[int]()
    while options := grammar.options(tokens):
        name, words = _decision(nets, grammar.slot(tokens), options)
        word = trial.suggest_categorical(name, words)
        tokens.append(grammar.vocabulary.index(word))
    return grammar.text(tokens)


def _suggest(trial: optuna.Trial, dimension: Dimension) -> Any:
    match _distribution(dimension):
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(dimension.name, low, high, step=step, log=log)
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(dimension.name, low, high, log=log)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(dimension.name, choices)
        case other:
            raise TypeError(f"a distribution of type {type(other).__name__} cannot be asked for")


def _distribution(dimension: Dimension) -> BaseDistribution:
    match dimension:
        case IntSpan():
            return IntDistribution(
                dimension.low, dimension.top, log=dimension.log, step=dimension.step
            )
        case DoubleSpan(step=None):
            low, high = float(dimension.low), float(dimension.high)
            return FloatDistribution(low, high, log=dimension.log)
        case DoubleSpan():
            return IntDistribution(0, (dimension.size or 1) - 1)
        case Listed():
            return CategoricalDistribution(dimension.values)
        case _:
            name = type(dimension).__name__
            raise TypeError(f"a dimension of type {name} has no distribution")


def _to_study(dimension: Dimension, value: Value) -> Any:
    if isinstance(dimension, DoubleSpan) and dimension.step is not None:
        return dimension.index_of(value)
    return value


def _clean(dimension: Dimension, value: Any) -> Value:
    match dimension:
        case DoubleSpan(step=None):
            return rounded(float(value), float(dimension.low), float(dimension.high))
        case DoubleSpan():
            return dimension.at(int(value))
        case IntSpan():
            return int(value)
        case _:
            return value  # type: ignore[no-any-return]
