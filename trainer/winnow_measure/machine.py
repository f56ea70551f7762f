"""What measured: the processor, the runtime and its threads, for people who read the figures."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import onnxruntime

from winnow_contract.version import RELEASE

__all__ = ["describe_machine"]

PROCESSORS = Path("/proc/cpuinfo")
INTEGER_INSTRUCTIONS = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "asimddp": "dot product",
    "i8mm": "i8mm",
}
"""What makes int8 faster than float; without any, quantization saves space alone."""


def describe_machine(processors: Path = PROCESSORS) -> dict[str, str]:
    """Facts by name, in the order in which they are shown."""
    try:
        text = processors.read_text()
    except OSError:
        text = ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    known = set(flags[1].split()) if flags else set()
    integer = [words for flag, words in INTEGER_INSTRUCTIONS.items() if flag in known]
    return {
        "processor": name[1] if name else platform.machine(),
        "cores": str(os.cpu_count() or 1),
        "integer instructions": ", ".join(integer) or "none that are known",
        "ONNX Runtime": str(onnxruntime.__version__),
        "winnow": RELEASE,
    }
