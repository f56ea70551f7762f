"""The pod book: what ended is kept until it is read, whatever order events come in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.podfacts import DONE, pod_fact
from winnow_operator.api.conditions import Reason
from winnow_operator.domain.pods import Blockage
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import Key

JOB = Key("blue", "digits")
ENDED = pod_fact(phase="Succeeded", termination=DONE)


def phases(book: PodBook, uid: str = "u1") -> dict[str, str]:
    return {pod.uid: pod.phase for pod in book.pods(JOB, uid)}


def test_a_new_pod_is_news_and_the_same_again_is_not() -> None:
    book = PodBook()

    assert book.put(pod_fact()) is True
    assert book.put(pod_fact()) is False


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "Succeeded"},
        {"termination": DONE},
        {"deleting": True},
        {"disrupted": True},
        {"blockage": Blockage(Reason.IMAGE_PULL, "no such image")},
        {"image": "x@sha256:1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_reconcile_would_act_on_is_news(change: dict[str, object]) -> None:
    book = PodBook()
    book.put(pod_fact())

    assert book.put(pod_fact(**change)) is True


def test_a_pod_that_ended_is_kept_when_it_is_deleted() -> None:
    book = PodBook()
    book.put(ENDED)

    book.remove(ENDED)

    (pod,) = book.pods(JOB, "u1")
    assert (pod.phase, pod.termination, pod.deleting) == ("Succeeded", DONE, True)


def test_a_pod_whose_first_event_is_its_deletion_is_kept_if_it_ended() -> None:
    book = PodBook()

    book.remove(ENDED)
    book.remove(pod_fact(uid="p2"))

    assert phases(book) == {"p1": "Succeeded"}


def test_a_pod_that_ended_is_kept_even_if_its_deletion_shows_it_running() -> None:
    book = PodBook()
    book.put(ENDED)

    book.remove(pod_fact())

    assert phases(book) == {"p1": "Succeeded"}


def test_a_running_pod_that_is_deleted_is_forgotten() -> None:
    book = PodBook()
    book.put(pod_fact())

    book.remove(pod_fact(deleting=True))

    assert phases(book) == {}
    assert book.jobs() == [], "no memory is left of it"


def test_a_late_event_does_not_make_an_ended_pod_run_again() -> None:
    book = PodBook()
    book.put(ENDED)

    assert book.put(pod_fact()) is False

    assert phases(book) == {"p1": "Succeeded"}


def test_pods_of_a_deleted_namesake_do_not_count() -> None:
    book = PodBook()
    book.put(pod_fact(uid="old", job_uid="u0"))
    book.put(pod_fact())

    assert phases(book) == {"p1": "Running"}
    assert phases(book, "u0") == {"old": "Running"}


def test_the_pods_of_a_batch_that_is_over_are_forgotten() -> None:
    book = PodBook()
    book.put(ENDED)
    book.put(pod_fact(uid="p2", batch_uid="b2"))

    book.drop(JOB, {"b1"})
    assert phases(book) == {"p2": "Running"}

    book.drop(JOB, {"b2"})
    assert book.jobs() == []


def test_what_comes_of_a_dropped_pod_is_no_news_and_brings_it_not_back() -> None:
    book = PodBook()
    book.put(ENDED)
    book.drop(JOB, {"b1"})

    assert book.put(replace(ENDED, deleting=True)) is False
    assert book.remove(ENDED) is False
    assert phases(book) == {}


def test_a_new_job_of_the_same_name_is_not_bound_by_what_was_dropped() -> None:
    book = PodBook()
    book.put(ENDED)
    book.drop(JOB, {"b1"})
    book.forget(JOB)

    assert book.put(ENDED) is True


def test_a_list_heals_what_the_watch_has_missed() -> None:
    book = PodBook()
    for uid in ("stays", "gone", "ended"):
        book.put(pod_fact(uid=uid))
    book.put(pod_fact(uid="read", phase="Succeeded"))
    asked = book.live(JOB)
    book.put(pod_fact(uid="new"))  # comes while the list is on its way
    found = [pod_fact(uid="stays"), pod_fact(uid="ended", phase="Failed"), pod_fact(uid="unseen")]

    assert book.confirm(JOB, asked, found) is True

    assert phases(book) == {
        "stays": "Running",
        "ended": "Failed",
        "read": "Succeeded",
        "new": "Running",
        "unseen": "Running",
    }
    assert book.confirm(JOB, {"stays"}, [pod_fact(uid="stays")]) is False


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove"]),
        st.sampled_from(["p1", "p2"]),
        st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]),
    ),
    max_size=30,
)


@given(events=EVENTS)
def test_once_seen_ended_a_pod_is_never_lost_before_it_is_dropped(
    events: list[tuple[str, str, str]],
) -> None:
    book, ended = PodBook(), set()
    for what, uid, phase in events:
        pod = pod_fact(uid=uid, phase=phase)
        if what == "put":
            book.put(pod)
        else:
            book.remove(pod)
        if pod.is_terminal:
            ended.add(uid)

        assert {p.uid for p in book.pods(JOB, "u1") if p.is_terminal} == ended

    book.forget(JOB)
    assert book.pods(JOB, "u1") == []
