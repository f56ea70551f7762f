"""What each candidate is in a choice, in the order in which a reader looks for them."""

from __future__ import annotations

from enum import StrEnum

from winnow_measure.report.content import Entry, ReportInput

__all__ = ["ROLE_WORDS", "Role", "baseline", "measured", "ordered", "role_of", "selected"]


class Role(StrEnum):
    """The values are class names of the style sheet."""

    SELECTED = "selected"
    FRONT = "front"
    """Meets the goals, and no other such candidate dominates it."""
    OTHER = "other"
    """Meets the goals, but another one is better in all that counts."""
    MISSED = "missed"
    """Misses a goal."""


ROLE_WORDS = {
    Role.SELECTED: "selected",
    Role.FRONT: "meets the goals, on the front",
    Role.OTHER: "meets the goals, dominated",
    Role.MISSED: "misses a goal",
}


def role_of(entry: Entry, content: ReportInput) -> Role:
    """The role of a candidate that was measured."""
    choice = content.choice
    if entry.number == choice.number:
        return Role.SELECTED
    if not all(verdict.met for verdict in choice.verdicts.get(entry.number, ())):
        return Role.MISSED
    return Role.FRONT if entry.number in choice.front else Role.OTHER


def measured(content: ReportInput) -> tuple[Entry, ...]:
    """The baseline, then all candidates that were measured, by number."""
    return tuple(entry for entry in ordered(content) if entry.outcome == "Succeeded")


def ordered(content: ReportInput) -> tuple[Entry, ...]:
    """The baseline, then all candidates by number."""
    return tuple(
        sorted(content.entries, key=lambda e: (e.number != content.baseline, e.number, e.name))
    )


def selected(content: ReportInput) -> Entry | None:
    """The entry that was chosen."""
    return next((e for e in content.entries if e.number == content.choice.number), None)


def baseline(content: ReportInput) -> Entry | None:
    """The entry of the untouched model."""
    return next((e for e in content.entries if e.number == content.baseline), None)
