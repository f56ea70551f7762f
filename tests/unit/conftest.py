"""Property tests of the unit suite: few examples, the same ones each time, no clock.

`scripts/test prove` runs them again with `--hypothesis-profile thorough`.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit",
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy with other things
)
settings.register_profile(
    "thorough", settings.get_profile("unit"), max_examples=200, derandomize=False, print_blob=True
)
settings.load_profile("unit")
