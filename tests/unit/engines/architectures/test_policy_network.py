"""The network that writes architectures: its gradients are those of torch, its softmax is masked."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from winnow_operator.engines.architectures.policy_network import (
    HIDDEN,
    Adam,
    Floats,
    PolicyNetwork,
    log_softmax,
)

VOCABULARY, LENGTH, ROWS = 5, 4, 7


def _network() -> PolicyNetwork:
    """One whose last layer is no longer zero, so that gradients reach all parameters."""
    source = np.random.default_rng(1)
    network = PolicyNetwork(VOCABULARY, LENGTH, source)
    for name, value in network.parameters.items():
        network.parameters[name] = value + 0.3 * source.standard_normal(value.shape)
    return network


def _sequences() -> tuple[np.ndarray, np.ndarray]:
    """Tokens and masks; some sequences end early."""
    source = np.random.default_rng(2)
    tokens = source.integers(0, VOCABULARY, (ROWS, LENGTH))
    masks = source.random((ROWS, LENGTH, VOCABULARY)) < 0.6
    np.put_along_axis(masks, tokens[:, :, None], values=True, axis=2)
    masks[1, 2:] = False
    masks[4, 1:] = False
    return tokens, masks


def _torch_loss(
    p: dict[str, Tensor], tokens: Tensor, masks: Tensor, likelihood: Tensor, entropy: Tensor
) -> Tensor:
    """The same network written with torch's own GRU cell."""
    hidden, before = torch.zeros(ROWS, HIDDEN, dtype=torch.float64), torch.full((ROWS,), VOCABULARY)
    total = torch.zeros((), dtype=torch.float64)
    for place in range(LENGTH):
        hidden = torch.gru_cell(
            p["token"][before] + p["place"][place],
            hidden,
            p["input"].T,
            p["recurrent"].T,
            p["input_offset"],
            p["recurrent_offset"],
        )
        logits = hidden @ p["output"] + p["output_offset"]
        live = masks[:, place].any(1)
        logs = functional.log_softmax(
            logits[live].masked_fill(~masks[live, place], -torch.inf), dim=1
        )
        chosen = logs.gather(1, tokens[live, place, None])[:, 0]
        shares = logs.exp()
        spread = -(shares * logs.masked_fill(~masks[live, place], 0.0)).sum(1)
        total = total - (likelihood[live] * chosen).sum() - (entropy[live] * spread).sum()
        before = tokens[:, place]
    return total


def test_loss_and_gradients_are_those_of_torch() -> None:
    network, (tokens, masks) = _network(), _sequences()
    source = np.random.default_rng(3)
    likelihood, entropy = source.standard_normal(ROWS), source.random(ROWS)
    found = network.loss(tokens, masks, likelihood, entropy)

    parameters = {n: torch.tensor(v, requires_grad=True) for n, v in network.parameters.items()}
    given = (torch.tensor(array) for array in (tokens, masks, likelihood, entropy))
    expected = _torch_loss(parameters, *given)
    expected.backward()  # type: ignore[no-untyped-call]

    assert np.isclose(found.value, expected.item())
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        np.testing.assert_allclose(
            found.gradients[name], parameter.grad.numpy(), rtol=1e-8, atol=1e-12, err_msg=name
        )


def test_adam_follows_its_paper_with_the_gradient_clipped() -> None:
    """Kingma and Ba, algorithm 1, written out."""
    value = {"a": np.array([1.0, -2.0])}
    adam = Adam(value, rate=0.01, clip=1.0)
    expected: Floats = value["a"].copy()
    first: Floats = np.zeros(2)
    second: Floats = np.zeros(2)
    for step, given in enumerate(([0.3, -0.4], [6.0, 8.0], [0.1, 0.0]), 1):
        gradient = np.array(given) * min(1.0, 1.0 / math.hypot(*given))
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        mean, spread = first / (1 - 0.9**step), second / (1 - 0.999**step)
        expected -= 0.01 * mean / (np.sqrt(spread) + 1e-8)
        adam.step({"a": np.array(given)})

    np.testing.assert_allclose(value["a"], expected, rtol=1e-6)


def test_an_untrained_network_finds_all_allowed_tokens_alike() -> None:
    network = PolicyNetwork(VOCABULARY, LENGTH, np.random.default_rng(0))
    _, logits = network.step(*network.start(2), 0)
    mask = np.array([[True, True, False, True, False], [False] * 5])

    shares = np.where(mask, np.exp(log_softmax(logits, mask)), 0.0)

    assert shares[0].tolist() == [1 / 3, 1 / 3, 0, 1 / 3, 0]
    assert not shares[1].any()
