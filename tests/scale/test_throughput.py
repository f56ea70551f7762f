"""The long proof of throughput: the benchmark's figures lie where they are expected."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.chart import ROOT

pytestmark = [pytest.mark.prove, pytest.mark.timeout(7200)]


def test_searches_keep_up_with_a_bare_job_of_the_same_pods() -> None:
    done = subprocess.run([ROOT / "benchmarks/throughput"], check=False, text=True)

    assert done.returncode == 0, "a figure is out of its range; the table above says which"
