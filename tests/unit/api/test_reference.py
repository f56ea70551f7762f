"""docs/api.md says of each field what one needs to know to write it."""

from __future__ import annotations

from winnow_operator.api.reference import reference_page


def row(field: str, section: str = "SearchJob spec") -> list[str]:
    part = reference_page().split(f"### {section}\n")[1].split("\n### ")[0]
    (line,) = [line for line in part.splitlines() if line.startswith(f"| `{field}` |")]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_a_required_field_says_so() -> None:
    assert row("task.data.uri")[2] == "required"


def test_a_default_stands_in_its_row() -> None:
    assert row("task.evaluation.test")[2] == '`"0.2"`'
    assert row("suspend")[2] == "`false`"
    assert row("trialsPerPod")[1:4] == ["integer", "`1`", "1 to 32"]


def test_an_enum_lists_its_words() -> None:
    assert (
        row("algorithm.name")[3]
        == "`Grid`, `Random`, `QMC`, `TPE`, `CMAES`, `NSGAII`, `Evolution`, `Generative`, `Auto`"
    )


def test_numbers_and_durations_are_called_what_they_are() -> None:
    assert row("objectives[].target")[1] == "decimal"
    assert row("budget.maxDuration")[1] == "duration"


def test_lists_say_how_long_they_may_be_and_what_makes_an_entry_one() -> None:
    assert row("space.parameters[]")[1] == "list of objects by name"
    assert row("space.parameters[]")[3] == "0 to 32 entries"
    assert row("space.parameters[].choice.values[]")[1] == "set of strings"


def test_status_and_trials_are_there_too() -> None:
    assert "reconcile" in row("observedGeneration", "SearchJob status")[4]
    assert row("outcome", "Trial status")[3].startswith("`Active`")


def test_rules_stand_below_the_fields() -> None:
    assert "- `spec.budget.maxTrials`: budget.maxTrials is missing" in reference_page()
