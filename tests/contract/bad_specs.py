"""SearchJobs that cannot work: who says no, in which words.

`ADMISSION`: the API server refuses it; unit tests hold that the model or `domain.checks` would
too, for jobs that come in past the rules. `OPERATOR`: admission cannot see it, so the operator
ends the job as InvalidSpec before any pod. `EDITS`: changes of a job that exists.
"""

from __future__ import annotations

from tests.contract import bad_runs, bad_spaces, bad_tasks
from tests.contract.bad_runs import EDITS
from tests.contract.base_specs import BadSpec

__all__ = ["ADMISSION", "EDITS", "OPERATOR"]

ADMISSION: tuple[BadSpec, ...] = (
    *bad_runs.ADMISSION,
    *bad_tasks.ADMISSION,
    *bad_spaces.ADMISSION,
)
OPERATOR: tuple[BadSpec, ...] = (*bad_runs.OPERATOR, *bad_tasks.OPERATOR, *bad_spaces.OPERATOR)
