"""Where data is looked for, and what an absence means."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow_contract.uris import parse_uri
from winnow_trainer.data.load import load_data
from winnow_trainer.errors import DataError, StorageError, storage_error
from winnow_trainer.task import DataSource


def source(uri: str) -> DataSource:
    return DataSource(uri, parse_uri(uri), "label")


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    (tmp_path / "tables" / "folder.csv").mkdir(parents=True)
    (tmp_path / "tables" / "notes.txt").write_text("no table")
    rows = "".join(f"{i},{i % 2}\n" for i in range(12))
    (tmp_path / "tables" / "Good.CSV").write_text(f"a,label\n{rows}")
    return tmp_path


def test_a_file_is_found_on_its_claim_whatever_the_case_of_its_ending(claims: Path) -> None:
    assert load_data(source("pvc://tables/Good.CSV"), claims).rows == 12


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("pvc://other/x.csv", "claim 'other' of pvc://other/x.csv is not mounted, mounted: tables"),
        ("pvc://tables/x.csv", "is not there: put a CSV or NPZ file on claim tables"),
        ("pvc://tables/folder.csv", "is a folder, not a file"),
        ("pvc://tables", "is a folder, not a file"),
        ("pvc://tables/notes.txt", "ends with '.txt', allowed are .csv and .npz"),
    ],
)
def test_what_is_not_there_is_named(claims: Path, uri: str, words: str) -> None:
    with pytest.raises(DataError) as refusal:
        load_data(source(uri), claims)

    assert words in str(refusal.value)


def test_a_claim_that_fails_while_it_is_read_is_away(
    claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> bool:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(Path, "is_file", gone)

    with pytest.raises(StorageError, match="cannot be read: Stale file handle"):
        load_data(source("pvc://tables/Good.CSV"), claims)


def test_storage_that_refuses_says_to_whom() -> None:
    error = storage_error(PermissionError(13, "Permission denied"), "the artifact cannot be read")

    assert error.cause == "StorageDenied"
    assert "Permission denied; trials run as user " in str(error)
