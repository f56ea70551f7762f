"""NPZ files: what is read, what is refused, and that nothing is unpickled."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tests.support.examples import examples
from winnow_trainer.data.arrays import load_arrays
from winnow_trainer.data.dataset import Dataset, ImageShape, Layout
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

X = np.arange(24, dtype=np.int16).reshape(12, 2)
Y = np.arange(12) % 3


class Trap:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def load(tmp_path: Path, target: str = "", **arrays: Any) -> Dataset:
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return load_arrays(path, target, DataKind.AUTO)


def test_rows_of_numbers_are_read(tmp_path: Path) -> None:
    dataset = load(tmp_path, X=X, y=Y)

    assert dataset.features.dtype == np.float32
    assert dataset.features.tolist() == X.tolist()
    assert dataset.classes == ("0", "1", "2")
    assert dataset.image is None


def test_another_array_may_be_the_target(tmp_path: Path) -> None:
    dataset = load(tmp_path, "price", X=X, price=np.linspace(0, 1, 12))

    assert dataset.kind is DataKind.REGRESSION


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((12, 5, 4), ImageShape(5, 4, 1, Layout.CHW)),
        ((12, 3, 5, 4), ImageShape(5, 4, 3, Layout.CHW)),
    ],
)
def test_images_are_told_by_their_shape(
    tmp_path: Path, shape: tuple[int, ...], image: ImageShape
) -> None:
    dataset = load(tmp_path, X=np.zeros(shape, np.uint8), y=Y)

    assert dataset.image == image
    assert dataset.row_shape == shape[1:]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": X}, "has no array 'y', arrays: X"),
        ({"x": X, "y": Y}, "has no array 'X', arrays: x, y"),
        ({"X": X[0], "y": Y}, "has shape (2,), allowed are (rows, numbers)"),
        ({"X": np.zeros((12, 1, 2, 2, 2)), "y": Y}, "has shape (12, 1, 2, 2, 2), allowed are"),
        ({"X": np.zeros((12, 0)), "y": Y}, "has shape (12, 0), allowed are"),
        ({"X": np.zeros((0, 2)), "y": Y[:0]}, "data.npz has no rows"),
        ({"X": X, "y": Y[:-1]}, "array y of data.npz has shape (11,), it must be (12,)"),
        ({"X": X, "y": Y[:, None]}, "has shape (12, 1), it must be (12,): one target for each row"),
        ({"X": X.astype(str), "y": Y}, "is of type <U6, it must hold numbers"),
        ({"X": X + 1j, "y": Y}, "is of type complex128, it must hold numbers"),
        ({"X": X, "y": Y + 1j}, "target 'y' is of type complex128, it must hold numbers or texts"),
        ({"X": X, "y": Y.astype("M8[s]")}, "is of type datetime64[s], it must hold numbers"),
        (
            {"X": np.where(X == 7, np.nan, X), "y": Y},
            "a value in row 4 that is not a finite number",
        ),
        ({"X": X * 1e38, "y": Y}, "that is not a finite number of 32 bits"),
        ({"X": X, "y": np.where(Y == 2, np.nan, Y)}, "target 'y' is 'nan' in row 3"),
        ({"X": X, "y": Y * 0}, "is '0' in every row: classification needs two classes"),
        ({"X": X, "y": Y.astype(object)}, "is not an NPZ file of plain numbers"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_with_a_sentence(
    tmp_path: Path, arrays: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError) as refusal:
        load(tmp_path, **arrays)

    assert words in str(refusal.value)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "unpickled"
    trap = np.array([Trap(trace)] * 12, dtype=object)

    with pytest.raises(DataError, match="allow_pickle=False"):
        load(tmp_path, X=X, y=trap)

    assert not trace.exists()


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"\x80\x04K\x01."]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)

    with pytest.raises(DataError, match="is not an NPZ file of plain numbers"):
        load_arrays(path, "", DataKind.AUTO)


def test_a_single_array_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        np.save(file, X)

    with pytest.raises(DataError, match="is not an NPZ file"):
        load_arrays(path, "", DataKind.AUTO)


def test_a_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"no array")
        archive.writestr("y.npy", b"no array")

    with pytest.raises(DataError, match="X is not an array"):
        load_arrays(path, "", DataKind.AUTO)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(2))
@given(place=st.floats(0, 0.999), byte=st.integers(0, 255), keep=st.floats(0.2, 1))
def test_no_damage_to_a_file_raises_anything_but_a_sentence(
    tmp_path: Path, place: float, byte: int, keep: float
) -> None:
    path = tmp_path / "data.npz"
    np.savez_compressed(path, X=X, y=Y)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] = byte
    path.write_bytes(content[: int(keep * len(content))])

    with contextlib.suppress(DataError):
        assert load_arrays(path, "", DataKind.AUTO).rows == 12
