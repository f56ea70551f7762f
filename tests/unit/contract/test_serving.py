"""The settings that the operator hands to an inference server."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.serving import Serving, read_serving, variables

SETTINGS = st.builds(
    Serving,
    model_uri=st.sampled_from(["", "pvc://models/a/b", "pvc://winnow-artifacts/x"]),
    model_digest=st.sampled_from(["", "sha256:" + "0a" * 32]),
    model_source=st.just(Path("/mnt/source")),
    model_folder=st.sampled_from([Path("/mnt/model"), Path("/tmp/x")]),  # noqa: S108 -- any path
    model_name=st.sampled_from(["digits", "a", "x.y_z-1"]),
    model_revision=st.integers(1, 2**31),
    threads=st.integers(1, 1024),
    batching=st.booleans(),
    max_batch=st.integers(1, 65536),
    max_queue=st.integers(1, 1_000_000),
    max_request_bytes=st.integers(1024, 1 << 32),
    connection_max_age=st.integers(0, 86400),
    drain_seconds=st.integers(0, 3600),
    access_log=st.booleans(),
    fault_digest=st.just("sha256:" + "0a" * 32),
    fault_delay_factor=st.floats(1, 1000),
    fault_crash_seconds=st.integers(0, 86400),
    port=st.integers(0, 65535),
    termination_log=st.just(Path("/dev/termination-log")),
)


@given(SETTINGS)
def test_what_the_operator_writes_is_what_the_server_reads(serving: Serving) -> None:
    assert read_serving(variables(serving)) == serving


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_serving({}) == Serving()
    assert variables(Serving()) == {}


def test_every_setting_has_a_variable_of_its_own() -> None:
    odd = Serving(**{field.name: "odd" for field in fields(Serving)})  # type: ignore[arg-type]

    written = variables(odd)

    assert len(written) == len(fields(Serving))
    assert all(name.startswith("WINNOW_") for name in written)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WINNOW_MODEL_URI", "s3://bucket/model"),
        ("WINNOW_MODEL_URI", "pvc://models/../x"),
        ("WINNOW_MODEL_DIGEST", "0a" * 32),
        ("WINNOW_MODEL_NAME", "a/b"),
        ("WINNOW_MODEL_REVISION", "0"),
        ("WINNOW_THREADS", "0"),
        ("WINNOW_THREADS", "1.5"),
        ("WINNOW_MAX_BATCH", "-1"),
        ("WINNOW_BATCHING", "yes"),
        ("WINNOW_FAULT_DIGEST", "0a" * 32),
        ("WINNOW_FAULT_DELAY_FACTOR", "2"),  # of no model
        ("WINNOW_FAULT_CRASH_SECONDS", "30"),
        ("WINNOW_PORT", "70000"),
    ],
)
def test_an_odd_setting_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=name):
        read_serving({name: value})


FAULTY = {"WINNOW_FAULT_DIGEST": "sha256:" + "0a" * 32}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WINNOW_FAULT_DELAY_FACTOR", "0.5"),
        ("WINNOW_FAULT_DELAY_FACTOR", "nan"),
        ("WINNOW_FAULT_CRASH_SECONDS", "-1"),
        ("WINNOW_FAULT_ERRORS", "1"),
    ],
)
def test_an_odd_fault_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(EnvironmentVariableError, match=name):
        read_serving({**FAULTY, name: value})


@pytest.mark.parametrize(("digit", "faults"), [("a", (3.0, 30)), ("b", (1.0, 0))])
def test_only_the_named_model_has_faults(digit: str, faults: tuple[float, int]) -> None:
    given = {"WINNOW_FAULT_DELAY_FACTOR": "3", "WINNOW_FAULT_CRASH_SECONDS": "30"}
    served = {"WINNOW_MODEL_DIGEST": f"sha256:{f'0{digit}' * 32}"}

    serving = read_serving({**FAULTY, **given, **served})

    assert (serving.delay_factor, serving.crash_seconds) == faults
