"""The one error of devcluster: a sentence for the person at the terminal."""

from __future__ import annotations


class DevclusterError(Exception):
    """Something that the person must know; the message says what to do next."""
