"""Spreads over time what would else come at one moment for all objects."""

from __future__ import annotations

import zlib


def share_of(name: str) -> float:
    """From 0 to below 1, always the same for a name, and spread evenly over many names."""
    return zlib.crc32(name.encode()) / 2**32
