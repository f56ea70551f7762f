"""A round that was measured already: found again after a restart, and given again at once.

`<artifacts>/report/<round>/round.json` is written when everything else of the round is there. A
pod that is started again for the same round (its node was lost, say, after the work was done)
gives the same result, so that a model is never measured twice into two truths.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from winnow_contract.errors import ManifestError, ResultError
from winnow_contract.files import write_file
from winnow_contract.manifests import read_artifact
from winnow_contract.measuring.measured import MeasurementResult, decode_measured, encode_measured
from winnow_contract.measuring.measurements import Measurement

__all__ = ["find_round", "report_folder", "write_round"]

ROUND = "round.json"


def report_folder(artifacts: Path, measurement: Measurement) -> Path:
    """Where the report of a round lies."""
    return artifacts / "report" / str(measurement.round)


def _identity(measurement: Measurement) -> str:
    """What makes two rounds the same: what is measured and how, not what is wanted of it."""
    what = [
        measurement.job.uid,
        measurement.round,
        [[model.number, model.digest] for model in measurement.models],
        list(measurement.batch_sizes),
        measurement.threads,
        measurement.repetitions,
    ]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def write_round(artifacts: Path, measurement: Measurement, result: MeasurementResult) -> None:
    """Commit a round.

    Raises:
        OSError: if the storage does not take it.
    """
    document = {"measures": _identity(measurement), "result": encode_measured(result)}
    path = report_folder(artifacts, measurement) / ROUND
    write_file(path, json.dumps(document, indent=1).encode())


def find_round(artifacts: Path, measurement: Measurement) -> MeasurementResult | None:
    """The result of the same round, if it is there with all of its artifacts.

    Raises:
        OSError: if the storage cannot be read.
    """
    try:
        document = json.loads((report_folder(artifacts, measurement) / ROUND).read_bytes())
        if document["measures"] != _identity(measurement):
            return None
        result = decode_measured(document["result"])
        _check_artifacts(artifacts, measurement, result)
    except (FileNotFoundError, ManifestError, ResultError):
        return None
    except (ValueError, KeyError, TypeError):  # half a file, or somebody else's
        return None
    return result


def _check_artifacts(artifacts: Path, measurement: Measurement, result: MeasurementResult) -> None:
    names = {model.number: model.name for model in measurement.models}
    if names.keys() != {candidate.number for candidate in result.candidates}:
        raise ManifestError("the round has other models")
    for candidate in result.candidates:
        if candidate.digest:
            attempt = candidate.attempt or result.attempt
            read_artifact(artifacts / names[candidate.number] / attempt, candidate.digest)
