"""Makes the table: each architecture trained on scikit-learn's digits with three seeds.

300 images train, the other 1,497 are measured after 1, 3, 9 and 27 epochs. Networks whose layers
have the same shapes train side by side as one stack of matrices, each with its own weights and, by
its seed, its own initial values and order of batches; their gradients never mix.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from benchmarks.architectures.space import EPOCHS, OPERATIONS, SEEDS, Architecture, architectures

TRAINED = 300
BATCH = 60
RATE = 5e-3
CLASSES = 10
STACK = 24
"""Networks that train side by side: more of them would not fit a core's cache."""
WIDE = 64
NARROW = 8
NORM = OPERATIONS.index("norm")
RELU_NARROW = OPERATIONS.index("relu-8")
TANH = OPERATIONS.index("tanh-64")
RESIDUAL = OPERATIONS.index("residual-64")

Counts = npt.NDArray[np.uint16]
"""(architectures, seeds, milestones): images of the 1,497 that are classified rightly."""


@dataclass(frozen=True, slots=True)
class Digits:
    """The images, each with 64 numbers in [0, 1]."""

    images: Tensor
    """(300, 64)"""
    labels: Tensor
    others: Tensor
    """(1497, 64)"""
    other_labels: Tensor


def digits() -> Digits:
    """A fixed split of the data set."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    x = torch.tensor(images[order] / 16.0, dtype=torch.float32)
    y = torch.tensor(labels[order])
    return Digits(x[:TRAINED], y[:TRAINED], x[TRAINED:], y[TRAINED:])


def make_table(partial: Path) -> Counts:
    """Train everything that the file `partial` has not; it is kept up to date meanwhile."""
    everything = architectures()
    counts = np.zeros((len(everything), SEEDS, len(EPOCHS)), np.uint16)
    done = np.zeros(len(everything), bool)
    if partial.exists():
        with np.load(partial) as found:
            counts, done = found["counts"], found["done"]
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # sums so small are slow, and change nothing
    data = digits()
    for number, stack in enumerate(_stacks(everything)):
        if done[stack].all():
            continue
        counts[stack] = _trained([everything[index] for index in stack], data)
        done[stack] = True
        if number % 20 == 0:
            np.savez(partial, counts=counts, done=done)
            print(f"{done.sum()} of {len(done)}", flush=True)
    return counts


def _stacks(everything: Sequence[Architecture]) -> Iterator[list[int]]:
    """Places of architectures whose layers have the same shapes."""

    def shapes(index: int) -> tuple[int, ...]:
        return tuple(op if op in {NORM, RELU_NARROW} else -1 for op in everything[index])

    ordered = sorted(range(len(everything)), key=lambda index: (shapes(index), index))
    for _, group in itertools.groupby(ordered, key=shapes):
        members = list(group)
        for start in range(0, len(members), STACK // SEEDS):
            yield members[start : start + STACK // SEEDS]


def _trained(stack: Sequence[Architecture], data: Digits) -> Counts:
    network = _Stack(stack)
    optimizer = torch.optim.AdamW(network.parameters, lr=RATE, weight_decay=0.01, fused=True)
    orders = [torch.Generator().manual_seed(1000 + seed) for seed in range(SEEDS)]
    counts = np.zeros((len(stack), SEEDS, len(EPOCHS)), np.uint16)
    for epoch in range(1, EPOCHS[-1] + 1):
        order = torch.stack([torch.randperm(TRAINED, generator=source) for source in orders])
        for start in range(0, TRAINED, BATCH):
            chosen = order[:, start : start + BATCH].repeat(len(stack), 1)
            scores = network(data.images[chosen])
            loss = functional.cross_entropy(
                scores.flatten(0, 1), data.labels[chosen].flatten(), reduction="sum"
            )
            optimizer.zero_grad()
            (loss / BATCH).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if epoch in EPOCHS:
            with torch.no_grad():
                scores = network(data.others.expand(len(stack) * SEEDS, -1, -1))
                right = (scores.argmax(-1) == data.other_labels).sum(-1)
            counts[:, :, EPOCHS.index(epoch)] = right.reshape(len(stack), SEEDS).numpy()
    return counts


class _Stack:
    """Networks with layers of the same shapes, each architecture once per seed."""

    def __init__(self, stack: Sequence[Architecture]) -> None:
        self._stack = stack
        self.parameters: list[Tensor] = []
        self._sources = [torch.Generator().manual_seed(seed) for seed in range(SEEDS)]
        width = WIDE  # an image has as many numbers
        for place in range(len(stack[0])):
            if stack[0][place] != NORM:
                out = NARROW if stack[0][place] == RELU_NARROW else WIDE
                self._add(width, out)
                width = out
        self._add(width, CLASSES)

    def _add(self, width: int, out: int) -> None:
        """A layer's weights and offsets, of each seed the same for all architectures."""
        weights = (
            torch.stack([torch.randn(width, out, generator=source) for source in self._sources])
            / width**0.5
        )
        self.parameters.append(weights.repeat(len(self._stack), 1, 1).requires_grad_())
        self.parameters.append(torch.zeros(len(self._stack) * SEEDS, 1, out).requires_grad_())

    def _runs(self, place: int) -> list[tuple[int, slice]]:
        """Networks that stand side by side and have the same operation at a place."""
        runs, start = list[tuple[int, slice]](), 0
        for operation, group in itertools.groupby(a[place] for a in self._stack):
            end = start + SEEDS * len(list(group))
            runs.append((operation, slice(start, end)))
            start = end
        return runs

    def __call__(self, images: Tensor) -> Tensor:
        """(networks, images, 10) of (networks, images, 64)."""
        x, layers = images, iter(self.parameters)
        for place, operation in enumerate(self._stack[0]):
            if operation == NORM:
                x = functional.layer_norm(x, x.shape[-1:])
                continue
            u = self._linear(x, layers)
            if operation == RELU_NARROW:
                x = u.relu()
                continue
            missing = WIDE - x.shape[-1]
            shortcut = functional.pad(x, (0, missing)) if missing else x  # of 8 numbers: then zeros
            x = _Activations.apply(u, shortcut, self._runs(place))
        return self._linear(x, layers)

    @staticmethod
    def _linear(x: Tensor, layers: Iterator[Tensor]) -> Tensor:
        weights, offsets = next(layers), next(layers)
        return torch.baddbmm(offsets, x, weights)


