"""Files are there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from winnow_contract.files import file_digest, is_storage_away, write_file, write_in_place

contents = st.binary(max_size=200)


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    write_file(tmp_path / "a/b/c.json", b"{}")

    assert (tmp_path / "a/b/c.json").read_bytes() == b"{}"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["c.json"]


def test_what_stood_there_before_stays_until_the_new_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.json"
    write_file(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, b"new")

    assert path.read_bytes() == b"old"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(contents, min_size=1, max_size=4))
def test_a_file_that_is_replaced_in_place_holds_the_last_content_alone(
    tmp_path: Path, written: list[bytes]
) -> None:
    path = tmp_path / "log"
    for content in written:
        write_in_place(path, content)

    assert path.read_bytes() == written[-1]


def test_a_write_that_is_cut_short_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwrite", lambda _descriptor, content, _offset: len(content) - 1)

    with pytest.raises(OSError, match="No space left on device") as failure:
        write_in_place(tmp_path / "log", b"result")

    assert is_storage_away(failure.value)


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_text("abc")

    assert file_digest(path).startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (OSError(errno.ESTALE, "stale"), True),
        (OSError(errno.EROFS, "read-only"), True),
        (PermissionError(errno.EACCES, "denied"), False),
        (FileNotFoundError(errno.ENOENT, "missing"), False),
        (ValueError("no error of storage"), False),
    ],
)
def test_storage_that_is_away_is_told_from_what_time_does_not_mend(
    error: Exception, *, away: bool
) -> None:
    assert is_storage_away(error) is away
