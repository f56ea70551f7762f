"""The rules of a SearchJob that need more than one of its fields, or its past.

What the API server cannot see (below `podTemplate`, in the data, in a job that an older CRD let
in), `domain.checks` says in the same words.
"""

from __future__ import annotations

from collections.abc import Collection

from winnow_operator.api.algorithms import (
    ARCHITECTURES_ONLY,
    LEARNING,
    WITH_ARCHITECTURES,
    WITH_CHOICES,
    WITH_CONDITIONS,
    WITH_SEVERAL_OBJECTIVES,
    AlgorithmName,
    learning_algorithms,
    those_that_can,
)
from winnow_operator.api.architecture import FAMILY_OF_KIND
from winnow_operator.api.names import MAX_JOB_NAME
from winnow_operator.api.rules import Rule, duration_rule, no_decimals, said, unchanged
from winnow_operator.api.spread_rules import SPREAD_RULES

MAX_DURATION_HOURS = 8760
"""A year: beyond it a limit is no limit, and 32 times as much still fits a pod's deadline."""

MAX_SEARCHED = 99_000
"""Trials of a search that is followed by final trainings: the numbers above are theirs."""

MAX_OBJECTIVES = 4
MAX_PACKED_CONSTRAINED = 4
"""Trials of a pod with constraints, whose metrics must fit into its result too."""
MAX_PACKED_WITH_SEVERAL = 8
"""Trials of a pod with several objectives, all of whose values must fit into its result."""

_ENDLESS = (
    "(has(p.double) && !has(p.double.values) && !has(p.double.step) && !has(p.double.points)) || "
    "(has(p.int) && !has(p.int.values) && has(p.int.scale) && p.int.scale == 'Log' && "
    "!has(p.int.points))"
)
_SEARCHED_AND_FIXED = (
    "has(self.task) && has(self.task.model.settings) && "
    "self.task.model.settings.exists(s, s.name == p.name)"
)
_WITHOUT_PARENT = (
    "has(p.when) && (p.when.parameter == p.name || "
    "!self.space.parameters.exists(q, q.name == p.when.parameter))"
)
_OF_NO_CHOICE = (
    "has(p.when) && self.space.parameters.exists(q, q.name == p.when.parameter && !has(q.choice))"
)
FINISHED = "(c.type == 'Complete' || c.type == 'Failed') && c.status == 'True'"
"""Of a condition `c`: the job has ended."""


def _is_one_of(able: Collection[AlgorithmName], name: str = "self.algorithm.name") -> str:
    """A CEL expression: the algorithm is one of these."""
    names = ", ".join(f"'{name}'" for name in AlgorithmName if name in able)
    return f"{name} in [{names}]"


def _no_parameter(condition: str) -> str:
    """A CEL expression: of no parameter `p` of the space this is true."""
    return f"(!has(self.space.parameters) || self.space.parameters.all(p, !({condition})))"


DURATIONS = tuple(
    duration_rule(name, "1s", f"{MAX_DURATION_HOURS}h")
    for name in ("maxDuration", "maxTrialDuration")
)

CONSTRAINT_LIMITS = (
    Rule(
        "has(self.min) || has(self.max)",
        "give min, max or both",
        said("the constraint on %s has no limit: give min, max or both", "self.metric"),
    ),
    Rule(
        f"!has(self.min) || !has(self.max) || {no_decimals('self.min', 'self.max')} || "
        "double(self.min) <= double(self.max)",
        "min must be at most max",
        said("min is %s, it must be at most max, %s", "self.min", "self.max"),
        ".min",
    ),
)

ALGORITHM_RULES = (
    Rule(
        f"!has(self.parametersBy) || {_is_one_of(ARCHITECTURES_ONLY, 'self.name')}",
        "parametersBy is for algorithms of architectures",
        said(
            "parametersBy is %s, and algorithm %s suggests all parameters itself: leave it out, or use "
            f"{those_that_can(ARCHITECTURES_ONLY, architectures=True)}",
            "self.parametersBy",
            "self.name",
        ),
        ".parametersBy",
    ),
    Rule(
        f"!has(self.predictor) || self.name == '{AlgorithmName.GENERATIVE}'",
        f"predictor is for algorithm {AlgorithmName.GENERATIVE}",
        said(
            f"predictor is %s, and algorithm %s has none: leave it out, or use {AlgorithmName.GENERATIVE}",
            "self.predictor",
            "self.name",
        ),
        ".predictor",
    ),
)

