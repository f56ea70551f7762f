"""What a search may not ask for whose trials are spread over pods, fold by fold."""

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

SPREAD_RULES = (_ONE_TRIAL_TO_SPREAD, _SPREAD_RUNS_ON)
