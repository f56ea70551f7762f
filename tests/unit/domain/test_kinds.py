"""Names of what jobs make: unlike between the kinds, and read back to their numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_operator.domain.kinds import Kind, batch_number, job_of, measurement_name, trial_number
from winnow_operator.kube.resources import JOB_KINDS

NUMBERS = st.integers(1, 99_999)


@given(NUMBERS, st.sampled_from(tuple(JOB_KINDS)))
def test_the_number_of_a_batch_reads_back_from_its_name(number: int, kind: Kind) -> None:
    assert batch_number(kind.batch_name("my-b7", number)) == number


@given(NUMBERS)
def test_jobs_of_two_kinds_with_one_name_make_no_two_objects_of_one_name(number: int) -> None:
    made = [
        name("same", number) for kind in JOB_KINDS for name in (kind.trial_name, kind.batch_name)
    ]

    assert len({*made, measurement_name("same", number)}) == 5


def test_a_measurement_is_no_batch() -> None:
    assert batch_number(measurement_name("small", 3)) == 0


@pytest.mark.parametrize("name", ["", "digits", "digits-b", "digits-b1x", "digits-b²", "digits-t٣"])
def test_what_is_not_named_by_us_has_no_number(name: str) -> None:
    assert (batch_number(name), trial_number(name)) == (0, 0)


def test_the_longest_name_of_a_job_leaves_room_for_all_names_that_follow_from_it() -> None:
    assert len(Kind.COMPRESSION.trial_name("a" * 40, 99_999)) <= 63


def test_labels_say_kind_and_name_of_the_job() -> None:
    assert job_of({"winnow.dev/compressionjob": "small"}) == (Kind.COMPRESSION, "small")
    assert job_of({"winnow.dev/searchjob": "digits"}) == (Kind.SEARCH, "digits")
    assert job_of({"winnow.dev/modelserver": "digits"}) == (Kind.SERVER, "digits")
    assert job_of({"app": "other", "winnow.dev/searchjob": ""}) is None
