"""Copies of stored objects, written straight into the etcd of a devcluster: thousands in a second.

Through the API server a hundred thousand objects with a status take twice as many calls, half an hour of
two cores. What is written here are the very bytes that the API server has stored of one object, with
other names and uids; it hears of them from etcd as of any other change.

Run as a program within the node, where etcd listens: reads an Order as JSON from its input.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import urllib.request
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

ETCD = "http://127.0.0.1:2379/v3/kv"
"""Its gateway, which speaks JSON: https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway"""
MAX_OPERATIONS = 100
"""Of one transaction; etcd takes 128."""
_OWN_UID = re.compile(
    r'("uid":")[0-9a-f-]{36}(",)(?="resourceVersion"|"generation"|"creationTimestamp")'
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be copied, and for whom."""

    prefix: str
    """Of the keys of all objects that belong to the owner."""
    owner: str
    """Name with which all their names begin, and a hyphen."""
    owner_uid: str
    copies: list[tuple[str, str]]
    """Name and uid of each owner that gets copies of them."""

    def text(self) -> str:
        """As the program reads it."""
        return json.dumps(asdict(self))


def read_order(text: str) -> Order:
    """The order in a text."""
    found = json.loads(text)
    found["copies"] = [(name, uid) for name, uid in found["copies"]]
    return Order(**found)


def renamed(order: Order, text: str, name: str, uid: str) -> str:
    """An object, as it is stored, as one of another owner."""
    begins = re.compile(rf'"{re.escape(order.owner)}(?=["-])')
    own = uuid.uuid4()
    text = begins.sub(f'"{name}', text).replace(order.owner_uid, uid)
    return _OWN_UID.sub(rf"\g<1>{own}\g<2>", text, count=1)


def carry_out(order: Order) -> int:
    """Write all copies; gives their number."""
    stored = list(_stored(order.prefix))
    made = 0
    for name, uid in order.copies:
        pairs = [
            (
                key.replace(f"/{order.owner}-", f"/{name}-"),
                renamed(order, text, name, uid),
            )
            for key, text in stored
        ]
        for start in range(0, len(pairs), MAX_OPERATIONS):
            _put(pairs[start : start + MAX_OPERATIONS])
        made += len(pairs)
    return made


def _stored(prefix: str) -> Iterable[tuple[str, str]]:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    found = _ask("range", {"key": _coded(prefix), "range_end": _coded(end)})
    for entry in found.get("kvs", ()):
        yield _decoded(entry["key"]), _decoded(entry["value"])


def _put(pairs: Iterable[tuple[str, str]]) -> None:
    puts = [{"request_put": {"key": _coded(k), "value": _coded(v)}} for k, v in pairs]
    _ask("txn", {"success": puts})


def _ask(what: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(f"{ETCD}/{what}", json.dumps(body).encode())  # noqa: S310 -- http
    with urllib.request.urlopen(request) as answer:  # noqa: S310 -- http
        return json.load(answer)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


if __name__ == "__main__":
    print(carry_out(read_order(sys.stdin.read())))  # noqa: T201 -- what the caller reads
