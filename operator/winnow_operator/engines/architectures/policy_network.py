"""A network that writes sequences of tokens: one GRU layer and a masked softmax, in numpy.

Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014, in the form in which
the reset gate acts on the recurrent product. The input of a step is an embedding of the token
before it plus one of its place. The last layer begins at zero, so the first policy is even: each
allowed token is as likely as the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HIDDEN = 48
EMBEDDED = 24
Floats = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.int64]
"""(sequences, length); what comes after the end of a sequence is of no matter"""
Masks = npt.NDArray[np.bool_]
"""(sequences, length, vocabulary): which tokens may come next; none after the end of a sequence"""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a network is to make smaller, with its gradients."""

    value: float
    gradients: Mapping[str, Floats]
    log_likelihoods: Floats
    """(sequences,)"""
    entropies: Floats
    """(sequences,): added up over the steps, in nats"""


@dataclass(frozen=True, slots=True)
class _Step:
    """What a step leaves for the way back."""

    inputs: Floats
    before: Floats
    reset: Floats
    update: Floats
    candidate: Floats
    recurrent: Floats
    """The candidate's part of the recurrent product."""
    hidden: Floats
    logits: Floats


class PolicyNetwork:
    """Parameters, one step forward, and the gradients of whole sequences."""

    def __init__(self, vocabulary: int, length: int, source: np.random.Generator) -> None:
        self.vocabulary, self.length = vocabulary, length

        def even(*shape: int, width: int) -> Floats:
            return source.uniform(-(width**-0.5), width**-0.5, shape)

        self.parameters: dict[str, Floats] = {
            "token": even(vocabulary + 1, EMBEDDED, width=1),  # the last one begins a sequence
            "place": even(length, EMBEDDED, width=1),
            "input": even(EMBEDDED, 3 * HIDDEN, width=EMBEDDED),
            "input_offset": np.zeros(3 * HIDDEN),
            "recurrent": even(HIDDEN, 3 * HIDDEN, width=HIDDEN),
            "recurrent_offset": np.zeros(3 * HIDDEN),
            "output": np.zeros((HIDDEN, vocabulary)),
            "output_offset": np.zeros(vocabulary),
        }

    def start(self, sequences: int) -> tuple[Floats, Tokens]:
        """The hidden state, (sequences, HIDDEN), and the tokens before the first step."""
        return np.zeros((sequences, HIDDEN)), np.full(sequences, self.vocabulary)

    def step(self, hidden: Floats, before: Tokens, place: int) -> tuple[Floats, Floats]:
        """The next hidden state, and logits, (sequences, vocabulary), before any mask."""
        step = self._step(hidden, before, place)
        return step.hidden, step.logits

    def _step(self, hidden: Floats, before: Tokens, place: int) -> _Step:
        p = self.parameters
        inputs = p["token"][before] + p["place"][place]
        given = inputs @ p["input"] + p["input_offset"]
        recurrent = hidden @ p["recurrent"] + p["recurrent_offset"]
        gates = _sigmoid(given[:, : 2 * HIDDEN] + recurrent[:, : 2 * HIDDEN])
        reset, update = gates[:, :HIDDEN], gates[:, HIDDEN:]
        of_candidate = recurrent[:, 2 * HIDDEN :]
        candidate = np.tanh(given[:, 2 * HIDDEN :] + reset * of_candidate)
        after = (1.0 - update) * candidate + update * hidden
        logits = after @ p["output"] + p["output_offset"]
        return _Step(inputs, hidden, reset, update, candidate, of_candidate, after, logits)

    def loss(self, tokens: Tokens, masks: Masks, likelihood: Floats, entropy: Floats) -> Loss:
        """Minus the weighted sums of log likelihoods and of entropies.

        Args:
            tokens: of whole sequences.
            masks: what was allowed at each of their steps.
            likelihood: (sequences,), the weight of each one's log likelihood.
            entropy: (sequences,), the weight of each one's entropy.
        """
        steps = list(self._forward(tokens))
        log_likelihoods, entropies = np.zeros(len(tokens)), np.zeros(len(tokens))
        slopes = list[Floats]()
        for place, step in enumerate(steps):
            live = np.any(masks[:, place], axis=1)
            logs = log_softmax(step.logits, masks[:, place])
            shares = np.where(masks[:, place], np.exp(logs), 0.0)
            spread = -(shares * logs).sum(axis=1)
            chosen = np.zeros_like(shares)
            chosen[live, tokens[live, place]] = 1.0
            log_likelihoods += (chosen * logs).sum(axis=1)
            entropies += spread
            slopes.append(
                likelihood[:, None] * (shares * live[:, None] - chosen)
                + entropy[:, None] * shares * (logs + spread[:, None])
            )
        value = -float(likelihood @ log_likelihoods + entropy @ entropies)
        return Loss(value, self._backward(tokens, steps, slopes), log_likelihoods, entropies)

    def _forward(self, tokens: Tokens) -> Iterator[_Step]:
        hidden, before = self.start(len(tokens))
        for place in range(tokens.shape[1]):
            step = self._step(hidden, before, place)
            hidden, before = step.hidden, tokens[:, place]
            yield step

    def _backward(
        self, tokens: Tokens, steps: list[_Step], slopes: list[Floats]
    ) -> dict[str, Floats]:
        """Gradients, from the slopes of the loss in each step's logits."""
        p = self.parameters
        gradients = {name: np.zeros_like(value) for name, value in p.items()}
        carried = np.zeros_like(steps[0].hidden)
        for place in reversed(range(len(steps))):
            step, slope = steps[place], slopes[place]
            gradients["output"] += step.hidden.T @ slope
            gradients["output_offset"] += slope.sum(axis=0)
            of_hidden = carried + slope @ p["output"].T
            of_candidate = of_hidden * (1.0 - step.update) * (1.0 - step.candidate**2)
            of_update = of_hidden * (step.before - step.candidate) * _bell(step.update)
            of_reset = of_candidate * step.recurrent * _bell(step.reset)
            given = np.hstack((of_reset, of_update, of_candidate))
            recurrent = np.hstack((of_reset, of_update, of_candidate * step.reset))
            gradients["input"] += step.inputs.T @ given
            gradients["input_offset"] += given.sum(axis=0)
            gradients["recurrent"] += step.before.T @ recurrent
            gradients["recurrent_offset"] += recurrent.sum(axis=0)
            of_inputs = given @ p["input"].T
            before = tokens[:, place - 1] if place else self.start(len(tokens))[1]
            np.add.at(gradients["token"], before, of_inputs)
            gradients["place"][place] += of_inputs.sum(axis=0)
            carried = of_hidden * step.update + recurrent @ p["recurrent"].T
        return gradients


