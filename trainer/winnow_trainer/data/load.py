"""From a data source to a checked data set."""

from __future__ import annotations

from pathlib import Path

from winnow_contract.uris import BuiltinUri, ClaimUri
from winnow_trainer.data.builtin import load_builtin
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.errors import DataError, storage_error
from winnow_trainer.task import DataSource


def load_data(source: DataSource, claims: Path) -> Dataset:
    """Read and check the data of a job.

    Args:
        source: what the task says.
        claims: folder where claims are mounted by name.

    Raises:
        DataError: if it cannot be used, whatever is tried.
        DeniedError: if this user may not read it.
        StorageError: if the storage that it lies on is away.
    """
    if isinstance(source.location, BuiltinUri):
        return load_builtin(source.location.name, source.kind)
    try:
        return _load_file(source, source.location, claims)
    except OSError as error:
        raise storage_error(error, f"{source.uri} cannot be read") from error
    except MemoryError as error:
        raise DataError(
            f"{source.uri} does not fit into memory: raise the memory of container trial in "
            "podTemplate, or give fewer rows"
        ) from error


def _load_file(source: DataSource, location: ClaimUri, claims: Path) -> Dataset:
    if not (claims / location.claim).is_dir():
        mounted = ", ".join(sorted(path.name for path in claims.glob("*"))) or "none"
        raise DataError(
            f"claim {location.claim!r} of {source.uri} is not mounted, mounted: {mounted}"
        )
    path = location.local(claims)
    if not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "not there"
        raise DataError(f"{source.uri} is {what}: put a CSV or NPZ file on claim {location.claim}")
    match path.suffix.lower():
        case ".csv":
            # pandas takes half a second to import, and only tables need it.
            from winnow_trainer.data.tables import load_table

            return load_table(path, source.target, source.kind)
        case ".npz":
            from winnow_trainer.data.arrays import load_arrays

            return load_arrays(path, source.target, source.kind)
        case suffix:
            raise DataError(f"{source.uri} ends with {suffix!r}, allowed are .csv and .npz")
