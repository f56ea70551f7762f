"""Models that several tests look at: a convolutional net, its integer forms, and where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.onnx_graphs import convolutional, quantized


@pytest.fixture(scope="session")
def convolutions() -> bytes:
    """A small convolutional net of 32 bits."""
    return convolutional()


@pytest.fixture(scope="session")
def integers(convolutions: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same with integer weights everywhere."""
    return quantized(convolutions, tmp_path_factory.mktemp("integers"))


@pytest.fixture(scope="session")
def half_integers(convolutions: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same from a quantizer that skips convolutions without a word."""
    return quantized(convolutions, tmp_path_factory.mktemp("half"), leave_out=("Conv",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test writes a model."""
    return tmp_path / "model.onnx"