def log_softmax(logits: Floats, mask: npt.NDArray[np.bool_]) -> Floats:
    """Log probabilities of what is allowed; 0 for the rest. Rows may have nothing that is."""
    top = np.max(logits, axis=1, keepdims=True, where=mask, initial=-np.inf)
    shifted = np.where(mask, logits - np.where(np.isfinite(top), top, 0.0), -np.inf)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    return np.where(mask, shifted - np.log(np.where(total > 0, total, 1.0)), 0.0)


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _bell(share: Floats) -> Floats:
    """Slope of a sigmoid, by its value."""
    return share * (1.0 - share)


class Adam:
    """Kingma and Ba, "Adam", 2015, with the gradient's norm clipped."""

    def __init__(self, parameters: dict[str, Floats], rate: float, clip: float) -> None:
        self._parameters, self._rate, self._clip = parameters, rate, clip
        self._first = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._second = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._steps = 0

    def step(self, gradients: Mapping[str, Floats]) -> None:
        """Move the parameters, in place."""
        self._steps += 1
        norm = np.sqrt(sum(float((g**2).sum()) for g in gradients.values()))
        scale = min(1.0, self._clip / max(norm, 1e-12))
        rate = self._rate * np.sqrt(1.0 - 0.999**self._steps) / (1.0 - 0.9**self._steps)
        for name in self._parameters:
            gradient = gradients[name] * scale
            first, second = self._first[name], self._second[name]
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            self._parameters[name] -= rate * first / (np.sqrt(second) + 1e-8)
