"""The kinds that are reconciled, and every name in which they differ.

Names are unlike between the kinds, so that objects of two kinds may share a name in a namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from winnow_operator.api.names import GROUP


class Kind(StrEnum):
    """A kind that the operator reconciles.

    SearchJob and CompressionJob are bounded jobs: their work is a number of Trials, and they end. A
    ModelServer lasts, and has no trials and batches.
    """

    SEARCH = "SearchJob"
    COMPRESSION = "CompressionJob"
    SERVER = "ModelServer"

    @property
    def word(self) -> str:
        """The kind in lower case, as in labels, folders and metrics."""
        return self.value.lower()

    @property
    def noun(self) -> str:
        """What people call the work of such a job."""
        return _NOUNS[self]

    @property
    def label(self) -> str:
        """The label with the job's name on everything that is made for it."""
        return f"{GROUP}/{self.word}"

    @property
    def uid_annotation(self) -> str:
        """On a pod: uid of its job, so that pods of a deleted namesake never count."""
        return f"{GROUP}/{self.word}-uid"

    def trial_name(self, job: str, number: int) -> str:
        """Name of the Trial with this number: `<job>-t00042` of a search, `-c` of a compression."""
        return f"{job}-{_TRIAL_MARKS[self]}{number:05d}"

    def batch_name(self, job: str, number: int) -> str:
        """Name of the batch's Job: `<job>-b0003` or `<job>-k0003`; never equal to a Trial's."""
        return f"{job}-{_BATCH_MARKS[self]}{number:04d}"


_NOUNS = {Kind.SEARCH: "search", Kind.COMPRESSION: "compression"}
_TRIAL_MARKS = {Kind.SEARCH: "t", Kind.COMPRESSION: "c"}
_BATCH_MARKS = {Kind.SEARCH: "b", Kind.COMPRESSION: "k"}


def measurement_name(job: str, number: int) -> str:
    """Name of the Job that measures a round of a compression: `<job>-m0001`."""
    return f"{job}-m{number:04d}"


def batch_number(name: str) -> int:
    """The number in a batch's name, or 0 if there is none."""
    return _number_in(name, _BATCH_MARKS)


def trial_number(name: str) -> int:
    """The number in a Trial's name, or 0 if there is none."""
    return _number_in(name, _TRIAL_MARKS)


def _number_in(name: str, marks: Mapping[Kind, str]) -> int:
    last = name.rpartition("-")[2]
    mark, digits = last[:1], last[1:]
    is_number = mark in marks.values() and digits.isascii() and digits.isdigit()
    return int(digits) if is_number else 0


def job_of(labels: Mapping[str, str]) -> tuple[Kind, str] | None:
    """Kind and name of the object that something was made for, as its labels say."""
    return next(((kind, labels[kind.label]) for kind in Kind if labels.get(kind.label)), None)
