"""A model in ONNX Runtime, set up as it is served: threads, optimisations, no spinning.

A spinning pool answers a little faster and burns whole cores between requests; in a pod with a CPU
limit that is throttled, and the measurement with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from winnow_runtime.artifacts import Tensor
from winnow_runtime.errors import ModelError

__all__ = ["BoundRun", "Session", "outputs_of"]

CANNOT_RUN = "CannotRun"
LOG_ERRORS_ONLY = 3
_SHOWN = 300
"""Characters of a runtime's own words that a sentence repeats."""


class Session:
    """A loaded model.

    Args:
        path: of the ONNX file.
        threads: of the runtime's pool; with one, the caller's thread does the work.
        profile_into: folder for the runtime's record of what it executes; None: no record.

    Raises:
        ModelError: with cause CannotRun, if the runtime does not take the file.
    """

    def __init__(self, path: Path, threads: int, profile_into: Path | None = None) -> None:
        options = _options(threads)
        if profile_into is not None:
            options.enable_profiling = True
            options.profile_file_prefix = str(profile_into / "profile")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelError(
                CANNOT_RUN, f"ONNX Runtime cannot load {path.name}: {_words(error)}"
            ) from error
        self._input = _only_input(self._session.get_inputs())
        # The wrapper around it looks each time for devices that are not here: a quarter of the time
        # of a small model.
        self._run = self._session._sess.run  # noqa: SLF001 -- what `InferenceSession.run` calls
        self.input_name = str(self._input.name)
        self.output_name = str(self._session.get_outputs()[0].name)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row of the input."""
        return tuple(int(size) for size in self._input.shape[1:])

    def run(self, rows: Tensor) -> Tensor:
        """Outputs for some rows, the first output if there are several.

        Args:
            rows: (rows, *row_shape), 32 bits.

        Raises:
            ModelError: with cause CannotRun.
        """
        try:
            outputs: Tensor = self._run([self.output_name], {self.input_name: rows}, None)[0]
        except Exception as error:
            raise _cannot_run(rows, error) from error
        return outputs

    def bound(self, example: Tensor) -> BoundRun | None:
        """Runs of as many rows as an example has, in memory that the runtime is shown once.

        Args:
            example: (rows, ...) float32.

        Raises:
            ModelError: with cause CannotRun.

        Returns:
            None for a model with other outputs than float32.
        """
        outputs = self.run(example)
        if outputs.dtype != np.float32:
            return None
        memory = BoundRun(np.zeros(example.shape, np.float32), np.zeros(outputs.shape, np.float32))
        binding = self._session.io_binding()
        binding.bind_input(
            self.input_name, "cpu", 0, np.float32, example.shape, memory.inputs.ctypes.data
        )
        binding.bind_output(
            self.output_name, "cpu", 0, np.float32, outputs.shape, memory.outputs.ctypes.data
        )
        run = self._session._sess.run_with_iobinding  # noqa: SLF001 -- as in `run`
        memory.compute = partial(run, binding._iobinding, None)  # noqa: SLF001 -- the same
        return memory

    def end_profiling(self) -> Path:
        """Close the record of what was executed; gives its file."""
        return Path(self._session.end_profiling())


@dataclass(slots=True)
class BoundRun:
    """A model for a fixed number of rows; not for two threads at one time.

    To hand arrays over, and to make new ones for the outputs, takes the runtime up to a sixth of a
    small model's run.
    """

    inputs: Tensor
    outputs: Tensor
    compute: Callable[[], object] = lambda: None
    """Fills the outputs."""

    def __call__(self, rows: Tensor) -> Tensor:
        """Outputs for as many rows as the memory is for, as `Session.run` gives them.

        Raises:
            ModelError: with cause CannotRun.
        """
        self.inputs[:] = rows
        try:
            self.compute()
        except Exception as error:
            raise _cannot_run(rows, error) from error
        return self.outputs.copy()


def _cannot_run(rows: Tensor, error: Exception) -> ModelError:
    words = f"ONNX Runtime cannot run the model on {len(rows)} rows: {_words(error)}"
    return ModelError(CANNOT_RUN, words)


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = LOG_ERRORS_ONLY
    return options


def _only_input(inputs: Any) -> Any:
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        given = ", ".join(f"{item.name} {item.type}" for item in inputs) or "none"
        raise ModelError(
            CANNOT_RUN, f"the model must have one input tensor(float), it has {given[:_SHOWN]}"
        )
    batch, *row = inputs[0].shape or ("",)
    if isinstance(batch, int) or not row or not all(isinstance(size, int) for size in row):
        raise ModelError(
            CANNOT_RUN,
            f"the model's input has shape {inputs[0].shape}; the first dimension must be open, for "
            "any batch size, and the others fixed: export it with a dynamic batch dimension",
        )
    return inputs[0]


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:_SHOWN] or type(error).__name__


def outputs_of(session: Session, rows: Tensor, at_once: int) -> npt.NDArray[np.float64]:
    """Outputs for any number of rows, (rows, outputs) in 64 bits.

    Args:
        session: of the model.
        rows: (rows, ...) raw.
        at_once: rows of one pass. Memory grows with them, and the outputs of a model whose
            activations are quantized on the fly depend on what goes in together.

    Raises:
        ModelError: with cause NaN if one is not finite, CannotRun if the model cannot be run.
    """
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    pieces = [session.run(rows[start : start + at_once]) for start in range(0, len(rows), at_once)]
    outputs = np.concatenate(pieces).astype(np.float64)
    if outputs.ndim != 2 or len(outputs) != len(rows):  # noqa: PLR2004 -- rows and outputs
        raise ModelError(
            CANNOT_RUN, f"the outputs of {len(rows)} rows have shape {outputs.shape}, not (rows, n)"
        )
    if not np.isfinite(outputs).all():
        raise ModelError("NaN", "the model's outputs are not finite numbers in ONNX Runtime")
    return outputs
