"""The phase after a search: trials that train another one once more, for the model to keep.

    search ends --> the best trial is trained once more --> Succeeded: the job is Complete
                          ^                                  Failed: the next best, if there is one
                          +----------------------------------+

They are Trials like all others and run in batches like all others, outside of maxTrials and inside
maxDuration. Their numbers start above those of any search, so that a budget that is raised
meanwhile finds the numbers of its trials free. An edit of the budget that makes the search go on
is followed by a final training of the new best.
"""

from __future__ import annotations

from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.searchjob_rules import MAX_SEARCHED
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.winner import best_record


def trains_finals(spec: SearchJobSpec) -> bool:
    """Whether the trials of this search leave no model to keep."""
    return spec.task is not None and spec.task.evaluation.folds is not None


def final_of(ledger: Ledger, best: TrialRecord | None) -> TrialRecord | None:
    """The trial that trained the best one once more and has succeeded, if there is one yet."""
    if best is None:
        return None
    own = (f for f in ledger.finals.values() if f.final_of == best.number)
    return next((final for final in own if final.outcome is Outcome.SUCCEEDED), None)


def missing_final(ledger: Ledger) -> TrialRecord | None:
    """The trial of the search to train once more now; None while that runs or where it is done."""
    best = best_record(ledger)
    if best is None or any(f.final_of == best.number for f in ledger.finals.values()):
        return None
    return best


def final_number(ledger: Ledger) -> int:
    """The number of the next one."""
    return max(ledger.finals, default=MAX_SEARCHED) + 1
