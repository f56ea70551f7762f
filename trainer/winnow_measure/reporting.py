"""The report of a round: from its result and the manifests to what the page is made from.

The choice is made from the figures as the operator will record them, so that the page and the
status say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from winnow_contract.manifests import MANIFEST_NAME, MAX_BYTES, MEASUREMENTS
from winnow_contract.measured import MeasuredCandidate, MeasurementResult
from winnow_contract.measurements import Earlier, MeasuredModel, Measurement, Values
from winnow_contract.selection import Candidate, Choice, choose, of_baseline
from winnow_contract.uris import parse_claim
from winnow_measure.report import Entry, ReportInput

__all__ = ["Manifests", "choice_of", "report_input"]

Document = Mapping[str, Any]


class Manifests:
    """Manifests by URI, read for their words alone; one that cannot be read is empty.

    Args:
        claims: folder where claims are mounted by name.
    """

    def __init__(self, claims: Path) -> None:
        self._claims = claims

    def read(self, uri: str) -> Document:
        """The manifest of the artifact at a URI."""
        if not uri:
            return {}
        path = parse_claim(uri).local(self._claims) / MANIFEST_NAME
        try:
            content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
            document = json.loads(content)
        except (OSError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


def choice_of(measurement: Measurement, result: MeasurementResult) -> Choice:
    """The choice among all that was measured, of this round and of earlier ones.

    Args:
        measurement: with the goals, and with what is known of earlier rounds.
        result: as it is recorded (`as_recorded`).
    """
    values = {c.number: c.values for c in result.candidates if c.outcome == "Succeeded"}
    names = {model.number: model.candidate for model in measurement.models}
    baseline = measurement.baseline
    base = values[baseline.number]
    candidates = {
        number: Candidate(number, names[number], mine, base)
        for number, mine in values.items()
        if number != baseline.number
    }
    for earlier in measurement.earlier:
        if _counts(earlier, measurement):
            candidates.setdefault(earlier.number, _earlier_candidate(earlier))
    return choose(
        of_baseline(baseline.number, baseline.candidate, base),
        candidates.values(),
        goals=measurement.goals,
        prefer=measurement.prefer,
    )


def _counts(earlier: Earlier, measurement: Measurement) -> bool:
    is_measured = earlier.outcome == "Succeeded" and earlier.values is not None
    return is_measured and earlier.number != measurement.baseline.number


def _earlier_candidate(earlier: Earlier) -> Candidate:
    return Candidate(
        earlier.number, earlier.candidate, earlier.values or {}, earlier.baseline or {}
    )


def report_input(
    measurement: Measurement, result: MeasurementResult, manifests: Manifests, artifacts_uri: str
) -> ReportInput:
    """What the page is made from.

    Args:
        measurement: what the round was about.
        result: as it is recorded, the baseline Succeeded.
        manifests: of the artifacts.
        artifacts_uri: of the job's artifacts.
    """
    entries = tuple(_entries(measurement, result, manifests, artifacts_uri))
    (base,) = (entry for entry in entries if entry.number == measurement.baseline.number)
    document = manifests.read(base.uri)
    measured = _mapping(document, MEASUREMENTS)
    source = base.lineage[0] if base.lineage else {}
    rows = measured.get("validationRows")
    return ReportInput(
        job=measurement.job,
        created_at=str(measured.get("measuredAt", "")),
        source_uri=str(source.get("uri", measurement.baseline.uri)),
        source_digest=str(source.get("digest", measurement.baseline.digest)),
        quality=measurement.objective.metric,
        entries=entries,
        choice=choice_of(measurement, result),
        goals=measurement.goals,
        prefer=measurement.prefer,
        batch_sizes=measurement.batch_sizes,
        threads=measurement.threads,
        repetitions=measurement.repetitions,
        baseline=measurement.baseline.number,
        task=_mapping(document, "task"),
        machine={key: str(value) for key, value in _mapping(measured, "machine").items()},
        validation_rows=rows if isinstance(rows, int) else None,
    )


def _entries(
    measurement: Measurement, result: MeasurementResult, manifests: Manifests, artifacts_uri: str
) -> Iterator[Entry]:
    models = {model.number: model for model in measurement.models}
    base = next(c for c in result.candidates if c.number == measurement.baseline.number)
    for candidate in result.candidates:
        model = models[candidate.number]
        uri = model.uri
        if candidate.digest:
            uri = f"{artifacts_uri}/{model.name}/{candidate.attempt or result.attempt}"
        yield _entry(model, candidate, uri, manifests.read(uri), (measurement.round, base.values))
    for earlier in measurement.earlier:
        if earlier.number not in models:
            yield _earlier_entry(earlier, manifests.read(earlier.uri))


def _entry(
    model: MeasuredModel,
    candidate: MeasuredCandidate,
    uri: str,
    document: Document,
    beside: tuple[int, Values],
) -> Entry:
    """An entry of this round; `beside` is its number and the baseline's values in it."""
    return Entry(
        number=model.number,
        name=model.candidate,
        steps=_objects(document, "steps"),
        outcome=candidate.outcome,
        cause=candidate.cause,
        message=candidate.message,
        values=candidate.values,
        baseline=beside[1],
        test=candidate.test,
        claims=_mapping(document, "claims"),
        lineage=_objects(document, "lineage"),
        uri=uri,
        digest=candidate.digest or model.digest,
        round=beside[0],
    )


def _earlier_entry(earlier: Earlier, document: Document) -> Entry:
    return Entry(
        number=earlier.number,
        name=earlier.candidate,
        steps=_objects(document, "steps"),
        outcome=earlier.outcome,
        cause=earlier.cause,
        message=earlier.message,
        values=earlier.values or {},
        baseline=earlier.baseline or {},
        claims=_mapping(document, "claims"),
        lineage=_objects(document, "lineage"),
        uri=earlier.uri,
        digest=earlier.digest,
        round=earlier.round,
    )


def _mapping(document: Document, key: str) -> Document:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _objects(document: Document, key: str) -> tuple[Document, ...]:
    value = document.get(key)
    return (
        tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
    )
