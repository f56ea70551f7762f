"""The schema of the chart's values: closed, complete, and with limits that hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, helm_template, render

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())

REFUSED = [
    ({"replica": 3}, "replica"),
    ({"image": {"name": "x"}}, "name"),
    ({"crds": {"keep": False}}, "keep"),
    ({"metrics": {"serviceMonitor": {"on": True}}}, "on"),
    ({"replicas": -1}, "replicas"),
    ({"metrics": {"prometheusRule": {"availabilityObjective": "1.0"}}}, "availabilityObjective"),
    ({"metrics": {"prometheusRule": {"availabilityObjective": "99.9"}}}, "availabilityObjective"),
    ({"replicas": "2"}, "replicas"),
    ({"workers": 0}, "workers"),
    ({"logLevel": "info"}, "logLevel"),
    ({"image": {"digest": "sha256:abc"}}, "digest"),
    ({"image": {"repository": "winnow/operator:dev"}}, "repository"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"watchNamespaces": ["Blue"]}, "watchNamespaces"),
    ({"watchNamespaces": ["a", "a"]}, "watchNamespaces"),
    ({"storage": {"uri": "s3://bucket/x"}}, "uri"),
    ({"storage": {"size": "10 GB"}}, "size"),
    ({"health": {"port": 80}}, "port"),
    ({"commonLabels": {"a": 1}}, "commonLabels"),
    ({"imagePullSecrets": ["pull"]}, "imagePullSecrets"),
    ({"extraEnv": [{"name": "WINNOW_LEASE_NAME", "value": "x"}]}, "extraEnv"),
    ({"networkPolicy": {"apiServer": {"ports": []}}}, "ports"),
]


@pytest.mark.parametrize(("values", "named"), REFUSED, ids=[str(v) for v, _ in REFUSED])
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    done = helm_template(values)

    assert done.returncode != 0
    assert named in done.stderr


def test_a_platform_that_picks_the_user_can_have_its_way() -> None:
    null = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}
    documents = render({"podSecurityContext": null})

    (deployment,) = (d for d in documents if d["kind"] == "Deployment")
    context = deployment["spec"]["template"]["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, f"{path}/{key}")
    if isinstance(schema, list):
        for value in schema:
            yield from objects(value, path)


def test_every_object_is_closed_or_says_whose_it_is() -> None:
    open_ones = [
        path
        for path, schema in objects(SCHEMA)
        if "additionalProperties" not in schema and "$comment" not in schema
    ]

    assert len(list(objects(SCHEMA))) > 15
    assert open_ones == []


def keys(values: Any, schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, set[str]]]:
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if isinstance(values, dict) and "properties" in schema:
        yield path, set(values) ^ set(schema["properties"])
        for key, value in values.items():
            yield from keys(value, schema["properties"].get(key, {}), f"{path}.{key}")


def test_values_and_schema_name_the_same_keys() -> None:
    differences = {path: names for path, names in keys(VALUES, SCHEMA) if names}

    assert differences == {"": {"global"}}
