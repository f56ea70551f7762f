"""The rules of a CompressionJob that need more than one of its fields, or its past.

What the API server cannot see (most orders of steps, contradicting goals, what only the source
says), `domain.checks.compressions` says in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable

from winnow_contract.measuring.metrics import METRICS, Bound
from winnow_contract.steps.chains import BASELINE, OPTIONS, PRUNE
from winnow_operator.api.rules import Rule, limit, said, unchanged
from winnow_operator.api.searchjob_rules import FINISHED

_EDITABLE = "Only goals, prefer, budget, suspend and ttlSecondsAfterFinished can be edited"
_KIND = "CompressionJob"


_DEFAULTS = {option.name: option.default for option in OPTIONS[PRUNE]}
"""A field of a step that is left out has no value in the API server."""


def _only(field: str, condition: str, words: str) -> Rule:
    """A rule that a field has a meaning only under a condition."""
    return Rule(
        f"!has(self.{field}) || {condition}",
        f"{field} has a meaning only {words}: leave it out",
        said(f"{field} is %s, it has a meaning only {words}: leave it out", f"self.{field}"),
        f".{field}",
    )


def _list(words: Iterable[str]) -> str:
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"


_ABOVE_0 = "{} > 0.0 && {} <= 10.0".replace("{}", "{0}")
_LEARNING_RATE = limit("learningRate", _ABOVE_0, "numbers above 0 to 10")

ONE_STEP = Rule(
    "[has(self.quantize), has(self.prune), has(self.distill)].exists_one(given, given)",
    "give exactly one of quantize, prune and distill",
    said(
        "a step has %s of quantize, prune and distill: give exactly one",
        "[has(self.quantize), has(self.prune), has(self.distill)].filter(given, given).size()",
    ),
)

_DYNAMIC = "(has(self.mode) && self.mode == 'Dynamic')"
_AWARE = "(has(self.mode) && self.mode == 'Aware')"

QUANTIZE_RULES = (
    Rule(
        f"!{_DYNAMIC} || !has(self.layers) || self.layers.all(l, l == 'Linear')",
        "with mode Dynamic only Linear layers are allowed: convolutions would get slower",
        said(
            "layers is %s, with mode Dynamic only Linear is allowed: convolutions would get "
            "slower; use PostTraining or Aware for them",
            "self.layers",
        ),
        ".layers",
    ),
    limit("maxDrop", "{0} >= 0.0", "numbers from 0"),
    _only("calibrationRows", f"!{_DYNAMIC}", "with mode PostTraining or Aware"),
    _only("epochs", _AWARE, "with mode Aware"),
    _only("learningRate", _AWARE, "with mode Aware"),
    _LEARNING_RATE,
)

_ITERATIVE = "(has(self.schedule) && self.schedule == 'Iterative')"
_EPOCHS = f"(has(self.epochs) ? self.epochs : {_DEFAULTS['epochs']})"
_ROUNDS = f"(has(self.rounds) ? self.rounds : {_DEFAULTS['rounds']})"

PRUNE_RULES = (
    limit("amount", "{0} > 0.0 && {0} < 1.0", "numbers above 0 and below 1"),
    _only("rounds", _ITERATIVE, "with schedule Iterative"),
    Rule(
        f"!{_ITERATIVE} || {_EPOCHS} >= {_ROUNDS}",
        "epochs must be at least as many as rounds: each round needs one",
        said("epochs is %s, rounds is %s: each round needs at least one epoch", _EPOCHS, _ROUNDS),
        ".epochs",
    ),
    _LEARNING_RATE,
)

_SHARE = "{0} > 0.0 && {0} <= 1.0"
_WIDTH = "(has(self.width) ? double(self.width) : 1.0)"
_DEPTH = "(has(self.depth) ? double(self.depth) : 1.0)"

STUDENT_RULES = (
    Rule(
        "has(self.settings) || has(self.width) || has(self.depth)",
        "give width or depth as shares of the teacher, or settings",
    ),
    Rule(
        "!has(self.settings) || (!has(self.width) && !has(self.depth))",
        "settings stand beside width or depth: give shares of the teacher, or settings",
    ),
    limit("width", _SHARE, "numbers above 0 to 1"),
    limit("depth", _SHARE, "numbers above 0 to 1"),
    Rule(
        f"has(self.settings) || {_WIDTH} < 1.0 || {_DEPTH} < 1.0",
        "width and depth are 1, which is as large as the teacher: make one of them less than 1",
    ),
)

_OUTPUTS = (
    "(!has(self.transfer) || self.transfer.exists(t, t == 'Outputs'))",
    "with transfer Outputs",
)

DISTILL_RULES = (
    Rule(
        "has(self.student) || !has(self.transfer) || !self.transfer.exists(t, t == 'Parameters')",
        "transfer Parameters needs a student: the model of the chain keeps its own parameters",
        said(
            "transfer is %s without a student: the model of the chain keeps its own parameters; "
            "give student, or leave Parameters out",
            "self.transfer",
        ),
        ".transfer",
    ),
    _only("temperature", *_OUTPUTS),
    _only("alpha", *_OUTPUTS),
    limit("temperature", "{0} > 0.0 && {0} <= 100.0", "numbers above 0 to 100"),
    limit("alpha", _SHARE, "numbers above 0 to 1"),
    _LEARNING_RATE,
)

_STUDENT = "has(s.distill) && has(s.distill.student)"

CANDIDATE_RULES = (
    Rule(
        f"self.name != '{BASELINE}'",
        f"the name {BASELINE} is taken by the source as it is: choose another",
        path=".name",
    ),
    Rule(
        "self.steps.filter(s, has(s.quantize)).size() <= 1",
        "a chain is quantized once: keep one quantize step",
        said(
            "candidate %s has %s quantize steps: keep one",
            "self.name",
            "self.steps.filter(s, has(s.quantize)).size()",
        ),
        ".steps",
    ),
    Rule(
        "!self.steps.exists(s, has(s.quantize)) || has(self.steps[self.steps.size() - 1].quantize)",
        "nothing can follow quantize: integer weights can be neither cut nor trained",
        said(
            "candidate %s has a step after quantize: integer weights can be neither cut nor "
            "trained; make quantize the last step",
            "self.name",
        ),
        ".steps",
    ),
    Rule(
        f"self.steps.filter(s, {_STUDENT}).size() == "
        "(self.steps.size() > 0 && has(self.steps[0].distill) && has(self.steps[0].distill.student)"
        " ? 1 : 0)",
        "distill with a student must be the first step: nothing before it would survive",
        said(
            "candidate %s has distill with a student after another step: the student is a new "
            "network, nothing before it would survive; make it the first step",
            "self.name",
        ),
        ".steps",
    ),
)

_BOUNDS = ", ".join(f"has(self.{bound})" for bound in Bound)
_PER_BATCH = [m.name for m in METRICS.values() if m.is_per_batch_size]
_SPEEDS = [m.name for m in METRICS.values() if m.is_speed]
_HIGHER = [m.name for m in METRICS.values() if m.is_higher_better]

GOAL_RULES = (
    Rule(
        f"[{_BOUNDS}].exists_one(given, given)",
        f"give exactly one of {', '.join(Bound)}",
        said(
            f"the goal for %s has %s of {', '.join(Bound)}: give exactly one",
            "self.metric",
            f"[{_BOUNDS}].filter(given, given).size()",
        ),
    ),
    Rule(
        f"!has(self.batchSize) || self.metric in {_list(_PER_BATCH)}",
        f"batchSize is only for {', '.join(_PER_BATCH)}",
        said(
            "batchSize is %s, it must be left out: %s does not depend on it",
            "self.batchSize",
            "self.metric",
        ),
        ".batchSize",
    ),
    Rule(
        f"!has(self.minSpeedup) || self.metric in {_list(_SPEEDS)}",
        f"minSpeedup is only for {', '.join(_SPEEDS)}",
        said(
            f"minSpeedup has no meaning for %s, only for {', '.join(_SPEEDS)}; use maxRatio or max",
            "self.metric",
        ),
        ".minSpeedup",
    ),
    Rule(
        f"!has(self.maxRatio) || !(self.metric in {_list(_HIGHER)})",
        "maxRatio has no meaning where more is better",
        said(
            "maxRatio has no meaning for %s, of which more is better: use maxDrop or min",
            "self.metric",
        ),
        ".maxRatio",
    ),
    limit("maxDrop", "{0} >= 0.0", "numbers from 0, absolute and in the worse direction"),
    limit("minSpeedup", "{0} > 0.0", "numbers above 0, such as 1.5"),
    limit("maxRatio", "{0} > 0.0", "numbers above 0, such as 0.5"),
)

ARTIFACT_RULES = (
    Rule(
        "has(self.uri) == has(self.digest)",
        "uri and digest belong together: the digest says which artifact it is",
        said(
            "uri and digest belong together, only %s is given: the digest is sha256: and 64 hex "
            "digits of the sha256 of the manifest of the artifact",
            "has(self.uri) ? 'uri' : 'digest'",
        ),
    ),
    Rule(
        "!has(self.uri) || self.uri.matches('^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[^/].*$')",
        "uri must be pvc://CLAIM/PATH, the folder of an artifact",
        said(
            "uri is %s, allowed is pvc://CLAIM/PATH of a claim in this namespace, the folder of an "
            "artifact",
            "self.uri",
        ),
        ".uri",
    ),
    Rule(
        "!has(self.uri) || !self.uri.matches('(^|/)[.][.](/|$)')",
        "uri must not leave the claim: '..' is not allowed in its path",
        said("uri is %s, which leaves the claim: .. is not allowed in its path", "self.uri"),
        ".uri",
    ),
)
"""Of an artifact that is named by `uri` and `digest`, instead of by a job."""

MODEL_RULES = (
    Rule(
        "has(self.searchJob) != has(self.uri)",
        "give exactly one of searchJob and uri",
        said(
            "spec.model: %s of searchJob and uri; give the name of a SearchJob, or uri and digest "
            "of an artifact",
            "has(self.uri) ? 'both are given' : 'neither is given'",
        ),
    ),
    *ARTIFACT_RULES,
)

_NAMED = "(has(self.candidates) ? self.candidates.size() : 0)"
_UNMEASURED = "has(g.batchSize) && !(g.batchSize in self.measurement.batchSizes)"
_PREFERRED = " || ".join(f"p == '{name}' || p.startsWith('{name}@')" for name in METRICS)

SPEC_RULES = (
    Rule(
        f"has(self.auto) || {_NAMED} > 0",
        "give candidates, or auto: {} to have them written",
        said(
            "spec.candidates is %s and spec.auto is missing: name chains of steps, or give auto "
            "to have them written",
            "has(self.candidates) ? 'empty' : 'missing'",
        ),
        ".candidates",
    ),
    Rule(
        f"!has(self.auto) || {_NAMED} <= self.auto.maxCandidates",
        "auto.maxCandidates counts the named candidates too: make it at least as many",
        said(
            "auto.maxCandidates is %s, there are %s candidates by name, which count too: make it "
            "at least as many",
            "self.auto.maxCandidates",
            _NAMED,
        ),
        ".auto.maxCandidates",
    ),
    Rule(
        f"!has(self.goals) || self.goals.all(g, !({_UNMEASURED}))",
        "batchSize of a goal must be one of measurement.batchSizes",
        said(
            "batchSize of the goal for %s is %s, measured are %s (measurement.batchSizes)",
            f"self.goals.filter(g, {_UNMEASURED})[0].metric",
            f"self.goals.filter(g, {_UNMEASURED})[0].batchSize",
            "self.measurement.batchSizes",
        ),
        ".goals",
    ),
    Rule(
        f"!has(self.prefer) || self.prefer.all(p, {_PREFERRED})",
        "prefer names what is not measured; the metric of a goal lists what is",
        said(
            f"prefer names %s, which is not measured, allowed: {', '.join(METRICS)}",
            f"self.prefer.filter(p, !({_PREFERRED}))[0]",
        ),
        ".prefer",
    ),
    *(
        unchanged(field, optional=True, kind=_KIND, editable=_EDITABLE)
        for field in ("task", "candidates", "auto", "storage", "podTemplate")
    ),
    *(
        unchanged(field, kind=_KIND, editable=_EDITABLE)
        for field in ("model", "measurement", "candidatesPerPod")
    ),
)


def _same(field: str, *, optional: bool = False) -> str:
    same = f"self.spec.{field} == oldSelf.spec.{field}"
    if not optional:
        return same
    has = f"has(self.spec.{field})"
    return f"({has} == has(oldSelf.spec.{field}) && (!{has} || {same}))"


FINISHED_SPEC = Rule(
    "!has(oldSelf.status) || !has(oldSelf.status.conditions) || "
    f"!oldSelf.status.conditions.exists(c, {FINISHED}) || "
    f"({_same('budget')} && {_same('suspend')} && "
    f"{_same('ttlSecondsAfterFinished', optional=True)})",
    "this job has ended, so nothing of its spec can change but goals and prefer: make a new "
    "CompressionJob, or delete this one first",
    path=".spec",
)
"""All other fields never change; goals and prefer choose again from what is recorded."""
