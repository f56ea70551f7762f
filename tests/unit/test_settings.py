"""Settings of the process: defaults, values, and sentences for what cannot be used."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from winnow_operator.settings import Settings, SettingsError, read_settings

IMAGES = {
    "WINNOW_TRAINER_IMAGE": "example.test/trainer:1",
    "WINNOW_SERVER_IMAGE": "example.test/server:1",
}


def test_only_the_images_are_needed() -> None:
    settings = read_settings(IMAGES)

    assert settings.trainer_image == "example.test/trainer:1"
    assert settings.server_image == "example.test/server:1"
    assert settings.namespaces == ()
    assert (settings.lease_namespace, settings.lease_name) == ("winnow", "winnow-operator")
    assert (settings.health_port, settings.metrics_port) == (8081, 8080)
    assert settings.workers == 4


def test_empty_variables_are_as_good_as_none() -> None:
    empty = dict.fromkeys(ALL_NAMES, "") | IMAGES

    assert _without_identity(read_settings(empty)) == _without_identity(read_settings(IMAGES))


def _without_identity(settings: Settings) -> dict[str, Any]:
    return {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "identity"}


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("WINNOW_NAMESPACES", "blue, green,blue,", "namespaces", ("blue", "green")),
        ("WINNOW_POD_NAME", "winnow-operator-1", "identity", "winnow-operator-1"),
        ("WINNOW_POD_NAMESPACE", "ml", "lease_namespace", "ml"),
        ("WINNOW_LEASE_NAME", "blue", "lease_name", "blue"),
        ("WINNOW_LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("WINNOW_HEALTH_PORT", "0", "health_port", 0),
        ("WINNOW_METRICS_PORT", "65535", "metrics_port", 65535),
        ("WINNOW_STORAGE_URI", "pvc://models/winnow/", "storage_uri", "pvc://models/winnow"),
        ("WINNOW_STORAGE_SIZE", "1Ti", "storage_size", "1Ti"),
        ("WINNOW_STORAGE_CLASS", "fast", "storage_class", "fast"),
        ("WINNOW_FINISHED_POD_TTL_SECONDS", "0", "finished_pod_ttl_seconds", 0),
        ("WINNOW_PROMETHEUS_URL", "http://p:9090", "prometheus_url", "http://p:9090"),
        ("WINNOW_WORKERS", "64", "workers", 64),
        ("WINNOW_METRICS_OBJECTS", "0", "shown_objects", 0),
        ("WINNOW_SCRAPE_ANNOTATIONS", "true", "scrape_annotations", True),
    ],
)
def test_each_variable_sets_its_field(
    variable: str, value: str, field: str, expected: object
) -> None:
    assert getattr(read_settings(IMAGES | {variable: value}), field) == expected


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("WINNOW_NAMESPACES", "blue,gr*", "no patterns"),
        ("WINNOW_NAMESPACES", "!blue", "no patterns"),
        ("WINNOW_NAMESPACES", "Blue", "no patterns"),
        ("WINNOW_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR"),
        ("WINNOW_HEALTH_PORT", "65536", "from 0 to 65535"),
        ("WINNOW_METRICS_PORT", "-1", "from 0 to 65535"),
        ("WINNOW_METRICS_PORT", "\N{SUPERSCRIPT TWO}", "from 0 to 65535"),
        ("WINNOW_WORKERS", "0", "from 1 to 64"),
        ("WINNOW_WORKERS", "9" * 10_000, "from 1 to 64"),
        ("WINNOW_FINISHED_POD_TTL_SECONDS", "5m", "whole number"),
        ("WINNOW_STORAGE_URI", "s3://bucket", "pvc://CLAIM/PATH"),
        ("WINNOW_PROMETHEUS_URL", "prometheus:9090", "http://prometheus:9090"),
        ("WINNOW_STORAGE_URI", "pvc://Models/x", "pvc://CLAIM/PATH"),
        ("WINNOW_STORAGE_SIZE", "ten", "10Gi"),
        ("WINNOW_STORAGE_SIZE", "0", "10Gi"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(IMAGES | {variable: value})

    assert variable in str(caught.value)
    assert value[:10] in str(caught.value) or value == "blue,gr*"
    assert allowed in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("image", ["", "  "])
@pytest.mark.parametrize("what", ["trainer", "server"])
def test_a_missing_image_says_what_to_do(what: str, image: str) -> None:
    variable = f"WINNOW_{what.upper()}_IMAGE"
    with pytest.raises(SettingsError, match=f"{variable} is not set: name the {what} image"):
        read_settings(IMAGES | {variable: image})


def test_two_processes_on_one_machine_never_share_an_identity() -> None:
    assert read_settings(IMAGES).identity != read_settings(IMAGES).identity


ALL_NAMES = (
    "WINNOW_NAMESPACES",
    "WINNOW_POD_NAME",
    "WINNOW_POD_NAMESPACE",
    "WINNOW_LEASE_NAME",
    "WINNOW_LOG_LEVEL",
    "WINNOW_HEALTH_PORT",
    "WINNOW_METRICS_PORT",
    "WINNOW_STORAGE_URI",
    "WINNOW_STORAGE_SIZE",
    "WINNOW_STORAGE_CLASS",
    "WINNOW_FINISHED_POD_TTL_SECONDS",
    "WINNOW_WORKERS",
)
