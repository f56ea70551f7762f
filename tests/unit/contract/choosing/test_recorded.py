"""What is recorded of several rounds leads to one choice, whoever makes it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.measured_models import BASELINE, BATCH_SIZES, CANDIDATES, GOALS, PREFER
from winnow_contract.choosing.goals import parse_goals
from winnow_contract.choosing.pareto import Candidate
from winnow_contract.choosing.recorded import Recorded, as_candidate, choose_recorded, differing
from winnow_contract.choosing.selection import choose
from winnow_contract.measuring.metrics import is_of_the_machine

P95 = "latency_p95_seconds@1"


def record(candidate: Candidate) -> Recorded:
    return Recorded(candidate.number, candidate.name, candidate.values)


FIRST, OTHERS = record(BASELINE), tuple(map(record, CANDIDATES))


def test_what_is_recorded_leads_to_the_choice_that_was_measured() -> None:
    choice = choose_recorded(FIRST, OTHERS, goals=GOALS, prefer=PREFER)

    assert choice == choose(BASELINE, CANDIDATES, goals=GOALS, prefer=PREFER)
    assert choice.name == "half-int8"


@given(st.permutations(OTHERS))
def test_the_order_of_the_records_does_not_matter(listed: list[Recorded]) -> None:
    assert choose_recorded(FIRST, listed, goals=GOALS, prefer=PREFER) == choose_recorded(
        FIRST, OTHERS, goals=GOALS, prefer=PREFER
    )


def test_a_candidate_of_a_later_round_is_compared_with_the_baseline_beside_it() -> None:
    slow = {**BASELINE.values, P95: (5e-3, 1e-5)}
    late = replace(OTHERS[0], beside=differing(slow, FIRST, 2), round=2)

    assert late.beside[P95] == (5e-3, 1e-5)
    assert not {"accuracy", "size_bytes"} & set(late.beside)
    assert as_candidate(late, FIRST).baseline == slow


def test_what_was_measured_beside_another_baseline_is_never_compared_with_its_times() -> None:
    late = replace(OTHERS[0], round=2)

    assert set(as_candidate(late, FIRST).baseline) == {
        key for key in BASELINE.values if not is_of_the_machine(key)
    }


def test_the_same_round_read_once_more_differs_in_nothing() -> None:
    assert differing(dict(BASELINE.values), FIRST, 1) == {}


def test_the_baseline_counts_with_the_figures_of_its_own_record_in_every_round() -> None:
    recorded = BASELINE.values[P95][0]
    between = parse_goals(
        [{"metric": "latency_p95_seconds", "max": f"{recorded * 1.5:.6f}"}], BATCH_SIZES
    )
    slow = {**BASELINE.values, P95: (recorded * 2, 1e-5)}
    slower = {**OTHERS[0].values, P95: (recorded * 1.8, 1e-5)}
    late = replace(OTHERS[0], values=slower, beside=differing(slow, FIRST, 2), round=2)

    choice = choose_recorded(FIRST, [late], goals=between, prefer=())

    assert (choice.name, choice.goals_met) == ("baseline", True)


@given(
    st.dictionaries(
        st.sampled_from([P95, "accuracy", "size_bytes"]),
        st.tuples(st.floats(0, 9), st.none() | st.floats(0, 1)),
    )
)
def test_what_differs_and_the_record_give_back_what_was_found(
    found: dict[str, tuple[float, float | None]],
) -> None:
    whole = {**BASELINE.values, **found}
    late = replace(OTHERS[0], beside=differing(whole, FIRST, 2), round=2)

    assert as_candidate(late, FIRST).baseline == whole
