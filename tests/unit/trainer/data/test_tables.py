"""CSV files: what is read, and what is refused with which sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from winnow_trainer.data.dataset import Dataset
from winnow_trainer.data.tables import load_table
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

ROWS = "\n".join(f"{i},{i % 7}.5,{'yes' if i % 2 else 'no'}" for i in range(12))


def load(tmp_path: Path, content: str | bytes, target: str = "label") -> Dataset:
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_table(path, target, DataKind.AUTO)


def test_a_table_of_numbers_and_words_is_read(tmp_path: Path) -> None:
    dataset = load(tmp_path, f"size, weight ,label\n{ROWS}\n")

    assert dataset.columns == ("size", "weight")
    assert dataset.classes == ("no", "yes")
    assert dataset.kind is DataKind.CLASSIFICATION
    assert dataset.features[:3].tolist() == [[0, 0.5], [1, 1.5], [2, 2.5]]
    assert dataset.targets[:3].tolist() == [0, 1, 0]
    assert len(dataset.digest) == 64


def test_the_target_may_stand_anywhere(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i % 2},{i / 8}" for i in range(12))

    dataset = load(tmp_path, f"a,label,b\n{rows}\n")

    assert dataset.columns == ("a", "b")
    assert dataset.features[11].tolist() == [11, 1.375]
    assert dataset.classes == ("0", "1")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"\ufeffa,b,label\n{ROWS}\n", id="byte order mark"),
        pytest.param(f"a,b,label\r\n{ROWS}\r\n".replace("\n", "\r\n"), id="ends of Windows"),
        pytest.param(f"\n\na,b,label\n\n{ROWS}\n\n", id="blank lines"),
        pytest.param(f'"a","b","label"\n{ROWS}', id="quotes, no last end of line"),
    ],
)
def test_how_programs_write_tables_makes_no_difference(tmp_path: Path, content: str) -> None:
    dataset = load(tmp_path, content)

    assert dataset.columns == ("a", "b")
    assert dataset.rows == 12


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "table.csv is empty: give a header line and rows"),
        ("\n \n", "is empty"),
        ("a,label\n", "has a header but no rows"),
        ("a,b\n1,2\n", "data.target 'label' is no column of table.csv, columns: a, b"),
        ("a;label\n1;2\n", "data.target 'label' is no column of table.csv, columns: a;label"),
        ("label\nx\ny\n", "has no column but the target 'label': nothing to learn"),
        ("a,a,label\n1,2,x\n", "has column 'a' more than once"),
        (",a,label\n0,1,x\n", "column 1 of table.csv has no name in the header"),
        ("a,label,\n1,x,\n", "column 3 of table.csv has no name in the header"),
        ("a,label\n1,x\n2,y\nred,x\n", "holds text where a number belongs: 'red' in row 3"),
        ("a,label\n1,x\n2_0,y\n", "column 'a' of table.csv is '2_0' in row 2"),
        ("a,label\n1,x\n,y\n", "column 'a' of table.csv has no value in row 2"),
        ("a,label\n1,x\n \t,y\n", "column 'a' of table.csv has no value in row 2"),
        ("a,label\nnan,x\n2,y\n", "column 'a' of table.csv is 'nan' in row 1: not a finite number"),
        ("a,label\n1,x\ninf,y\n", "is 'inf' in row 2: not a finite number of 32 bits"),
        ("a,label\n1,x\n1e39,y\n", "is '1e39' in row 2: not a finite number of 32 bits"),
        ("a,b,label\n1,2,x\n3\n", "column 'b' of table.csv has no value in row 2"),
        ("a,label\n1,x\n2,y,z\n3,x\n", "Expected 2 fields in line 3, saw 3"),
        ("a,label\n1,x,1\n2,y,2\n", "rows of table.csv have more fields than its header"),
        ("a,label\n1,\n2,\n", "target 'label' is '' in row 1: every row needs a target"),
        ("a,label\n1,x\n2,\n3,y\n", "target 'label' is '' in row 2: every row needs a target"),
        ("a,label\n1,x\n2\n", "target 'label' is '' in row 2: every row needs a target"),
        ("a,label\n1,x\n2,x\n3,x\n", "is 'x' in every row: classification needs two classes"),
        ("a,label\n1,7\n2,7\n3,7\n", "is '7' in every row: classification needs two classes"),
        ("a,label\n1,.5\n2,.5\n", "target 'label' is 0.5 in every row: nothing to learn"),
        ("a,label\n1,x\n2,y\n3,z\n", "has 3 classes in 3 rows: too few rows for each"),
        ("a,label\n1,x\n".encode("utf-16"), "is not a CSV file in UTF-8"),
        (b"a,label\n1,x\n2,\xe9\n", "table.csv is not a CSV file in UTF-8: 'utf-8' codec"),
        (b'a,label\n1,"x\n2,y\n', "table.csv is not a CSV file in UTF-8: Error tokenizing data"),
        (b"PK\x03\x04\x00\xff\xfe", "is not a CSV file in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(DataError) as refusal:
        load(tmp_path, content)

    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_a_table_without_a_target_lists_its_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.target is empty, allowed are the columns of"):
        load(tmp_path, f"a,b,label\n{ROWS}\n", target="")


def test_a_wide_table_lists_some_columns_only(tmp_path: Path) -> None:
    header = ",".join(f"column_{i}" for i in range(1000))

    with pytest.raises(DataError, match=r"column_19, \.\.\.$"):
        load(tmp_path, f"{header}\n", target="label")


def test_numbers_are_read_to_the_nearest_of_32_bits(tmp_path: Path) -> None:
    values = np.random.Generator(np.random.PCG64(1)).normal(size=200) * 1e3
    rows = "\n".join(f"{value!r},{i % 2}" for i, value in enumerate(values.tolist()))

    dataset = load(tmp_path, f"a,label\n{rows}\n")

    np.testing.assert_array_max_ulp(dataset.features[:, 0], values.astype(np.float32))
