"""What a search may not ask for whose trials are spread over pods, or stopped, fold by fold."""

from __future__ import annotations

from winnow_operator.api.rules import Rule, said

_SPREADS_FOLDS = "has(self.task) && has(self.task.evaluation.foldsPerPod)"
_ONE_TRIAL_TO_SPREAD = Rule(
    f"!({_SPREADS_FOLDS}) || self.trialsPerPod == 1",
    "trialsPerPod must be 1 with evaluation.foldsPerPod",
    said(
        "trialsPerPod is %s, with evaluation.foldsPerPod it must be 1: a pod runs a part of a trial",
        "self.trialsPerPod",
    ),
    ".trialsPerPod",
)
_SPREAD_RUNS_ON = Rule(
    f"!({_SPREADS_FOLDS}) || !has(self.earlyStopping)",
    "earlyStopping must be left out with evaluation.foldsPerPod: pods of a trial do not know of each "
    "other",
    path=".earlyStopping",
)

MAX_PACKED_TESTED = 8
"""Trials of a pod with a paired test, the values of all of whose folds must fit into its result."""
_TESTS_FOLDS = "has(self.task) && has(self.task.evaluation.pairedTest)"
_ROOM_FOR_FOLDS = Rule(
    f"!({_TESTS_FOLDS}) || self.trialsPerPod <= {MAX_PACKED_TESTED}",
    f"trialsPerPod must be at most {MAX_PACKED_TESTED} with evaluation.pairedTest",
    said(
        f"trialsPerPod is %s, with evaluation.pairedTest it must be at most {MAX_PACKED_TESTED}: the "
        "result of a pod holds 4096 bytes",
        "self.trialsPerPod",
    ),
    ".trialsPerPod",
)
_ONE_TO_TEST_BY = Rule(
    f"!({_TESTS_FOLDS}) || self.objectives.size() == 1",
    "evaluation.pairedTest takes one objective",
    said(
        "objectives are %s, and evaluation.pairedTest takes one: leave it out, or keep one of them",
        "self.objectives.size()",
    ),
    ".objectives",
)

SPREAD_RULES = (_ONE_TRIAL_TO_SPREAD, _SPREAD_RUNS_ON, _ROOM_FOR_FOLDS, _ONE_TO_TEST_BY)
