"""All dashboards. `scripts/dashboards` writes them to where the chart ships them from.

Queries go to the metrics themselves, not to recording rules, which an installation may not have.
Series of the operator have labels `job_...` and `server_...`; those of trial and server pods have
what the scrape gives them (docs/metrics.md).
"""

from __future__ import annotations

from monitoring.cluster import CLUSTER
from monitoring.jobs import COMPRESSION, SEARCH
from monitoring.servers import SERVER

DASHBOARDS = (CLUSTER, SEARCH, COMPRESSION, SERVER)
