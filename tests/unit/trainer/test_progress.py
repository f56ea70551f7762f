"""The lines of the pod's log, the series of the metrics page, and the stop."""

from __future__ import annotations

import threading

import pytest

from winnow_contract.metrics_page import MetricsPage
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_contract.rungbook import RungBook, TrialStopped
from winnow_contract.stopping import ASHA, STEPS, StoppingRule
from winnow_trainer.errors import TrialError
from winnow_trainer.progress import Limits, TrialWatch, say_outcome
from winnow_trainer.training import Epoch


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(capsys: pytest.CaptureFixture[str], epochs: int, seconds_each: float) -> list[str]:
    clock, page = Clock(), MetricsPage()
    watch = TrialWatch("t1", "accuracy", page, threading.Event(), clock)
    for number in range(1, epochs + 1):
        clock.now += seconds_each
        watch.after_epoch(Epoch(number, epochs, 0.25, 0.9, seconds_each))
    return capsys.readouterr().out.splitlines()


def test_slow_epochs_have_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    shown = lines(capsys, epochs=4, seconds_each=1.5)

    assert len(shown) == 4
    assert shown[0] == "trial t1 epoch 1/4 loss 0.25 accuracy 0.9 (1.5 s/epoch)"


def test_quick_epochs_have_a_line_per_second_and_one_for_the_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = lines(capsys, epochs=30, seconds_each=0.125)

    assert [line.split()[3] for line in shown] == ["8/30", "16/30", "24/30", "30/30"]


def test_every_epoch_is_on_the_metrics_page(capsys: pytest.CaptureFixture[str]) -> None:
    page = MetricsPage()
    watch = TrialWatch("t1", "accuracy", page, threading.Event(), Clock())

    watch.after_epoch(Epoch(2, 9, 0.25, 0.9, 0.1))

    assert 'winnow_trial_metric{trial="t1",metric="accuracy"} 0.9' in page.render()
    assert 'winnow_trial_metric{trial="t1",metric="train_loss"} 0.25' in page.render()
    assert 'winnow_trial_step{trial="t1"} 2.0' in page.render()
    assert capsys.readouterr().out == ""


def test_a_stop_is_noticed_before_the_next_batch() -> None:
    stop = threading.Event()
    watch = TrialWatch("t1", "accuracy", MetricsPage(), stop, Clock())
    watch.before_batch()

    stop.set()

    with pytest.raises(Stopping):
        watch.before_batch()


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (
            TrialResult(1, "Succeeded", 0.98, 0.007, 0.97, 0.009),
            "trial t1 Succeeded accuracy 0.98 +- 0.007 test 0.97",
        ),
        (TrialResult(1, "Succeeded", 12345), "trial t1 Succeeded accuracy 12345"),
        (
            TrialResult(1, "Failed", cause="NaN", message="the loss is nan"),
            "trial t1 Failed NaN: the loss is nan",
        ),
        (TrialResult(1, "Stopped"), "trial t1 Stopped"),
    ],
)
def test_a_trial_ends_with_a_line(
    capsys: pytest.CaptureFixture[str], result: TrialResult, line: str
) -> None:
    say_outcome("t1", "accuracy", result)

    assert capsys.readouterr().out == line + "\n"


def test_a_trial_that_trains_several_times_says_where_it_is_and_never_goes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = MetricsPage()
    watch = TrialWatch("t1", "accuracy", page, threading.Event(), Clock())

    for stage, trainings in (("step 1/2 prune", 1), ("step 2/2 distill", 2)):
        watch.enter(stage)
        for _ in range(trainings):
            for number in (1, 2):
                watch.after_epoch(Epoch(number, 2, 0.25, 0.9, 0.1))

    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(" loss")[0] for line in shown] == [
        "trial t1 step 1/2 prune epoch 2/2",
        "trial t1 step 2/2 distill epoch 2/2",
        "trial t1 step 2/2 distill training 2 epoch 2/2",
    ]
    assert 'winnow_trial_step{trial="t1"} 6.0' in page.render()


RULE = StoppingRule(ASHA, minimum=1, eta=2, min_trials=2)


def watch_of(book: RungBook, number: int, page: MetricsPage, **limits: float) -> TrialWatch:
    """A watch of one of the trials of a pod."""
    given = Limits(book, number, **limits)
    return TrialWatch(f"t{number}", "accuracy", page, threading.Event(), Clock(), limits=given)


def test_a_rung_is_on_the_page_and_the_worse_of_two_trials_is_stopped_there() -> None:
    book, page = RungBook(RULE, "Maximize", decides=True), MetricsPage()
    first, second = (watch_of(book, number, page) for number in (1, 2))

    for number in (1, 2, 3, 4):
        first.after_epoch(Epoch(number, 4, 0.25, 0.9, 0.1))
    with pytest.raises(TrialStopped, match="ASHA at 1 epoch: place 2 of 2") as stop:
        second.after_epoch(Epoch(1, 4, 0.25, 0.8, 0.1))

    assert stop.value.cause == "EarlyStopping"
    assert book.values(1) == {1: 0.9, 2: 0.9}  # an end is no rung
    assert 'winnow_trial_rung_value{trial="t2",rung="1"} 0.8' in page.render()


def test_rungs_may_be_counted_in_steps() -> None:
    rule = StoppingRule(ASHA, STEPS, minimum=5, eta=2, min_trials=2)
    book = RungBook(rule, "Maximize", decides=False)
    watch = watch_of(book, 1, MetricsPage())

    for number in (1, 2, 3, 4):
        watch.after_epoch(Epoch(number, 4, 0.25, number / 10, 0.1, steps=4 * number))

    assert book.values(1) == {5: 0.2, 10: 0.3}


def test_with_folds_rungs_are_those_of_the_first_training() -> None:
    book = RungBook(RULE, "Maximize", decides=False)
    watch = watch_of(book, 1, MetricsPage())

    for value in (0.5, 0.9):
        for number in (1, 2, 3):
            watch.after_epoch(Epoch(number, 3, 0.25, value, 0.1))

    assert book.values(1) == {1: 0.5, 2: 0.5}


def test_a_trial_whose_time_is_over_fails_before_the_next_batch() -> None:
    clock = Clock()
    watch = TrialWatch(
        "t1", "accuracy", MetricsPage(), threading.Event(), clock, limits=Limits(seconds=60)
    )
    watch.before_batch()

    clock.now = 61

    with pytest.raises(TrialError, match=r"longer than budget\.maxTrialDuration allows") as failure:
        watch.before_batch()
    assert failure.value.cause == "DeadlineExceeded"
