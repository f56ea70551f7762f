"""The report of a round: from its result and the manifests to what the page is made from.

The choice is made from the figures as the operator will record them, so that the page and the
status say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from winnow_contract.choosing.recorded import Recorded, as_candidate, choose_recorded, differing
from winnow_contract.choosing.selection import Candidate, Choice
from winnow_contract.manifests import MANIFEST_NAME, MAX_BYTES, MEASUREMENTS
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult
from winnow_contract.measuring.measurements import Earlier, MeasuredModel, Measurement, Values
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
    found = {c.number: c.values for c in result.candidates if c.outcome == "Succeeded"}
    baseline = _baseline(measurement, found)
    beside = differing(found[baseline.number], baseline, measurement.round)
    others = {
        model.number: Recorded(
            model.number, model.candidate, found[model.number], beside, measurement.round
        )
        for model in measurement.candidates
        if model.number in found
    }
    for earlier in measurement.earlier:
        if earlier.outcome == "Succeeded" and earlier.values is not None:
            others.setdefault(earlier.number, _recorded(earlier, earlier.values))
    return choose_recorded(
        baseline, others.values(), goals=measurement.goals, prefer=measurement.prefer
    )


def _baseline(measurement: Measurement, found: Mapping[int, Values]) -> Recorded:
    """The baseline as its Trial has it, or will have it after this round."""
    model = measurement.baseline
    if measurement.recorded is None:
        return Recorded(model.number, model.candidate, found[model.number], round=measurement.round)
    values, index = measurement.recorded, measurement.recorded_round
    return Recorded(model.number, model.candidate, values, round=index)


def _recorded(earlier: Earlier, values: Values) -> Recorded:
    beside = earlier.baseline or {}
    return Recorded(earlier.number, earlier.candidate, values, beside, earlier.round)


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
    found = {c.number: c.values for c in result.candidates}
    recorded = _baseline(measurement, found)
    beside = found[recorded.number]
    for candidate in result.candidates:
        model = models[candidate.number]
        uri = model.uri
        if candidate.digest:
            uri = f"{artifacts_uri}/{model.name}/{candidate.attempt or result.attempt}"
        entry = _entry(model, candidate, uri, manifests.read(uri), (measurement.round, beside))
        if model is measurement.baseline:  # it is shown as it counts: as its Trial has it
            entry = replace(entry, values=recorded.values, baseline=recorded.values)
        yield entry
    for earlier in measurement.earlier:
        if earlier.number not in models:
            known = as_candidate(_recorded(earlier, earlier.values or {}), recorded)
            yield _earlier_entry(earlier, known, manifests.read(earlier.uri))


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


def _earlier_entry(earlier: Earlier, known: Candidate, document: Document) -> Entry:
    return Entry(
        number=earlier.number,
        name=earlier.candidate,
        steps=_objects(document, "steps"),
        outcome=earlier.outcome,
        cause=earlier.cause,
        message=earlier.message,
        values=known.values,
        baseline=known.baseline,
        test=_test_values(document),
        claims=_mapping(document, "claims"),
        lineage=_objects(document, "lineage"),
        uri=earlier.uri,
        digest=earlier.digest,
        round=earlier.round,
    )


def _test_values(document: Document) -> Values:
    """The figures of the test split, as the manifest of a final artifact has them."""
    entries = [e for e in _objects(document, "values") if e.get("split") == "test"]
    pairs = {str(e.get("metric")): (e.get("value"), e.get("standardError")) for e in entries}
    return {
        metric: (float(value), float(error) if isinstance(error, int | float) else None)
        for metric, (value, error) in pairs.items()
        if isinstance(value, int | float)
    }


def _mapping(document: Document, key: str) -> Document:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _objects(document: Document, key: str) -> tuple[Document, ...]:
    value = document.get(key)
    return (
        tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
    )