STORAGE_FORM = Rule(
    "self.uri.matches('^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/[A-Za-z0-9._-]+)*/?$')",
    "uri must be pvc://CLAIM or pvc://CLAIM/PATH; a path has letters, digits, '.', '_', '-'",
    said(
        "uri is %s, allowed are pvc://CLAIM and pvc://CLAIM/PATH of a claim in this namespace; a "
        "path has letters, digits, dots, _ and -",
        "self.uri",
    ),
    ".uri",
)

_ONE_KIND = Rule(
    "has(self.task) != has(self.trial)",
    "give exactly one of spec.task and spec.trial",
    said(
        "spec.task and spec.trial: %s; give task to train with the shared trainer image, or trial "
        "to run an image of your own",
        "has(self.task) ? 'both are given' : 'neither is given'",
    ),
)
_MAX_TRIALS = Rule(
    "self.algorithm.name == 'Grid' || has(self.budget.maxTrials)",
    "budget.maxTrials is missing: only a Grid ends by itself",
    said(
        "budget.maxTrials is missing, algorithm %s needs it, a whole number from 1 to 99999: only "
        "a Grid ends by itself",
        "self.algorithm.name",
    ),
    ".budget.maxTrials",
)
_GRID_POINTS = Rule(
    f"self.algorithm.name != 'Grid' || {_no_parameter(_ENDLESS)}",
    "a Grid needs points (or values) for ranges with scale Log and for double ranges without step",
    said(
        "parameter %s has no end of values for a Grid: say how many to take with points (2 to "
        "1000), give a step to a Linear range, or list values",
        f"self.space.parameters.filter(p, {_ENDLESS})[0].name",
    ),
    ".space.parameters",
)
_NUMBERS_ONLY = Rule(
    f"self.algorithm.name != '{AlgorithmName.CMAES}' || {_no_parameter('has(p.choice)')}",
    f"algorithm {AlgorithmName.CMAES} searches numbers alone, not choices",
    said(
        f"parameter %s is a choice, and algorithm {AlgorithmName.CMAES} searches numbers alone: use "
        f"{those_that_can(WITH_CHOICES)}, or write it as int or double",
        "self.space.parameters.filter(p, has(p.choice))[0].name",
    ),
    ".space.parameters",
)
# That it stands before it, the operator checks: places in a list cost CEL too much.
_KNOWN_PARENT = Rule(
    _no_parameter(_WITHOUT_PARENT),
    "when must name another parameter, which stands before it",
    said(
        "parameter %s: when names %s, which is no parameter before it: name one",
        f"self.space.parameters.filter(p, {_WITHOUT_PARENT})[0].name",
        f"self.space.parameters.filter(p, {_WITHOUT_PARENT})[0].when.parameter",
    ),
    ".space.parameters",
)
_PARENT_IS_CHOICE = Rule(
    _no_parameter(_OF_NO_CHOICE),
    "when must name a choice",
    said(
        "parameter %s: when names %s, which is no choice: only a choice can decide",
        f"self.space.parameters.filter(p, {_OF_NO_CHOICE})[0].name",
        f"self.space.parameters.filter(p, {_OF_NO_CHOICE})[0].when.parameter",
    ),
    ".space.parameters",
)
_NO_CONDITIONS = Rule(
    f"{_is_one_of(WITH_CONDITIONS)} || {_no_parameter('has(p.when)')}",
    "this algorithm takes no parameters with a condition (when)",
    said(
        "parameter %s has a condition (when), which algorithm %s cannot search: use "
        f"{those_that_can(WITH_CONDITIONS)}",
        "self.space.parameters.filter(p, has(p.when))[0].name",
        "self.algorithm.name",
    ),
    ".space.parameters",
)
_SEVERAL_OBJECTIVES = Rule(
    f"self.objectives.size() == 1 || {_is_one_of(WITH_SEVERAL_OBJECTIVES)}",
    "this algorithm takes one objective",
    said(
        "objectives are %s, and algorithm %s takes one: use "
        f"{those_that_can(WITH_SEVERAL_OBJECTIVES)}",
        "self.objectives.size()",
        "self.algorithm.name",
    ),
    ".objectives",
)
_ROOM_IN_RESULTS = Rule(
    f"self.objectives.size() == 1 || self.trialsPerPod <= {MAX_PACKED_WITH_SEVERAL}",
    f"trialsPerPod must be at most {MAX_PACKED_WITH_SEVERAL} with several objectives",
    said(
        f"trialsPerPod is %s, with %s objectives it must be at most {MAX_PACKED_WITH_SEVERAL}: the "
        "result of a pod holds 4096 bytes",
        "self.trialsPerPod",
        "self.objectives.size()",
    ),
    ".trialsPerPod",
)
_ROOM_FOR_CONSTRAINED = Rule(
    "!has(self.constraints) || self.constraints.size() == 0 || "
    f"self.trialsPerPod <= {MAX_PACKED_CONSTRAINED}",
    f"trialsPerPod must be at most {MAX_PACKED_CONSTRAINED} with constraints",
    said(
        f"trialsPerPod is %s, with constraints it must be at most {MAX_PACKED_CONSTRAINED}: the result "
        "of a pod holds 4096 bytes",
        "self.trialsPerPod",
    ),
    ".trialsPerPod",
)
_THOSE_THAT_LEARN = (
    f"has(self.space.architecture) ? '{learning_algorithms(architectures=True)}' : "
    f"'{learning_algorithms(architectures=False)}'"
)
_LEARNS_FROM_START = Rule(
    f"!has(self.start) || self.start.size() == 0 || {_is_one_of(LEARNING)}",
    "start is for algorithms that learn",
    said(
        "start has %s points, and algorithm %s learns nothing from them: use %s",
        "self.start.size()",
        "self.algorithm.name",
        _THOSE_THAT_LEARN,
    ),
    ".start",
)
_LEARNS_FROM_OTHERS = Rule(
    f"!has(self.warmStart) || self.warmStart.size() == 0 || {_is_one_of(LEARNING)}",
    "warmStart is for algorithms that learn from other searches",
    said(
        "warmStart names %s, and algorithm %s learns nothing from it: use %s",
        "self.warmStart[0].searchJob",
        "self.algorithm.name",
        _THOSE_THAT_LEARN,
    ),
    ".warmStart",
)
_ROOM_FOR_FINALS = Rule(
    f"!has(self.budget.maxTrials) || self.budget.maxTrials <= {MAX_SEARCHED} || "
    "(!has(self.finalists) && (!has(self.task) || !has(self.task.evaluation.folds)))",
    f"budget.maxTrials must be at most {MAX_SEARCHED} with folds or finalists",
    said(
        f"budget.maxTrials is %s, with evaluation.folds or finalists it must be at most {MAX_SEARCHED}: "
        "the numbers above are for what is trained once more",
        "self.budget.maxTrials",
    ),
    ".budget.maxTrials",
)
_NOT_FIXED = Rule(
    _no_parameter(_SEARCHED_AND_FIXED),
    "a searched parameter may not stand in task.model.settings too",
    said(
        "parameter %s is searched, and task.model.settings sets it for all trials: keep one of "
        "the two",
        f"self.space.parameters.filter(p, {_SEARCHED_AND_FIXED})[0].name",
    ),
    ".space.parameters",
)

