"""Reading the files that the operator hands to a pod: JSON objects, entry by entry, with checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.errors import AssignmentsError, ContractVersionError, UriError
from winnow_contract.uris import parse_claim
from winnow_contract.version import accepted_text, is_accepted

__all__ = ["Entries", "read_document"]

_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_WORDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}


@dataclass(frozen=True, slots=True)
class Entries:
    """An object of a file, whose entries are checked as they are read.

    All methods raise AssignmentsError, naming the entry and what it must be.
    """

    document: Mapping[str, Any]
    file: str
    """What it is called in sentences."""

    def text(self, key: str) -> str:
        """A text."""
        return str(self._entry(key, str))

    def mapping(self, key: str) -> dict[str, Any]:
        """An object as it is."""
        return dict(self._entry(key, dict))

    def whole(self, key: str, *, minimum: int | None = None) -> int:
        """A whole number."""
        value = self._entry(key, int)
        if isinstance(value, bool):
            raise AssignmentsError(f"{key!r} of {self.file} must be a whole number")
        if minimum is not None and value < minimum:
            raise AssignmentsError(f"{key!r} is {value}, it must be at least {minimum}")
        return int(value)

    def below(self, key: str) -> Entries:
        """An object, to be read in turn."""
        return Entries(self.mapping(key), self.file)

    def items(self, key: str) -> Iterator[Entries]:
        """The objects of a list."""
        listed = self._entry(key, list)
        if not all(isinstance(item, dict) for item in listed):
            raise AssignmentsError(f"{key!r} of {self.file} must be a list of objects")
        return (Entries(item, self.file) for item in listed)

    def name_of_trial(self, key: str) -> str:
        """The name of a Trial; it becomes a folder."""
        name = self.text(key)
        if not _NAME.fullmatch(name):
            raise AssignmentsError(f"{name!r} is not the name of a Trial")
        return name

    def digest(self, key: str) -> str:
        """A sha256 in hex."""
        digest = self.text(key)
        if not _DIGEST.fullmatch(digest):
            raise AssignmentsError(f"{key!r} is {digest[:80]!r}, not a sha256 in hex")
        return digest

    def claim_uri(self, key: str) -> str:
        """A path on a claim."""
        uri = self.text(key)
        try:
            parse_claim(uri)
        except UriError as error:
            raise AssignmentsError(f"{key!r}: {error}") from error
        return uri

    def _entry(self, key: str, kind: type) -> Any:
        value = self.document.get(key)
        if not isinstance(value, kind):
            raise AssignmentsError(f"{key!r} of {self.file} must be {_WORDS[kind]}")
        return value


def read_document(text: str, file: str) -> Entries:
    """The object that a whole file is.

    Raises:
        ContractVersionError: if it is of a version that this code does not read.
        AssignmentsError: if it is not such a file.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AssignmentsError(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise AssignmentsError(f"{file} is not a JSON object")
    version = document.get("contractVersion")
    if not is_accepted(version):
        raise ContractVersionError(
            f"the operator speaks contract version {version!r}, this image speaks "
            f"{accepted_text()}: use an operator and an image of the same release"
        )
    return Entries(document, file)
