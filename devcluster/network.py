"""The node's network: a cable to the host, and the bridge that pods are plugged into.

All of it hangs on the node's network namespace, so it vanishes with its last process. The host
gets one interface and two routes through it, and neither rules of iptables nor forwarding.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.machine import inside
from devcluster.profiles import Profile, claim_slot

BRIDGE = "cni0"
_TRIES, _SECONDS_TO_GO = 10, 3.0


def connect(profile: Profile, node: int) -> Profile:
    """Plug the node in; gives the profile, with another slot if its own is in use elsewhere.

    Another cache folder's profile may have the same slot; the kernel lets only one make the
    interface.

    Raises:
        DevclusterError: if no slot is free.
    """
    used: set[int] = set()
    for _ in range(_TRIES):
        if _make_cable(profile, node):
            break
        used.add(profile.slot)
        profile = claim_slot(profile.name, used)
    else:
        raise DevclusterError(
            f"no free interface among {sorted(used)}; `ip link` shows who has them"
        )
    _configure_node(profile, node)
    _configure_host(profile)
    return profile


def _make_cable(profile: Profile, node: int) -> bool:
    if Path("/sys/class/net", profile.interface).exists():
        return False
    peer = ("peer", "name", "eth0", "netns", str(node))
    done = _ip("link", "add", profile.interface, "type", "veth", *peer)
    if done.returncode != 0 and "File exists" not in done.stderr:
        raise DevclusterError(
            f"no interface could be made: {done.stderr.strip()}. The kernel needs the module veth, "
            "and this user CAP_NET_ADMIN"
        )
    return done.returncode == 0


def _configure_node(profile: Profile, node: int) -> None:
    lines = (
        "link set lo up",
        f"addr add {profile.node_address}/30 dev eth0",
        "link set eth0 up",
        f"link add {BRIDGE} type bridge",
        f"addr add {profile.bridge_address}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    )
    inside(node, "ip", "-batch", "-", text="\n".join(lines) + "\n")
    inside(node, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def _configure_host(profile: Profile) -> None:
    device = ("dev", profile.interface)
    commands = (
        ("addr", "add", f"{profile.host_address}/30", *device),
        ("link", "set", profile.interface, "up"),
        ("route", "add", profile.pod_range, "via", profile.node_address, *device),
        ("route", "add", profile.service_range, "via", profile.node_address, *device),
    )
    for command in commands:
        done = _ip(*command)
        if done.returncode != 0:
            raise DevclusterError(f"`ip {' '.join(command)}` failed: {done.stderr.strip()}")


def wait_for_cable_to_go(profile: Profile) -> None:
    """Wait for the kernel, which takes a node's interface away a moment after its last process.

    One that stays is another cache's, whose slot is the same: `connect` goes round it.
    """
    deadline = time.monotonic() + _SECONDS_TO_GO
    while Path("/sys/class/net", profile.interface).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def _ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
