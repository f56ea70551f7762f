"""Property tests of the unit suite: few examples, the same ones each time, no clock."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy with other things
)
settings.load_profile("unit")