class _Activations(torch.autograd.Function):
    """ReLU, tanh, or ReLU and what came in, each for a run of networks: none pays for the others."""

    @staticmethod
    @override
    def forward(
        ctx: Any, sums: Tensor, shortcut: Tensor, runs: Sequence[tuple[int, slice]]
    ) -> Tensor:
        active = torch.empty_like(sums)
        for operation, run in runs:
            if operation == TANH:
                torch.tanh(sums[run], out=active[run])
                continue
            torch.clamp_min(sums[run], 0, out=active[run])
            if operation == RESIDUAL:
                active[run] += shortcut[run]
        ctx.save_for_backward(sums, active)
        ctx.runs = runs
        return active

    @staticmethod
    @override
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor | None, None]:
        (slope,), (sums, active) = slopes, ctx.saved_tensors
        of_sums, of_shortcut = torch.empty_like(slope), None
        for operation, run in ctx.runs:
            if operation == TANH:
                of_sums[run] = torch.ops.aten.tanh_backward(slope[run], active[run])
                continue
            of_sums[run] = torch.ops.aten.threshold_backward(slope[run], sums[run], 0)
            if operation == RESIDUAL:
                of_shortcut = torch.zeros_like(slope) if of_shortcut is None else of_shortcut
                of_shortcut[run] = slope[run]
        return of_sums, of_shortcut, None
