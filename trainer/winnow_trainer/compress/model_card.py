"""README.md of an artifact: what the model is, how it is run, how good it is, where it comes from.

Written from the manifest and model.json alone, so it says what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from winnow_contract.measuring.amounts import count_text
from winnow_measure.report.steps import chain_words, step_words

SHOWN_CLASSES = 10
"""Classes that are named one by one."""
SHOWN_DIGEST = 12

_RUN = """\
```python
import numpy
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
rows = numpy.zeros((1, {shape}), dtype=numpy.float32)
(outputs,) = session.run(None, {{session.get_inputs()[0].name: rows}})
```
"""


def model_card(manifest: Mapping[str, Any], description: Mapping[str, Any]) -> str:
    """The card, in Markdown.

    Args:
        manifest: of the artifact, without its files.
        description: content of model.json.
    """
    sections = (
        _head(manifest, description),
        _use(description),
        _quality(manifest),
        _steps(manifest),
        _data(manifest),
        _limits(manifest),
        _origin(manifest),
    )
    return "\n".join("\n".join(section) for section in sections)


def _head(manifest: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    job, figures = manifest["job"], manifest["metrics"]
    yield f"# {job['name']}/{manifest['candidate']}"
    yield ""
    yield (
        f"{description['family']} of {count_text(figures['parameters'])} parameters and "
        f"{count_text(figures['operations'])} multiply-adds for a row, as an ONNX graph. Made by "
        f"{job['kind']} {job['namespace']}/{job['name']}: {chain_words(manifest['steps'])}."
    )
    yield ""


def _use(description: Mapping[str, Any]) -> Iterator[str]:
    shape = description["input"]["shape"]
    yield "## How to run it"
    yield ""
    yield _RUN.format(shape=", ".join(str(size) for size in shape))
    columns = description.get("columns") or []
    order = f" in the order {', '.join(columns)}" if columns else ""
    yield (
        f"Rows are raw, as the data has them{order}: what standardises them is part of the graph. "
        f"Any number of rows is allowed at a time. {_outputs(description)}"
    )
    yield ""


def _outputs(description: Mapping[str, Any]) -> str:
    classes = description.get("classes") or []
    if not classes:
        return "The output of a row is the value, in the unit of the data."
    named = ", ".join(str(name) for name in classes[:SHOWN_CLASSES])
    more = ", ..." if len(classes) > SHOWN_CLASSES else ""
    return (
        f"Outputs are {len(classes)} logits, of the classes {named}{more} in this order; the "
        "largest is the guess, and softmax makes probabilities of them."
    )


def _quality(manifest: Mapping[str, Any]) -> Iterator[str]:
    entries = {(entry["metric"], entry["split"]): entry for entry in manifest["values"]}
    yield "## How good it is"
    yield ""
    yield "Counted when it was built. What was measured in the serving runtime, if it was, stands"
    yield "in `measurements.json`."
    yield ""
    yield "| metric | validation | test |"
    yield "| --- | --- | --- |"
    for metric in dict.fromkeys(metric for metric, _ in entries):
        cells = (_cell(entries.get((metric, split))) for split in ("validation", "test"))
        yield f"| {metric} | {' | '.join(cells)} |"
    yield ""
    yield "After +- stands one standard error. Choices are made on validation rows alone."
    yield ""


def _cell(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return ""
    error = entry["standardError"]
    return f"{entry['value']:.4g}" + (f" +- {error:.2g}" if error is not None else "")


def _steps(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## What was done to it"
    yield ""
    if not manifest["steps"]:
        yield "Nothing: this is the source as it came, as an ONNX graph."
    for number, step in enumerate(manifest["steps"], 1):
        yield f"{number}. {step_words(step)}"
        for sentence in step["report"].get("sentences", ()):
            yield f"   - {sentence}"
    yield ""


def _data(manifest: Mapping[str, Any]) -> Iterator[str]:
    data, evaluation = manifest["task"]["data"], manifest["task"]["evaluation"]
    rows = evaluation["rows"]
    yield "## The data"
    yield ""
    target = f", target {data['target']}" if data["target"] else ""
    yield (
        f"{data['uri']} (sha256 {_short(data['sha256'])}){target}: {data['rows']} rows, of which "
        f"{rows['train']} were trained on, {rows['validation']} compared by and {rows['test']} "
        "kept for the test."
    )
    yield ""


def _limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    claims = manifest["claims"]
    yield "## Limits"
    yield ""
    yield "- Its figures hold for rows like those of the data; nothing is known of others."
    if claims.get("masked"):
        yield (
            "- Weights that were pruned are zeros in tensors of the same shape: the model is "
            "neither smaller nor faster for it."
        )
    if claims.get("integerLayers"):
        yield (
            "- Its integer kernels are fast on processors with instructions for them (AVX512-VNNI "
            "and the like); on others it may be no faster than 32 bits."
        )
    yield ""


def _origin(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Where it comes from"
    yield ""
    yield "| model | manifest's sha256 | seed | where |"
    yield "| --- | --- | --- | --- |"
    for entry in manifest["lineage"]:
        trial = entry.get("trial") or {}
        name = entry.get("candidate") or entry["kind"]
        yield (
            f"| {name} | {_short(entry['digest'])} | {trial.get('seed', '')} "
            f"| {entry.get('uri', '')} |"
        )
    yield f"| this one | | {manifest['trial']['seed']} | |"
    yield ""
    yield f"Made with {_versions(manifest['environment'])}.\n"


def _versions(environment: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in environment.items())


def _short(digest: str) -> str:
    return f"`{digest[:SHOWN_DIGEST]}`"
