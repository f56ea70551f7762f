"""`helm test`: every replica is ready, and exactly one of them leads.

Runs in the operator's image with the standard library alone.
"""

import os
import socket
import sys
import time
from urllib.request import urlopen

DEADLINE_SECONDS = 90
LEADER = "winnow_leader_election_master_status "


def addresses() -> list[str]:
    """The ready replicas' addresses: what the headless Service's name resolves to."""
    try:
        found = socket.getaddrinfo(os.environ["SERVICE"], None, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(entry[4][0]) for entry in found})


def read(address: str, port: str, path: str) -> str:
    """Body of a page of one replica."""
    host = f"[{address}]" if ":" in address else address
    with urlopen(f"http://{host}:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def leads(address: str) -> bool:
    """Whether this replica says that it holds the Lease."""
    page = read(address, os.environ["METRICS_PORT"], "/metrics")
    values = [line for line in page.splitlines() if line.startswith(LEADER)]
    return any(float(line.removeprefix(LEADER)) == 1 for line in values)


def verdict() -> str:
    """What is still wrong, or nothing."""
    wanted, found = int(os.environ["REPLICAS"]), addresses()
    if len(found) < wanted:
        return f"{len(found)} of {wanted} replicas are ready"
    try:
        for address in found:
            read(address, os.environ["HEALTH_PORT"], "/readyz")
        leaders = sum(leads(address) for address in found)
    except OSError as error:
        return f"a replica does not answer: {error}"
    return "" if leaders == min(1, wanted) else f"{leaders} replicas lead, expected exactly 1"


def main() -> int:
    """Ask until all is well, or the time is over."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while problem := verdict():
        sys.stdout.write(f"{problem}\n")
        sys.stdout.flush()
        if time.monotonic() > deadline:
            return 1
        time.sleep(2)
    sys.stdout.write("all replicas are ready and one of them leads\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
