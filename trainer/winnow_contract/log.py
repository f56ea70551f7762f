"""The pod's log: what a person sees in `kubectl logs`, a line at a time."""

from __future__ import annotations


def say(text: str) -> None:
    """Write a line to the pod's log, at once."""
    print(text, flush=True)  # noqa: T201 -- the log of a pod is its standard output
