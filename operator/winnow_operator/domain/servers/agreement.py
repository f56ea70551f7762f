"""Whether a canary answers as the revision that serves does: what a probe has found, and what follows.

Two models of one task differ, the better ones too, so that a share of the answers may; and where there
are few recorded rows, the share is rounded to whole rows in the canary's favour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from winnow_contract.comparing import decode_compared
from winnow_contract.errors import ResultError
from winnow_contract.exit_codes import ExitCode
from winnow_operator.api.modelserver import CanaryChecks
from winnow_operator.api.modelserver_status import AgreementStatus, CheckStatus, CheckVerdict
from winnow_operator.domain.pods import termination_of, why_waiting
from winnow_operator.domain.servers.pods import FETCH, container_of, words_of

PROBE = "compare"
"""Name of the container that asks both revisions."""
NAME = "Agreement"


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe has said so far."""

    agreement: AgreementStatus | None = None
    """What it has found."""
    words: str = ""
    """Why it has found nothing yet, if anybody says."""


def is_checked(checks: CanaryChecks) -> bool:
    """Whether agreement is looked at; a least share of 0 turns it off."""
    return Decimal(checks.min_agreement) > 0


def check_agreement(
    checks: CanaryChecks, agreement: AgreementStatus | None, probed: Probed
) -> CheckStatus:
    """What the check says.

    Args:
        checks: what a canary must keep.
        agreement: what is remembered of this step.
        probed: what the probe says, where nothing is remembered yet.
    """
    if agreement is None:
        words = "both revisions are asked for the same recorded rows"
        return _said(
            CheckVerdict.INCONCLUSIVE, f"{words}: {probed.words}" if probed.words else words
        )
    if not agreement.rows:
        words = (
            f"it cannot be compared with the one that serves: {agreement.message}; give it a "
            "ModelServer of its own, or set canary.checks.minAgreement to 0"
        )
        return _said(CheckVerdict.FAILED, words)
    differ, least = agreement.rows - agreement.equal, Decimal(checks.min_agreement)
    allowed = int(((1 - least) * agreement.rows).to_integral_value(ROUND_CEILING))
    words = (
        f"{agreement.equal} of {agreement.rows} recorded rows got the answer of the one that serves "
        f"({agreement.equal / agreement.rows:.1%}), wanted is a share of {least} "
        "(canary.checks.minAgreement)"
    )
    words = f"{words}; {agreement.message}" if agreement.message else words
    return _said(CheckVerdict.FAILED if differ > allowed else CheckVerdict.PASSED, words)


def _said(verdict: CheckVerdict, words: str) -> CheckStatus:
    return CheckStatus(name=NAME, verdict=verdict, message=words[:256])


def read_probed(bodies: Iterable[Mapping[str, Any]]) -> Probed:
    """What the pods of a probe say: the first result, else the words of the newest pod."""
    latest = Probed()
    for body in sorted(bodies, key=lambda b: str(b["metadata"].get("creationTimestamp", ""))):
        found = _read_pod(body.get("status") or {})
        if found.agreement is not None:
            return found
        latest = found if found.words else latest
    return latest


def _read_pod(status: Mapping[str, Any]) -> Probed:
    fetch = container_of(status.get("initContainerStatuses"), FETCH)
    probe = container_of(status.get("containerStatuses"), PROBE)
    ended = termination_of(probe.get("state") or {})
    if ended is not None and ended.exit_code == ExitCode.OK:
        return _read_result(ended.message)
    failed = ended or termination_of(fetch.get("state") or {})
    if failed is not None and failed.exit_code != ExitCode.OK:
        return Probed(words=words_of(failed))
    blockage = why_waiting(status, fetch) or why_waiting(status, probe)
    return Probed(words="" if blockage is None else blockage.message)


def _read_result(message: str) -> Probed:
    try:
        found = decode_compared(message)
    except ResultError as error:
        return Probed(words=str(error))
    agreement = AgreementStatus(rows=found.rows, equal=found.equal, message=found.problem)
    return Probed(agreement)
