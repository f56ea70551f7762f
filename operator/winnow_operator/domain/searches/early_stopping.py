"""Early stopping across pods: what is decided of trials that run, each once at each rung.

A decision to go on is remembered with the job (`status.rungs`), one to stop with the Trial. What
counts at a rung is what trials with an outcome have recorded of it, and what Prometheus shows of
those that run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from winnow_contract.rungscores import Rungs, RungScores
from winnow_contract.stopping import MEDIAN, StoppingRule, Verdict, judge
from winnow_operator.api.early_stopping import RungProgress
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.domain.intervals import format_intervals, parse_intervals


@dataclass(frozen=True, slots=True)
class Decisions:
    """What one look decides."""

    passed: Mapping[int, int]
    """The last rung at which a trial was let go on, by number."""
    stopped: Mapping[int, Verdict]


def rule_of(spec: SearchJobSpec) -> StoppingRule | None:
    """The rule of a job; None without one."""
    given = spec.early_stopping
    if given is None:
        return None
    return StoppingRule(
        str(given.algorithm),
        str(given.resource),
        minimum=given.minimum,
        eta=given.eta,
        min_trials=given.min_trials,
    )


def is_decided_here(spec: SearchJobSpec) -> bool:
    """Whether the operator stops trials; those of a shared pod only their trainer can stop."""
    return spec.early_stopping is not None and spec.trials_per_pod == 1


def empty_scores(spec: SearchJobSpec) -> RungScores | None:
    """For what the rule reads of trials with an outcome; None where the operator stops none."""
    rule = rule_of(spec)
    if rule is None or not is_decided_here(spec):
        return None
    return RungScores(has_means=rule.algorithm == MEDIAN)


def decide(
    rule: StoppingRule,
    ended: RungScores,
    running: Mapping[int, Rungs],
    passed: Mapping[int, int],
) -> Decisions:
    """Decide each trial that runs at each rung that it has reached and was not decided at.

    Args:
        rule: of the job.
        ended: scores at rungs of the trials with an outcome.
        running: the same of those that run, by number.
        passed: the last rung at which a trial was let go on before.
    """
    on, stopped = dict[int, int](), dict[int, Verdict]()
    for number, rungs in sorted(running.items()):
        others = [other for n, other in running.items() if n != number]
        for rung in sorted(r for r in rungs if r > passed.get(number, 0)):
            verdict = judge(rule, rung, rungs, others, ended)
            if verdict.stops:
                stopped[number] = verdict
                break
            on[number] = rung
    return Decisions({n: rung for n, rung in on.items() if n not in stopped}, stopped)


def read_passed(rungs: Iterable[RungProgress]) -> dict[int, int]:
    """What a status remembers: the last rung at which a trial was let go on, by number."""
    found: dict[int, int] = {}
    for entry in sorted(rungs, key=lambda r: r.rung):
        try:
            found.update(dict.fromkeys(parse_intervals(entry.passed), entry.rung))
        except ValueError:
            continue  # someone edited it: these are decided anew
    return found


def show_passed(passed: Mapping[int, int], active: frozenset[int]) -> tuple[RungProgress, ...]:
    """The same as it stands in a status; of trials with an outcome nothing need be remembered."""
    by_rung: dict[int, list[int]] = {}
    for number in sorted(passed.keys() & active):
        by_rung.setdefault(passed[number], []).append(number)
    return tuple(
        RungProgress(rung=rung, passed=format_intervals(numbers))
        for rung, numbers in sorted(by_rung.items())
    )
