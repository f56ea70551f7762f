"""The report of a search: what stands on the page, and that nothing can break out of it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.support.chart import ROOT
from tests.support.html_pages import Node, read_page
from tests.support.search_documents import TRIALS, search, trial
from winnow_measure.search_report import page, read_search
from winnow_measure.search_report.content import SearchContent
from winnow_measure.search_report.curve import best_so_far
from winnow_measure.search_report.front import front_numbers


def content(objectives: int = 2, trials: list[dict[str, Any]] | None = None) -> SearchContent:
    return read_search(search(objectives), TRIALS if trials is None else trials)


def read(made: SearchContent) -> Node:
    return read_page(page(made))


def drawings(root: Node) -> dict[str, str]:
    """What each drawing says it shows, by its title."""
    return {svg.all("title")[0].text: svg.all("desc")[0].text for svg in root.all("svg")}


def test_the_curve_is_the_best_of_those_that_can_win_in_the_order_in_which_they_ended() -> None:
    late = trial(1, 0.95, 100, completionTime="2026-01-01T09:00:00Z")
    ordered = content(1, [*TRIALS[1:], late]).valued

    assert [t.number for t in ordered] == [2, 3, 4, 5, 1]
    assert best_so_far(ordered, 0, -1) == [0.90, 0.97, 0.97, 0.97, 0.97]
    assert best_so_far(ordered[3:], 0, -1) == [None, 0.95]


def test_the_front_holds_what_no_other_beats() -> None:
    assert front_numbers(content()) == {1, 2, 3}


def test_every_drawing_says_what_it_shows() -> None:
    shown = drawings(read(content()))

    assert "The best accuracy of 5 trials is 0.97, reached after 3" in shown["Best accuracy so far"]
    assert (
        "width is the most important, with 90%"
        in shown["Importance of each parameter for parameters"]
    )
    assert "3 of 5 trials are beaten by no other" in shown["parameters against accuracy"]
    assert "5 of 5 trials over 3 parameters" in shown["Values of all trials"]


def test_a_search_of_one_objective_has_no_front() -> None:
    titles = drawings(read(content(1)))

    assert not [title for title in titles if "against" in title]


def test_winner_algorithm_failures_and_best_trials_are_told() -> None:
    text = read(content()).text

    for words in (
        "digits-t00003 has won",
        "0.97 ± 0.01",
        "Auto: TPE, 6 trials over 3 parameters",
        "maximize accuracy, minimize parameters",
        "pvc://models/x",
        "the loss is <NaN>",
        "all 6 trials have an outcome",
    ):
        assert words in text


def test_finalists_are_shown_where_they_name_the_winner() -> None:
    standing = {
        "trial": "digits-t00002",
        "values": ["0.9", "300"],
        "standardError": "0.02",
        "trainings": 3,
    }
    made = read_search(search(finalists=[standing]), TRIALS)

    assert "The best of the search, trained again" in read(made).text
    assert "accuracy 0.9, parameters 300" in read(made).text


def test_how_a_network_learnt_is_drawn_where_one_has() -> None:
    learning = [
        {"known": 16, "loss": "4.1", "entropy": "8.9", "written": 8, "meanValue": "0.81"},
        {"known": 24, "loss": "2.5", "entropy": "5.2", "written": 8, "meanValue": "0.9"},
        {"known": 32, "loss": "2.6", "entropy": "3.1"},
    ]

    drawn = read(read_search(search(1, learning=learning), TRIALS))
    without = read(read_search(search(1), TRIALS))

    assert "mean accuracy went from 0.81 to 0.9." in drawn.text
    assert "entropy went from 8.9 to 3.1." in drawn.text
    assert "How the network learnt" in drawn.text
    assert "How the network learnt" not in without.text


@pytest.mark.parametrize("trials", [[], [TRIALS[5]], [TRIALS[0]], [TRIALS[4]]])
def test_a_search_that_has_little_to_show_has_a_page_all_the_same(
    trials: list[dict[str, Any]],
) -> None:
    made = read_search({**search(), "status": {}}, trials)

    assert "the search has not ended yet" in read(made).text


def test_thousands_of_trials_make_a_page_that_a_browser_can_draw() -> None:
    many = [trial(n, 0.5 + n / 10_000, 1000 - n % 7) for n in range(1, 3001)]

    assert len(page(content(2, many))) < 2_000_000


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    root = read(content())

    names = {node.name for node in root.everything()}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "a"})


def test_texts_of_pods_and_specs_do_not_break_out() -> None:
    odd = "</style><script>alert(1)</script>&\"'"
    poisoned = trial(6, 0, 0, outcome="Failed", values=[], cause=odd, message=odd)
    named = search(2)
    named["spec"]["space"]["parameters"][2]["choice"]["values"] = [odd, "gelu"]
    named["status"]["winner"]["warning"] = odd

    root = read_page(page(read_search(named, [*TRIALS, poisoned])))

    assert root.all("script") == []
    assert root.text.count(odd) >= 3


def test_the_page_needs_the_standard_library_alone() -> None:
    program = f"import sys; sys.path[:0] = [{str(ROOT / 'trainer')!r}]; import winnow_measure.search_report"

    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False)

    assert ended.returncode == 0
