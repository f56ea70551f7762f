"""What can be wrong with a model that is to run: one error, with a cause and a sentence.

Storage that is away is an OSError as everywhere (`winnow_contract.files.is_storage_away`).
"""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be run, or is not what it claims to be."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        """One CamelCase word for the result."""
