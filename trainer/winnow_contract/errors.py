"""What can be wrong with the things that operator and trial exchange.

    ContractError (a ValueError)
      +-- AssignmentsError            the assignment file cannot be used
      |     +-- ContractVersionError  it is of a version that this code does not read
      +-- EnvironmentVariableError    a WINNOW_* variable has a value that cannot be used
      +-- GoalError                   a goal or a preference of a compression cannot be used
      +-- ManifestError               an artifact's manifest or files are not what they should be
      +-- ResultError                 a termination message is not a result
      +-- SettingError                a setting of the model or its training cannot be used
      +-- StepError                   a step of a compression chain cannot be used
      +-- UriError                    a URI has a form that is not known

Every message is a sentence for the person who reads a condition or a log.
"""

from __future__ import annotations


class ContractError(ValueError):
    """Base of all errors of this package."""


class AssignmentsError(ContractError):
    """The assignment file cannot be used."""


class ContractVersionError(AssignmentsError):
    """The assignment file is of a contract version that this code does not read."""


class EnvironmentVariableError(ContractError):
    """A WINNOW_* variable is missing or has a value that cannot be used."""


class GoalError(ContractError):
    """A goal or a preference of a compression names what is not measured or not allowed."""


class ManifestError(ContractError):
    """An artifact's manifest or one of its files is not what it should be."""


class ResultError(ContractError):
    """A termination message is not a result."""


class SettingError(ContractError):
    """A setting of the model or its training is not known or has a value that is not allowed."""


class StepError(ContractError):
    """A step of a compression chain is not known or has an option that is not allowed."""


class UriError(ContractError):
    """A URI has a form that is not known."""
