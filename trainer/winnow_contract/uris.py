"""Where data and artifacts lie: `pvc://CLAIM/PATH` and `builtin://NAME`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from winnow_contract.errors import UriError

__all__ = ["BUILTIN_DATA", "BuiltinUri", "ClaimUri", "UriError", "parse_claim", "parse_uri"]

BUILTIN_DATA = ("digits", "breast_cancer", "wine", "diabetes", "mnist5k")
"""Data sets that come with the trainer image."""

_CLAIM = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")


@dataclass(frozen=True, slots=True)
class BuiltinUri:
    """A data set of the trainer image."""

    name: str


@dataclass(frozen=True, slots=True)
class ClaimUri:
    """A path on a PersistentVolumeClaim of the job's namespace."""

    claim: str
    path: str

    def local(self, claims_root: str | os.PathLike[str]) -> Path:
        """Path below the folder where claims are mounted by name."""
        return Path(claims_root) / self.claim / self.path


def parse_uri(text: str) -> BuiltinUri | ClaimUri:
    """What a URI points at.

    Raises:
        UriError: naming the value and the allowed forms.
    """
    if text.startswith("builtin://"):
        return _builtin(text.removeprefix("builtin://"))
    if text.startswith("pvc://"):
        return parse_claim(text)
    raise UriError(f"{text!r} is not known: allowed are builtin://NAME and pvc://CLAIM/PATH")


def _builtin(name: str) -> BuiltinUri:
    if name not in BUILTIN_DATA:
        allowed = ", ".join(f"builtin://{known}" for known in BUILTIN_DATA)
        raise UriError(f"'builtin://{name}' is not known: allowed are {allowed}")
    return BuiltinUri(name)


def parse_claim(text: str) -> ClaimUri:
    """Claim and path of a `pvc://` URI; the path never leaves the claim.

    Raises:
        UriError: if the claim's name is not one, or the path has `..` in it.
    """
    claim, _, path = text.removeprefix("pvc://").partition("/")
    if not text.startswith("pvc://") or not _CLAIM.match(claim):
        raise UriError(f"{text!r} does not name a claim: write pvc://CLAIM/PATH")
    parts = PurePosixPath(path).parts
    if not path.isprintable():
        raise UriError(f"{text!r} has characters in its path that cannot be printed")
    if ".." in parts or path.startswith("/"):
        raise UriError(f"{text!r} leaves the claim: '..' is not allowed in the path")
    return ClaimUri(claim, "/".join(parts))