_ONE_TO_STOP_BY = Rule(
    "!has(self.earlyStopping) || self.objectives.size() == 1",
    "earlyStopping takes one objective",
    said(
        "earlyStopping compares trials by one objective, and objectives are %s: leave earlyStopping "
        "out, or keep one objective and limit the others in constraints",
        "self.objectives.size()",
    ),
    ".earlyStopping",
)

_ARCHITECTURE = "has(self.space.architecture)"
_FAMILY = "self.task.model.family"
_FAMILIES = ", ".join(f"'{family}'" for family in FAMILY_OF_KIND.values())
_OTHER_FAMILY = " || ".join(
    f"(has(self.space.architecture.{kind}) && {_FAMILY} != '{family}')"
    for kind, family in FAMILY_OF_KIND.items()
)
_FAMILY_HAS_NETS = Rule(
    f"!{_ARCHITECTURE} || !has(self.task) || ({_FAMILY} in [{_FAMILIES}] && !({_OTHER_FAMILY}))",
    "space.architecture must be of the family of task.model",
    said(
        "task.model.family is %s, which has no part in this space.architecture: mlp is for MLP, cnn "
        "for CNN, transformer for Transformer, nets for any of the three",
        _FAMILY,
    ),
    ".space.architecture",
)
_SEARCHES_NETS = Rule(
    f"!{_ARCHITECTURE} || {_is_one_of(WITH_ARCHITECTURES)}",
    "this algorithm searches no architectures",
    said(
        "space.architecture is given, which algorithm %s cannot search: use "
        f"{those_that_can(WITH_ARCHITECTURES, architectures=True)}",
        "self.algorithm.name",
    ),
    ".space.architecture",
)
_WRITES_NETS = Rule(
    f"{_ARCHITECTURE} || !({_is_one_of(ARCHITECTURES_ONLY)})",
    "this algorithm searches architectures, and space.architecture is missing",
    said(
        "space.architecture is missing, and algorithm %s searches architectures: give one, or use "
        f"{those_that_can(AlgorithmName)}",
        "self.algorithm.name",
    ),
    ".space.architecture",
)

