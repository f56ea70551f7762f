"""Following running trials in the background: nobody waits, and only news has a job looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tests.support.loop_clock import LoopClock
from winnow_operator.domain.searches.trial_metrics import TrialQuestion
from winnow_operator.domain.servers.loads import Vector
from winnow_operator.errors import NoAnswerError
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.searches.trialfeed import (
    LIVE_SECONDS,
    PATIENCE,
    RUNGS_SECONDS,
    TrialFeed,
)

pytestmark = pytest.mark.looptime

KEY = Key("team", "digits")
WITH_RUNGS = TrialQuestion("team", "u1", "accuracy", is_higher_better=True, wants_rungs=True)
WITHOUT = TrialQuestion("team", "u1", "accuracy", is_higher_better=True, wants_rungs=False)


class Told:
    """Answers after a second with what it is told to."""

    def __init__(self) -> None:
        self.best, self.rung, self.fails, self.asked = 0.5, 0.0, False, 0
        self.bug: Exception | None = None

    async def ask(self, queries: Mapping[str, str]) -> dict[str, Vector]:
        self.asked += 1
        await asyncio.sleep(1)
        if self.bug is not None:
            raise self.bug
        if self.fails:
            raise NoAnswerError(f"Prometheus does not answer: TimeoutError {self.asked}")
        labels = {"trial": "digits-t00001", "attempt": "a", "rung": "1"}
        known: dict[str, Vector] = {
            "count": (({}, 1.0),),
            "best": ((labels, self.best),),
            "step": (),
            "rungs": ((labels, self.rung),) if self.rung else (),
        }
        return {name: known[name] for name in queries}


def feed_of(told: Told) -> tuple[TrialFeed, list[Key]]:
    woken: list[Key] = []
    return TrialFeed(told, LoopClock(), woken.append), woken


async def test_a_look_never_waits_and_is_told_when_there_is_an_answer() -> None:
    feed, woken = feed_of(Told())

    assert feed.heard(KEY, WITH_RUNGS) is None
    await asyncio.sleep(1.1)

    assert woken == [KEY]
    heard = feed.heard(KEY, WITH_RUNGS)
    assert heard is not None
    assert heard.is_scraped
    await feed.close()


async def test_a_value_at_a_rung_is_news_and_a_better_value_now_and_then() -> None:
    told = Told()
    feed, woken = feed_of(told)
    feed.heard(KEY, WITH_RUNGS)
    await asyncio.sleep(1.1)
    for better in range(4):
        told.best += 0.01 * better
        await asyncio.sleep(RUNGS_SECONDS + 1)
    assert len(woken) == 1

    told.rung = 0.7
    await asyncio.sleep(RUNGS_SECONDS + 1.1)
    assert len(woken) == 2
    await asyncio.sleep(LIVE_SECONDS)
    assert len(woken) == 2  # nothing is new
    told.best = 0.9
    await asyncio.sleep(RUNGS_SECONDS + 1.1)
    assert len(woken) == 3
    await feed.close()


async def test_without_rungs_it_asks_more_seldom() -> None:
    told = Told()
    feed, _ = feed_of(told)
    feed.heard(KEY, WITHOUT)
    await asyncio.sleep(LIVE_SECONDS * 3)

    assert told.asked == 3
    await feed.close()


async def test_a_job_that_is_forgotten_is_asked_about_no_more() -> None:
    told = Told()
    feed, woken = feed_of(told)
    feed.heard(KEY, WITH_RUNGS)
    await asyncio.sleep(0.5)
    feed.forget(KEY)
    await asyncio.sleep(60)

    assert (told.asked, woken) == (1, [])
    feed.forget(KEY)


async def test_another_job_of_the_same_name_is_asked_about_anew() -> None:
    feed, _ = feed_of(Told())
    feed.heard(KEY, WITH_RUNGS)
    await asyncio.sleep(1.1)

    other = TrialQuestion("team", "u2", "accuracy", is_higher_better=True, wants_rungs=True)

    assert feed.heard(KEY, other) is None
    await feed.close()


async def test_no_answer_is_said_once_it_has_failed_several_times_and_asked_for_again() -> None:
    told = Told()
    told.fails = True
    feed, woken = feed_of(told)
    feed.heard(KEY, WITHOUT)
    await asyncio.sleep(1.1)
    assert feed.heard(KEY, WITHOUT) is None
    await asyncio.sleep((PATIENCE - 1) * (RUNGS_SECONDS + 1))
    heard = feed.heard(KEY, WITHOUT)
    assert heard is not None
    assert "TimeoutError" in heard.problem
    await asyncio.sleep(RUNGS_SECONDS + 1)
    assert woken == [KEY]  # other words for the same are no news

    told.fails = False
    await asyncio.sleep(RUNGS_SECONDS + 1.1)

    heard = feed.heard(KEY, WITHOUT)
    assert heard is not None
    assert heard.is_scraped
    assert len(woken) == 2
    await feed.close()


async def test_no_answer_is_said_though_no_trial_runs_for_several_questions() -> None:
    told = Told()
    told.fails = True
    feed, woken = feed_of(told)
    for turn in range(PATIENCE):
        assert len(woken) == 0, turn
        feed.heard(KEY, WITHOUT)
        await asyncio.sleep(2)
        heard = feed.heard(KEY, WITHOUT)
        feed.forget(KEY)

    assert heard is not None
    assert heard.problem
    assert woken == [KEY]
    await feed.close()


async def test_questions_about_many_jobs_that_fail_at_one_moment_count_once() -> None:
    told = Told()
    told.fails = True
    feed, woken = feed_of(told)
    for name in "abc":
        feed.heard(Key("team", name), WITHOUT)
    await asyncio.sleep(1.1)
    told.fails = False
    await asyncio.sleep(RUNGS_SECONDS + 1)

    heard = [feed.heard(Key("team", name), WITHOUT) for name in "abc"]

    assert all(one is not None and one.is_scraped for one in heard)
    assert len(woken) == 3  # once for each: of what it has
    await feed.close()


async def test_single_answers_that_fail_are_no_news_however_many_there_are() -> None:
    told = Told()
    feed, woken = feed_of(told)
    feed.heard(KEY, WITH_RUNGS)
    await asyncio.sleep(1.1)
    for turn in range(3 * PATIENCE):
        told.fails = turn % PATIENCE != 0  # never as many as that without one between
        await asyncio.sleep(RUNGS_SECONDS + 1)

        heard = feed.heard(KEY, WITH_RUNGS)
        assert heard is not None
        assert heard.is_scraped

    assert woken == [KEY]
    await feed.close()


async def test_where_there_is_no_prometheus_nothing_is_asked() -> None:
    feed = TrialFeed(None, LoopClock(), lambda _: None)

    assert not feed.is_configured
    assert feed.heard(KEY, WITH_RUNGS) is None


async def test_a_job_is_followed_anew_after_an_answer_that_nobody_can_read() -> None:
    told = Told()
    feed, _ = feed_of(told)
    told.bug = RuntimeError("a bug")
    feed.heard(KEY, WITH_RUNGS)
    await asyncio.sleep(1.1)
    told.bug = None
    assert feed.heard(KEY, WITH_RUNGS) is None

    await asyncio.sleep(1.1)

    heard = feed.heard(KEY, WITH_RUNGS)
    assert heard is not None
    assert heard.is_scraped
    await feed.close()
