"""The names of the model families that the shared trainer has."""

from __future__ import annotations

MLP, CNN, RESNET, TRANSFORMER = "MLP", "CNN", "ResNet", "Transformer"
FAMILIES = (MLP, CNN, RESNET, TRANSFORMER)
IMAGE_FAMILIES = (CNN, RESNET)
"""Families that need to know what image a row holds."""
