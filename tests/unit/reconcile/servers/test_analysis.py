"""Asking about rollouts in the background: nobody waits, and nothing is asked too often."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tests.support.loop_clock import LoopClock
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.servers.loads import NOT_YET, Question, Vector
from winnow_operator.errors import NoAnswerError
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers.analysis import PERIOD_SECONDS, Analysis

pytestmark = pytest.mark.looptime

KEY = Key("team", "digits", Kind.SERVER)
QUESTION = Question("team", "digits", serving=1, canary=2, since="2026-01-31T12:00:00Z")
ANSWER: dict[str, Vector] = {
    "serving": (({"code": "200"}, 300.0),),
    "canary": (({"code": "200"}, 100.0),),
    "serving_p95": (({}, 0.01),),
    "canary_p95": (({}, 0.01),),
}


class Slow:
    """Answers after a while."""

    def __init__(self, seconds: float = 1.0, *, fails: bool = False) -> None:
        self.seconds, self.fails, self.asked = seconds, fails, 0

    async def ask(self, queries: Mapping[str, str]) -> dict[str, Vector]:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise NoAnswerError("Prometheus does not answer: TimeoutError")
        return {name: ANSWER[name] for name in queries}


def analysis(asks: Slow) -> tuple[Analysis, list[Key]]:
    woken: list[Key] = []
    return Analysis(asks, LoopClock(), woken.append), woken


async def test_a_question_is_answered_later_and_wakes_who_has_asked() -> None:
    asked = Slow()
    analyst, woken = analysis(asked)

    first = analyst.loads(KEY, QUESTION)
    again = analyst.loads(KEY, QUESTION)
    await asyncio.sleep(1.1)

    assert first is again is NOT_YET
    assert woken == [KEY]
    assert analyst.loads(KEY, QUESTION).weight == 0.25
    assert asked.asked == 1


async def test_the_same_is_asked_again_after_its_time_and_the_old_answer_counts_meanwhile() -> None:
    asked = Slow()
    analyst, _ = analysis(asked)
    analyst.loads(KEY, QUESTION)
    await asyncio.sleep(1.1 + PERIOD_SECONDS)

    assert analyst.loads(KEY, QUESTION).weight == 0.25
    await asyncio.sleep(1.1)
    assert asked.asked == 2
    await analyst.close()


async def test_an_answer_about_another_step_does_not_count() -> None:
    analyst, _ = analysis(Slow())
    analyst.loads(KEY, QUESTION)
    await asyncio.sleep(1.1)
    later = Question("team", "digits", serving=1, canary=3, since="2026-01-31T13:00:00Z")

    assert analyst.loads(KEY, later) is NOT_YET
    await analyst.close()


async def test_no_answer_is_something_to_pass_on_and_no_error() -> None:
    analyst, woken = analysis(Slow(fails=True))
    analyst.loads(KEY, QUESTION)
    await asyncio.sleep(1.1)

    assert woken == [KEY]
    assert "does not answer" in analyst.loads(KEY, QUESTION).problem
    await analyst.close()


async def test_questions_that_are_out_end_with_the_operator() -> None:
    analyst, woken = analysis(Slow(seconds=3600))
    analyst.loads(KEY, QUESTION)

    await analyst.close()

    assert woken == []
