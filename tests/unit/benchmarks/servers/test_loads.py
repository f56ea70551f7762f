"""What the program that asks over gRPC says of its requests, as figures."""

from __future__ import annotations

import pytest

from benchmarks.servers.loads import Load, read_h2load

OUTPUT = """\
starting benchmark...
Application protocol: h2c

finished in {time}, 1172.80 req/s, 63.06KB/s
requests: 5864 total, 5896 started, 5864 done, 5860 succeeded, 4 failed, 4 errored, 0 timeout
status codes: 5860 2xx, 0 3xx, 0 4xx, 0 5xx
"""
LOG = "".join(f"1764200000000000\t200\t{microseconds}\n" for microseconds in range(1000, 2001))


@pytest.mark.parametrize(("time", "seconds"), [("5.00s", 5.0), ("250.00ms", 0.25)])
def test_requests_and_times_are_read_from_its_words_and_its_log(time: str, seconds: float) -> None:
    found = read_h2load(OUTPUT.format(time=time), LOG)

    assert found == Load(5864, seconds, 4, p50_milliseconds=1.5, p99_milliseconds=1.99)


def test_words_without_figures_are_an_error() -> None:
    with pytest.raises(ValueError, match="says nothing of its requests: could not resolve"):
        read_h2load("could not resolve", "")
