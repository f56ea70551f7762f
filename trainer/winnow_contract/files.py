"""Files that are there whole or not at all: written beside their place, synced, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

CHUNK_BYTES = 1 << 20

_AWAY = frozenset(
    {
        errno.EDQUOT,
        errno.EIO,
        errno.ENODEV,
        errno.ENOSPC,
        errno.ENOTCONN,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)


def is_storage_away(error: BaseException) -> bool:
    """Whether an error says that storage is full, gone or read-only: time may mend it."""
    return isinstance(error, OSError) and error.errno in _AWAY


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that no reader, now or after a power cut, sees half of it.

    Raises:
        OSError: if the storage does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # The rename itself is only durable once the folder is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_digest(path: Path) -> str:
    """The sha256 of a file in hex.

    Raises:
        OSError: if it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_in_place(path: Path, content: bytes) -> None:
    """Replace what stands in a file that cannot be renamed over (a mounted file).

    Whoever reads it at any moment finds the old text or the new one followed by spaces, never a
    mixture that ends early: one write covers what stood there before.

    Raises:
        OSError: if it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        before = os.fstat(descriptor).st_size
        padded = content.ljust(before)
        if os.pwrite(descriptor, padded, 0) < len(padded):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.truncate(descriptor, len(content))
    finally:
        os.close(descriptor)
