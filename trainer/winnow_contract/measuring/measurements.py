"""The measurement file: which models the measuring pod of one round compares, and how (JSON).

The operator writes it into an annotation of the pod, as it does with assignments; what the pod
answers is in `measured`. At most 16 models, the baseline among them: what has to be said about more does
not fit into one termination message.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from winnow_contract.assignments import (
    JobIdentity,
    ObjectiveSpec,
    job_document,
    read_job,
    read_objective,
)
from winnow_contract.choosing.goals import (
    MAX_BATCH_SIZE,
    MAX_BATCH_SIZES,
    Goal,
    goal_document,
    parse_goals,
    parse_prefer,
)
from winnow_contract.documents import Entries, read_document
from winnow_contract.errors import AssignmentsError, GoalError
from winnow_contract.version import CONTRACT_VERSION

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_MODELS",
    "MEASUREMENT",
    "Earlier",
    "MeasuredModel",
    "Measurement",
    "Values",
    "decode_measurement",
    "encode_measurement",
]

MEASUREMENT = "Measurement"
MAX_MODELS = 16
MAX_FILE_BYTES = 200_000
"""Size of the file: all annotations of an object together have 256 KiB."""
_FILE = "the measurement file"

Values = Mapping[str, tuple[float, float | None]]
"""Value and standard error by key, `accuracy` or `latency_p95_seconds@64`."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """An artifact that is to be measured."""

    number: int
    """Number of its Trial."""
    name: str
    """Name of its Trial."""
    candidate: str
    uri: str
    """Folder of the artifact as it was built, `pvc://claim/path`."""
    digest: str
    """sha256 of its manifest in hex."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A candidate with an outcome already: the report shows it beside those of this round."""

    number: int
    name: str
    candidate: str
    round: int = 1
    """The round that measured it; 0 if none did, because it was never built."""
    outcome: str = "Succeeded"
    cause: str = ""
    message: str = ""
    uri: str = ""
    digest: str = ""
    """sha256 of its manifest in hex; empty without an artifact."""
    values: Values | None = None
    baseline: Values | None = None
    """What the baseline measured in the same round, where it differs from what is recorded of it."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The whole file."""

    job: JobIdentity
    round: int
    baseline: MeasuredModel
    candidates: tuple[MeasuredModel, ...]
    objective: ObjectiveSpec
    """The quality metric by which epochs were kept, first in the status."""
    batch_sizes: tuple[int, ...] = (1,)
    threads: int = 1
    repetitions: int = 5
    goals: tuple[Goal, ...] = ()
    prefer: tuple[str, ...] = ()
    """Keys, the most important first."""
    earlier: tuple[Earlier, ...] = ()
    recorded: Values | None = None
    """What is recorded of the baseline, once a round has measured it."""
    recorded_round: int = 1
    """That round."""

    @property
    def models(self) -> tuple[MeasuredModel, ...]:
        """All that is measured, the baseline first."""
        return (self.baseline, *self.candidates)


def encode_measurement(measurement: Measurement) -> str:
    """The file as compact JSON; what is too long of earlier rounds is left out, the oldest first.

    Raises:
        AssignmentsError: if there are more models than one round measures.
    """
    if len(measurement.models) > MAX_MODELS:
        raise AssignmentsError(
            f"one round measures {MAX_MODELS} models, the baseline among them, not "
            f"{len(measurement.models)}: make several rounds"
        )
    document = _document(measurement)
    keys: list[str] = document["keys"]
    entries = [_earlier_document(entry, keys) for entry in measurement.earlier]
    room = MAX_FILE_BYTES - len(_json(document).encode())
    return _json({**document, "earlier": _newest(entries, room)})


def _newest(entries: Sequence[Document], room: int) -> Sequence[Document]:
    """The entries at the end that fit into so many bytes, each with a comma."""
    kept = len(entries)
    while kept > 0:
        room -= len(_json(entries[kept - 1]).encode()) + 1
        if room < 0:
            break
        kept -= 1
    return entries[kept:]


def _document(measurement: Measurement) -> Document:
    """All but earlier candidates; of figures the keys stand once, the others in their order."""
    keys = _keys(measurement)
    document: Document = {
        "contractVersion": CONTRACT_VERSION,
        "kind": MEASUREMENT,
        "job": job_document(measurement.job),
        "round": measurement.round,
        "objective": {
            "metric": measurement.objective.metric,
            "goal": measurement.objective.goal,
        },
        "baseline": _model_document(measurement.baseline),
        "candidates": [_model_document(model) for model in measurement.candidates],
        "batchSizes": list(measurement.batch_sizes),
        "threads": measurement.threads,
        "repetitions": measurement.repetitions,
        "goals": [goal_document(goal) for goal in measurement.goals],
        "prefer": list(measurement.prefer),
        "keys": keys,
        "earlier": [],
    }
    if measurement.recorded is not None:
        document["recorded"] = _column(measurement.recorded, keys)
        document["recordedRound"] = measurement.recorded_round
    return document


def _keys(measurement: Measurement) -> list[str]:
    listed = [measurement.recorded]
    for entry in measurement.earlier:
        listed += [entry.values, entry.baseline]
    return list(dict.fromkeys(key for values in listed for key in values or ()))


