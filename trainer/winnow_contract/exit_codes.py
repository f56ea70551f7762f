"""Exit codes of a trial's container, and what each makes the operator do."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Codes with a meaning; every other one is a crash, retried up to the job's limit."""

    OK = 0
    """Every trial of the pod has an outcome; a trial's own failure is an outcome."""
    STOPPED = 3
    """Ended on SIGTERM with its state saved; the operator decides what follows."""
    CONTRACT = 64
    """Image and operator speak different contract versions; the job fails at once."""
    PERMANENT = 65
    """Bad data or parameters: the same would happen again, so nothing is retried."""
    TEMPORARY = 75
    """Storage or the like is away; retried."""
