"""What can go wrong while models are measured, by what follows from it.

    winnow_runtime.errors.ModelError    this model fails alone, the others go on
    RoundError                          nothing can be measured in this round: exit code 65

Storage that is away is an OSError as everywhere (`winnow_contract.files.is_storage_away`): exit
code 75, tried again. Every message is a sentence for the person who reads a condition or a log.
"""

from __future__ import annotations


class RoundError(Exception):
    """Nothing can be measured, whatever the candidates are."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        """One CamelCase word for the result."""
