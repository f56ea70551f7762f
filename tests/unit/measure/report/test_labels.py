"""Names stand beside their marks and cover nothing."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from winnow_measure.report.drawing import Frame
from winnow_measure.report.labels import Box, place_label

FRAME = Frame(860.0, 500.0, left=80.0, right=830.0, top=40.0, bottom=440.0)


def mark(x: float, y: float, reach: float = 5.0) -> Box:
    return Box(x - reach, y - reach, x + reach, y + reach)


def test_a_name_stands_right_of_its_mark_at_its_height() -> None:
    x, anchor, box = place_label(mark(200, 200), "half", taken=(), frame=FRAME)

    assert anchor == "start"
    assert 205 < x < 215
    assert box.top < 200 < box.bottom


def test_a_name_goes_to_the_left_where_there_is_no_room_on_the_right() -> None:
    x, anchor, _ = place_label(mark(820, 200), "half-int8", taken=(), frame=FRAME)

    assert anchor == "end"
    assert 805 < x < 815


def test_a_name_keeps_off_another_mark() -> None:
    other = mark(240, 200)

    _, _, box = place_label(mark(200, 200), "a-long-name", taken=(other,), frame=FRAME)

    assert not box.overlaps(other)


@given(
    st.lists(
        st.tuples(st.integers(110, 800), st.integers(60, 420), st.integers(3, 12)),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 12),
)
def test_names_of_a_few_candidates_never_lie_on_one_another(
    places: list[tuple[int, int, int]], length: int
) -> None:
    marks = [mark(*place) for place in places]
    taken = list(marks)
    names = []
    for own in marks:
        _, _, box = place_label(own, "x" * length, taken=taken, frame=FRAME)
        taken.append(box)
        names.append(box)

    for one, other in combinations(names, 2):
        assert not one.overlaps(other)
    for box in names:
        assert FRAME.left <= box.left <= box.right <= FRAME.width
        assert FRAME.top <= box.top <= box.bottom <= FRAME.bottom
