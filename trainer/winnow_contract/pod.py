"""One pod's part of the contract: which trials it runs, and the result it has so far.

The result is written anew after every trial, so that a pod that is killed still reports what it
had finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from winnow_contract.assignments import Assignments, TrialAssignment, decode_assignments
from winnow_contract.environment import Environment, read_termination_log
from winnow_contract.files import write_in_place
from winnow_contract.manifests import FOLD_VALUES, FOLDS, Committed, Values, find_committed
from winnow_contract.program import read_input, start
from winnow_contract.results import PodResult, TrialResult, encode_result, is_reportable
from winnow_contract.rungbook import RungBook


class Pod:
    """The trials of this pod and what has become of them."""

    def __init__(self, environment: Environment, assignments: Assignments) -> None:
        self.environment = environment
        self.assignments = assignments
        own = assignments.of_index(environment.index)
        self.trials: tuple[TrialAssignment, ...] = tuple(sorted(own, key=lambda t: t.number))
        """In the order of their numbers, in which they are to run: rungs are compared in it."""
        self._results: dict[int, TrialResult] = {}
        self.rungs = RungBook(
            assignments.early_stopping,
            assignments.objectives[0].goal,
            decides=assignments.trials_per_pod > 1,
        )

    @property
    def series_labels(self) -> dict[str, str]:
        """Labels of all series of this pod's trials: whose they are, and of which attempt.

        By the uid of its job a trial is told from that of a job of the same name before it.
        """
        return {"job_uid": self.assignments.job.uid, "attempt": self.environment.attempt}

    @property
    def unfinished(self) -> tuple[TrialAssignment, ...]:
        """Trials without an outcome so far."""
        return tuple(trial for trial in self.trials if trial.number not in self._results)

    def record(self, *results: TrialResult) -> None:
        """Add outcomes and write all that there are so far.

        Raises:
            OSError: if the termination log cannot be written.
        """
        self._results.update({result.number: result for result in results})
        self._write(PodResult(self.environment.attempt, tuple(self._results.values())))

    def fail(self, cause: str, message: str, *, job_fault: bool = False) -> None:
        """Say why the trials that have no outcome so far get none from this pod.

        Raises:
            OSError: if the termination log cannot be written.
        """
        trials = tuple(self._results.values())
        self._write(PodResult(self.environment.attempt, trials, cause, message, job_fault))

    def _write(self, result: PodResult) -> None:
        write_result(self.environment.termination_log, result)

    def record_stopped(self) -> None:
        """Give every trial without an outcome the outcome Stopped, with the rungs that it has reached."""
        self.record(
            *(
                TrialResult(trial.number, "Stopped", rungs=self.rungs.values(trial.number))
                for trial in self.unfinished
            )
        )

    def judge(
        self, number: int, values: Values, test: Values, artifact: Committed | None
    ) -> TrialResult:
        """The result of a trial that ran to its end: Succeeded, if it has all that it needs."""
        objectives = [objective.metric for objective in self.assignments.objectives]
        needed = list(dict.fromkeys((*objectives, *self.assignments.constraints)))
        for metric in needed:
            is_objective = metric in objectives
            if metric not in values:
                role = "objective" if is_objective else "the constraint on"
                reported = ", ".join(values) or "nothing"
                words = f"the trial has no value for {role} {metric!r}; it reported {reported}"
                return TrialResult(number, "Failed", cause="NoObjective", message=words)
            if not is_reportable(values[metric][0]):
                role = "objective" if is_objective else "limited metric"
                found = f"{role} {metric!r} is {values[metric][0]:g}"
                words = f"{found}, not a finite number below 1e15"
                return TrialResult(number, "Failed", cause="NaN", message=words)
        metric, *more = needed
        value, error = values[metric]
        names = dict.fromkeys((*more, *values))
        test_value, test_error = test.get(metric, (None, None))
        return TrialResult(
            number,
            "Succeeded",
            objective=value,
            standard_error=error,
            test=test_value,
            test_standard_error=test_error,
            digest=artifact.digest if artifact else "",
            size_bytes=artifact.size_bytes if artifact else 0,
            attempt=artifact.attempt if artifact else "",
            metrics={name: values[name][0] for name in names if name != metric},
            rungs=self.rungs.values(number),
            kept=len(more),
        )

    def repeat(self, assignment: TrialAssignment) -> TrialResult | None:
        """The result that an earlier attempt of this assignment has committed, if any.

        Raises:
            OSError: if the storage cannot be read.
        """
        artifacts = self.environment.artifacts
        found = None if artifacts is None else find_committed(artifacts, assignment)
        if found is None:
            return None
        self.rungs.take(assignment.number, found.rungs())
        values = {**found.values("validation"), **found.extras()}
        model = None if FOLDS in found.document else found
        result = self.judge(assignment.number, values, found.values("test"), model)
        return self.as_part(assignment, result, _numbers(found.document.get(FOLD_VALUES)))

    def as_part(
        self, assignment: TrialAssignment, result: TrialResult, folds: Sequence[float]
    ) -> TrialResult:
        """The result with its folds; as that of a part, where they are spread over pods.

        Args:
            assignment: the trial, or its part.
            result: of the folds that this pod has trained.
            folds: the objective on each of them; none where nobody asks for it.
        """
        if not folds or result.outcome != "Succeeded":
            return result
        parts = self.assignments.pods_per_trial if assignment.part else 0
        return replace(result, part=assignment.part, parts=parts, folds=tuple(folds))


def _numbers(listed: object) -> list[float]:
    """Numbers of a manifest; whatever else stands there is none."""
    if not isinstance(listed, list):
        return []
    return [float(number) for number in listed if isinstance(number, int | float)]


def start_pod(variables: Mapping[str, str]) -> Pod:
    """Read the environment and the assignment file; what cannot be used is reported at once.

    Raises:
        Refused: after the result has been written.
        OSError: if the termination log cannot be written.
    """

    def refuse(attempt: str, cause: str, message: str) -> None:
        result = PodResult(attempt, cause=cause, message=message, job_fault=True)
        write_result(read_termination_log(variables), result)

    return start(variables, open_pod, refuse)


def open_pod(environment: Environment) -> Pod:
    """Read the assignment file and take this pod's part of it.

    Raises:
        ContractVersionError: if the file is of a version that this code does not read.
        AssignmentsError: if it cannot be read or has nothing for this pod.
    """
    return Pod(
        environment, decode_assignments(read_input(environment.assignments, "assignment file"))
    )


def write_result(termination_log: Path, result: PodResult) -> None:
    """Write the pod's termination message.

    Raises:
        OSError: if it cannot be written.
    """
    write_in_place(termination_log, encode_result(result).encode())
