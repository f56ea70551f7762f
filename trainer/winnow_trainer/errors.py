"""What can go wrong in the trainer, by what follows from it.

    TrainerError
      +-- JobError                the same for all trials: exit code 65, the job ends
      |     +-- DataError         the data cannot be used
      |     +-- DeniedError       storage does not let this user read or write
      |     +-- SourceError       the model that is to be compressed cannot be used
      |     +-- TaskError         the task names something that is not there
      +-- TrialError              this trial has failed by its own fault, the others go on
      +-- StorageError            storage is away or full: exit code 75, tried again

Every message is a sentence for the person who reads a condition or a log.
"""

from __future__ import annotations

import errno
import os


class TrainerError(Exception):
    """Base of all errors of this package."""


class JobError(TrainerError):
    """The job cannot work, whatever the parameters are."""

    cause = "BadTask"
    """One CamelCase word for the result."""


class DataError(JobError):
    """The data cannot be used."""

    cause = "BadData"


class DeniedError(JobError):
    """Storage does not let this user read or write; trying again changes nothing."""

    cause = "StorageDenied"


class SourceError(JobError):
    """The model that is to be compressed is not there, not the one that was meant, or damaged."""

    cause = "BadSource"


class TaskError(JobError):
    """The task or a fixed setting names something that is not there."""


class TrialError(TrainerError):
    """A trial has failed by its own fault."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        """One CamelCase word for the result."""


class StorageError(TrainerError):
    """Storage cannot be read or written; time may mend it."""

    cause = "StorageUnavailable"


def storage_error(error: OSError, what: str) -> JobError | StorageError:
    """What an error of the file system means: denied for good, or away for now.

    Args:
        error: as the system gave it.
        what: start of the sentence, such as `the artifact cannot be written`.
    """
    words = f"{what}: {error.strerror or error}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return DeniedError(
            f"{words}; trials run as user {os.getuid()}, group {os.getgid()}: let these read and "
            "write there"
        )
    return StorageError(words)
