"""How far a canary's answers may differ, and what is read from its probe's pods."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.comparing import Compared, encode_compared
from winnow_operator.api.modelserver import CanaryChecks
from winnow_operator.api.modelserver_status import AgreementStatus
from winnow_operator.domain.servers.agreement import (
    Probed,
    check_agreement,
    is_checked,
    read_probed,
)


def verdict(equal: int, rows: int, least: str = "0.9", message: str = "") -> tuple[str, str]:
    found = AgreementStatus(rows=rows, equal=equal, message=message)
    check = check_agreement(CanaryChecks(min_agreement=least), found, Probed())
    return str(check.verdict), check.message


@pytest.mark.parametrize(
    ("equal", "rows", "least", "wanted"),
    [
        (256, 256, "0.9", "Passed"),
        (231, 256, "0.9", "Passed"),
        (229, 256, "0.9", "Failed"),
        (7, 8, "0.9", "Passed"),  # one row of a few: nothing can be said of a tenth of it
        (6, 8, "0.9", "Failed"),
        (255, 256, "1", "Failed"),
        (256, 256, "1", "Passed"),
        (100, 256, "0.3", "Passed"),
    ],
)
def test_a_share_of_the_answers_may_differ(equal: int, rows: int, least: str, wanted: str) -> None:
    assert verdict(equal, rows, least)[0] == wanted


def test_the_figures_and_the_setting_are_named() -> None:
    _, words = verdict(200, 256, message="32 rows got no answer: 500: broken")

    assert "200 of 256 recorded rows got the answer of the one that serves (78.1%)" in words
    assert "a share of 0.9 (canary.checks.minAgreement)" in words
    assert "32 rows got no answer: 500: broken" in words


def test_models_that_cannot_be_compared_fail_in_plain_words() -> None:
    found, words = verdict(0, 0, message="it has rows FP32 [-1, 32] -> outputs FP32 [-1, 10]")

    assert found == "Failed"
    assert "cannot be compared with the one that serves: it has rows FP32 [-1, 32]" in words


@given(st.integers(1, 1024), st.data())
def test_more_equal_answers_never_turn_a_pass_into_a_failure(
    rows: int, data: st.DataObject
) -> None:
    equal = data.draw(st.integers(0, rows - 1))
    least = data.draw(st.decimals("0.001", "1", places=3))

    passed = [verdict(n, rows, str(least))[0] == "Passed" for n in (equal, equal + 1, rows)]

    assert passed == sorted(passed)
    assert passed[-1]


def test_zero_turns_the_check_off() -> None:
    assert is_checked(CanaryChecks())
    assert not is_checked(CanaryChecks(min_agreement="0"))
    assert not is_checked(CanaryChecks(min_agreement="0.000"))


def test_what_is_not_known_yet_is_inconclusive_and_says_what_the_probe_says() -> None:
    waits = check_agreement(CanaryChecks(), None, Probed(words="image cannot be pulled"))

    assert str(waits.verdict) == "Inconclusive"
    assert waits.message.endswith("image cannot be pulled")


def pod(created: int, *, phase: str = "Failed", **states: Any) -> dict[str, Any]:
    """A pod of a probe, as the API server holds it."""
    return {
        "metadata": {"creationTimestamp": f"2026-01-31T12:00:{created:02d}Z"},
        "status": {
            "phase": phase,
            "initContainerStatuses": [{"name": "fetch", "state": states.get("fetch", {})}],
            "containerStatuses": [{"name": "compare", "state": states.get("compare", {})}],
        },
    }


def ended(code: int, message: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": "Error", "message": message}}


DONE = ended(0, encode_compared(Compared(256, 250)))


def test_the_result_of_any_pod_counts() -> None:
    failed = pod(2, compare=ended(75, "does not answer"))
    done = pod(1, phase="Succeeded", compare=DONE)

    assert read_probed([failed, done]).agreement == AgreementStatus(rows=256, equal=250)


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ([], ""),
        ([pod(1, phase="Running", compare={"running": {}})], ""),
        ([pod(1, compare=ended(75, "the canary does not answer"))], "the canary does not answer"),
        ([pod(1, fetch=ended(65, "no artifact"))], "no artifact (exit code 65)"),
        (
            [pod(1, compare=ended(75, "first")), pod(2, compare=ended(75, "second"))],
            "second (exit code 75)",
        ),
        ([pod(1, phase="Succeeded", compare=ended(0, "hello"))], "no JSON"),
    ],
)
def test_without_a_result_the_newest_pod_is_repeated(
    bodies: list[dict[str, Any]], words: str
) -> None:
    found = read_probed(bodies)

    assert found.agreement is None
    assert words in found.words
