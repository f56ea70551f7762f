"""Gradient boosting of small regression trees (Friedman, 2001), standard library alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Row = Sequence[float]
BINS = 32
"""Places between two neighbours of which a tree may split a feature, at equal shares of rows."""
SMALLEST_LEAF = 5
"""Rows; a leaf of fewer says more about noise than about the target."""


@dataclass(frozen=True)
class Leaf:
    """The end of a tree."""

    value: float


@dataclass(frozen=True)
class Split:
    """Rows with a feature up to the threshold go left."""

    feature: int
    threshold: float
    left: Leaf | Split
    right: Leaf | Split


def predict_tree(tree: Leaf | Split, row: Row) -> float:
    """The value of the leaf that a row falls into."""
    while isinstance(tree, Split):
        tree = tree.left if row[tree.feature] <= tree.threshold else tree.right
    return tree.value


class Boosting:
    """A sum of trees, each fitted to what the ones before left over."""

    def __init__(self, rows: Sequence[Row], targets: Sequence[float]) -> None:
        self.start = sum(targets) / len(targets)
        self.trees: list[tuple[float, Leaf | Split]] = []
        self._rows = rows
        self._rest = [target - self.start for target in targets]
        columns = list(zip(*rows, strict=True))
        self._edges = [_edges(column) for column in columns]
        self._bins = [
            [bisect_right(edges, value) for value in column]
            for edges, column in zip(self._edges, columns, strict=True)
        ]

    def add_tree(self, depth: int, rate: float) -> None:
        """Fit one more tree and take `rate` of what it says."""
        tree = self._grow(list(range(len(self._rows))), depth)
        self.trees.append((rate, tree))
        for i, row in enumerate(self._rows):
            self._rest[i] -= rate * predict_tree(tree, row)

    def predict(self, row: Row) -> float:
        """The value for a row."""
        return self.start + sum(rate * predict_tree(tree, row) for rate, tree in self.trees)

    def _grow(self, members: list[int], depth: int) -> Leaf | Split:
        best = max(self._splits(members), default=None) if depth else None
        if best is None:
            return Leaf(sum(self._rest[i] for i in members) / len(members))
        _, feature, place = best
        bins = self._bins[feature]
        left = [i for i in members if bins[i] <= place]
        right = [i for i in members if bins[i] > place]
        # Bins count the edges up to a value, so a value equal to an edge lies right of it.
        threshold = math.nextafter(self._edges[feature][place], -math.inf)
        return Split(feature, threshold, self._grow(left, depth - 1), self._grow(right, depth - 1))

    def _splits(self, members: list[int]) -> Iterator[tuple[float, int, int]]:
        """Gain, feature and place of every split that leaves both sides enough rows."""
        total = sum(self._rest[i] for i in members)
        for feature, bins in enumerate(self._bins):
            counts, sums = [0] * BINS, [0.0] * BINS
            for i in members:
                counts[bins[i]] += 1
                sums[bins[i]] += self._rest[i]
            count, part = 0, 0.0
            for place in range(len(self._edges[feature])):
                count, part = count + counts[place], part + sums[place]
                others = len(members) - count
                if min(count, others) >= SMALLEST_LEAF:
                    yield part**2 / count + (total - part) ** 2 / others, feature, place

    def to_json(self) -> dict[str, Any]:
        """The model as plain data."""
        trees = [{"rate": rate, "tree": _to_json(tree)} for rate, tree in self.trees]
        return {"start": self.start, "trees": trees}


def _edges(column: Sequence[float]) -> list[float]:
    ordered = sorted(column)
    return sorted({ordered[len(ordered) * i // BINS] for i in range(1, BINS)})


def _to_json(tree: Leaf | Split) -> Any:
    if isinstance(tree, Leaf):
        return tree.value
    return [tree.feature, tree.threshold, _to_json(tree.left), _to_json(tree.right)]
