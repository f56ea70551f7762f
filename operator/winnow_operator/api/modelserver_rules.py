"""The rules of a ModelServer that need more than one of its fields.

What the API server cannot see (amounts of resources, what stands below podTemplate),
`domain.checks.servers` says in the same words.
"""

from __future__ import annotations

from winnow_operator.api.compressionjob_rules import ARTIFACT_RULES
from winnow_operator.api.names import MAX_JOB_NAME
from winnow_operator.api.rules import Rule, duration_rule, limit, said

MAX_SECONDS = {
    "progressDeadline": 24 * 3600,
    "pause": 24 * 3600,
    "connectionMaxAge": 24 * 3600,
    "drain": 600,
}
"""The longest duration of each field."""

SERVER_NAME = Rule(
    f"self.metadata.name.matches('^[a-z]([-a-z0-9]{{0,{MAX_JOB_NAME - 2}}}[a-z0-9])?$')",
    f"metadata.name must be at most {MAX_JOB_NAME} lower-case letters, digits and '-'",
    said(
        f"metadata.name is %s (%s characters), allowed are at most {MAX_JOB_NAME} lower-case "
        "letters, digits and -, with a letter at the start and no - at the end: it becomes the name "
        "of a Service",
        "self.metadata.name",
        "self.metadata.name.size()",
    ),
)

_SOURCES = "[has(self.compressionJob), has(self.searchJob), has(self.uri)]"
_ONE_MODEL = Rule(
    f"{_SOURCES}.exists_one(given, given)",
    "give exactly one of compressionJob, searchJob and uri",
    said(
        "spec.model has %s of compressionJob, searchJob and uri: give exactly one, the name of a "
        "CompressionJob or of a SearchJob, or uri and digest of an artifact",
        f"{_SOURCES}.filter(given, given).size()",
    ),
)
REFERENCE_RULES = (_ONE_MODEL, *ARTIFACT_RULES)

SPEC_RULES = (
    Rule(
        "!self.acceptBaseline || has(self.model.compressionJob)",
        "acceptBaseline has a meaning only with model.compressionJob: leave it out",
        path=".acceptBaseline",
    ),
)

CANARY_ONLY = Rule(
    "!has(self.canary) || self.strategy == 'Canary'",
    "canary has a meaning only with strategy Canary: set it, or leave canary out",
    path=".canary",
)

CHECK_RULES = (
    limit("maxErrorRate", "{0} >= 0.0 && {0} <= 1.0", "numbers from 0 to 1"),
    limit("maxLatencyRatio", "{0} >= 1.0", "numbers from 1, such as 1.5"),
    limit("minAgreement", "{0} >= 0.0 && {0} <= 1.0", "numbers from 0 to 1"),
    limit("tolerance", "{0} >= 0.0 && {0} <= 1000.0", "numbers from 0 to 1000"),
)

AUTOSCALING_RULES = (
    Rule(
        "self.minReplicas <= self.maxReplicas",
        "autoscaling.minReplicas must not be above maxReplicas",
        said(
            "autoscaling.minReplicas is %s, maxReplicas is %s: make it at most as many",
            "self.minReplicas",
            "self.maxReplicas",
        ),
        ".minReplicas",
    ),
)


def server_duration(name: str, least: str) -> Rule:
    """The rule of one of the durations in MAX_SECONDS, whose shortest is `0s` or `1s`."""
    return duration_rule(name, least, f"{MAX_SECONDS[name]}s")
