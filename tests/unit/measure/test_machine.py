"""What is said of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow_measure.machine import describe_machine

X86 = "model name\t: Processor 9000\nflags\t\t: fpu avx512_vnni avx2\n"
ARM = "Features\t: fp asimd asimddp i8mm\n"


@pytest.mark.parametrize(
    ("text", "integer"),
    [
        (X86, "AVX512-VNNI"),
        (ARM, "dot product, i8mm"),
        ("flags : fpu\n", "none that are known"),
        ("", "none that are known"),
    ],
)
def test_what_makes_integers_fast_is_named(tmp_path: Path, text: str, integer: str) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text)

    found = describe_machine(file)

    assert found["integer instructions"] == integer
    assert found["ONNX Runtime"].count(".") == 2
    assert found["processor"] == ("Processor 9000" if text == X86 else found["processor"])


def test_a_machine_that_says_nothing_is_described_all_the_same(tmp_path: Path) -> None:
    assert describe_machine(tmp_path / "none")["processor"]