SPEC_RULES = (
    _ONE_KIND,
    _MAX_TRIALS,
    _GRID_POINTS,
    _NUMBERS_ONLY,
    _KNOWN_PARENT,
    _PARENT_IS_CHOICE,
    _NO_CONDITIONS,
    _SEVERAL_OBJECTIVES,
    _ROOM_IN_RESULTS,
    _ROOM_FOR_CONSTRAINED,
    _LEARNS_FROM_START,
    _LEARNS_FROM_OTHERS,
    _ROOM_FOR_FINALS,
    *SPREAD_RULES,
    _NOT_FIXED,
    _ONE_TO_STOP_BY,
    _FAMILY_HAS_NETS,
    _SEARCHES_NETS,
    _WRITES_NETS,
    unchanged("task", optional=True),
    unchanged("trial", optional=True),
    unchanged("objectives"),
    unchanged("constraints", optional=True),
    unchanged("space"),
    unchanged("algorithm"),
    unchanged("start", optional=True),
    unchanged("warmStart", optional=True),
    unchanged("finalists", optional=True),
    unchanged("earlyStopping", optional=True),
    unchanged("trialsPerPod"),
    unchanged("storage", optional=True),
    unchanged("podTemplate", optional=True),
)

JOB_NAME = Rule(
    f"self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{{0,{MAX_JOB_NAME - 2}}}[a-z0-9])?$')",
    f"metadata.name must be at most {MAX_JOB_NAME} lower-case letters, digits and '-'",
    said(
        f"metadata.name is %s (%s characters), allowed are at most {MAX_JOB_NAME} lower-case "
        "letters, digits and -, with a letter or digit at both ends: the names of its trials and "
        "pods are made from it",
        "self.metadata.name",
        "self.metadata.name.size()",
    ),
)
NOT_FROM_ITSELF = Rule(
    "!has(self.spec.warmStart) || !self.spec.warmStart.exists(w, w.searchJob == self.metadata.name)",
    "spec.warmStart names this job itself: name another one",
    path=".spec.warmStart",
)
FINISHED_SPEC = Rule(
    "!has(oldSelf.status) || !has(oldSelf.status.conditions) || "
    f"!oldSelf.status.conditions.exists(c, {FINISHED}) || self.spec == oldSelf.spec",
    "this job has ended, so nothing of its spec can change: make a new SearchJob, or delete this "
    "one first",
    path=".spec",
)