def _column(values: Values, keys: Sequence[str]) -> list[list[float] | None]:
    """A value and its error for each key, up to the last that there is."""
    pairs = [values.get(key) for key in keys]
    while pairs and pairs[-1] is None:
        pairs.pop()
    return [None if pair is None else [n for n in pair if n is not None] for pair in pairs]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _model_document(model: MeasuredModel) -> Document:
    return {
        "number": model.number,
        "name": model.name,
        "candidate": model.candidate,
        "uri": model.uri,
        "digest": model.digest,
    }


def _earlier_document(entry: Earlier, keys: Sequence[str]) -> Document:
    texts = {"cause": entry.cause, "message": entry.message}
    texts |= {"uri": entry.uri, "digest": entry.digest}
    document: Document = {
        "number": entry.number,
        "name": entry.name,
        "candidate": entry.candidate,
        "round": entry.round,
        "outcome": entry.outcome,
        **{name: text for name, text in texts.items() if text},
    }
    for name, values in (("values", entry.values), ("baseline", entry.baseline)):
        if values is not None:
            document[name] = _column(values, keys)
    return document


def decode_measurement(text: str) -> Measurement:
    """Read the file.

    Raises:
        ContractVersionError: if it is of a version that this code does not read.
        AssignmentsError: if it is not such a file.
    """
    entries = read_document(text, _FILE)
    if entries.text("kind") != MEASUREMENT:
        raise AssignmentsError(f"'kind' of {_FILE} is not {MEASUREMENT}")
    batch_sizes = _batch_sizes(entries)
    try:
        goals = parse_goals([goal.document for goal in entries.items("goals")], batch_sizes)
        prefer = parse_prefer(_texts(entries, "prefer"), batch_sizes)
    except GoalError as error:
        raise AssignmentsError(str(error)) from error
    keys = _texts(entries, "keys")
    measurement = Measurement(
        job=read_job(entries),
        round=entries.whole("round", minimum=1),
        baseline=_model(entries.below("baseline")),
        candidates=tuple(map(_model, entries.items("candidates"))),
        objective=read_objective(entries.below("objective")),
        batch_sizes=batch_sizes,
        threads=entries.whole("threads", minimum=1),
        repetitions=entries.whole("repetitions", minimum=1),
        goals=goals,
        prefer=prefer,
        earlier=tuple(_earlier(item, keys) for item in entries.items("earlier")),
        recorded=_values(entries, "recorded", keys),
        recorded_round=(
            entries.whole("recordedRound", minimum=1) if "recorded" in entries.document else 1
        ),
    )
    _check_numbers(measurement)
    return measurement


def _check_numbers(measurement: Measurement) -> None:
    numbers = [model.number for model in measurement.models]
    if len(numbers) > MAX_MODELS or len(set(numbers)) < len(numbers):
        raise AssignmentsError(
            f"{_FILE} names {len(numbers)} models, allowed are {MAX_MODELS}, each once"
        )


def _batch_sizes(entries: Entries) -> tuple[int, ...]:
    sizes = entries.document.get("batchSizes")
    is_list = isinstance(sizes, list) and 1 <= len(sizes) <= MAX_BATCH_SIZES
    if not is_list or not all(type(n) is int and 1 <= n <= MAX_BATCH_SIZE for n in sizes or ()):
        raise AssignmentsError(
            f"'batchSizes' of {_FILE} must be 1 to {MAX_BATCH_SIZES} whole numbers from 1 to "
            f"{MAX_BATCH_SIZE}"
        )
    return tuple(sizes or ())


def _texts(entries: Entries, key: str) -> Sequence[str]:
    listed = entries.document.get(key)
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise AssignmentsError(f"{key!r} of {_FILE} must be a list of texts")
    return listed


def _model(item: Entries) -> MeasuredModel:
    return MeasuredModel(
        number=item.whole("number", minimum=1),
        name=item.name_of_trial("name"),
        candidate=item.text("candidate"),
        uri=item.claim_uri("uri"),
        digest=item.digest("digest"),
    )


def _earlier(item: Entries, keys: Sequence[str]) -> Earlier:
    has_artifact = "uri" in item.document
    return Earlier(
        number=item.whole("number", minimum=1),
        name=item.name_of_trial("name"),
        candidate=item.text("candidate"),
        round=item.whole("round", minimum=0),
        outcome=item.text("outcome"),
        cause=item.text("cause") if "cause" in item.document else "",
        message=item.text("message") if "message" in item.document else "",
        uri=item.claim_uri("uri") if has_artifact else "",
        digest=item.digest("digest") if has_artifact else "",
        values=_values(item, "values", keys),
        baseline=_values(item, "baseline", keys),
    )


def _values(item: Entries, name: str, keys: Sequence[str]) -> Values | None:
    if name not in item.document:
        return None
    column = item.document[name]
    if not isinstance(column, list) or len(column) > len(keys):
        raise AssignmentsError(f"{name!r} of {_FILE} must be a list of at most {len(keys)} figures")
    pairs = zip(keys, column, strict=False)
    return {key: _pair(pair, f"{name}.{key[:63]}") for key, pair in pairs if pair is not None}


def _pair(pair: object, where: str) -> tuple[float, float | None]:
    if not isinstance(pair, list) or len(pair) not in {1, 2} or not all(map(_is_number, pair)):
        raise AssignmentsError(f"{where} of {_FILE} must be a value and its error")
    return float(pair[0]), float(pair[1]) if len(pair) > 1 else None


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)  # type: ignore[arg-type]  # it is a number
