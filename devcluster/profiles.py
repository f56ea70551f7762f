"""Profiles: clusters that live side by side and never meet, and where their files lie.

$WINNOW_CACHE/devcluster/            default: $XDG_CACHE_HOME/winnow or ~/.cache/winnow
    bin-<hash>/                      binaries, by the hash of what they are built from
    registry/                        blobs of the local image registry, for all profiles
    profiles/<name>/slot             number that its addresses are made from
    profiles/<name>/lock             held while a command works on the profile
    profiles/<name>/containerd/      images: kept by `down`, so that the next `up` is quick
    profiles/<name>/state/           everything else: removed by `down`
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError

SLOTS = 50
_NAME = re.compile(r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")


def cache_root() -> Path:
    """Folder that survives between runs; without links, because nodes are found by its name."""
    chosen = os.environ.get("WINNOW_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(chosen) if chosen else Path(base) / "winnow"
    return folder.resolve() / "devcluster"


@dataclass(frozen=True, slots=True)
class Profile:
    """One cluster: its folder and the addresses that follow from its slot."""

    name: str
    slot: int

    @property
    def root(self) -> Path:
        """Folder of the profile."""
        return cache_root() / "profiles" / self.name

    @property
    def state(self) -> Path:
        """What `down` removes."""
        return self.root / "state"

    @property
    def images(self) -> Path:
        """Images as containerd stores them; `down` keeps them."""
        return self.root / "containerd"

    @property
    def logs(self) -> Path:
        """Folder of the components' logs."""
        return self.state / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, JSON lines."""
        return self.state / "audit.log"

    @property
    def host_address(self) -> str:
        """The host's end of the cable to the node."""
        return f"10.220.{self.slot}.1"

    @property
    def node_address(self) -> str:
        """The node's end; the API server listens here."""
        return f"10.220.{self.slot}.2"

    @property
    def pod_range(self) -> str:
        """Addresses of pods."""
        return f"10.221.{self.slot}.0/24"

    @property
    def bridge_address(self) -> str:
        """The node's address on the pods' bridge."""
        return f"10.221.{self.slot}.1"

    @property
    def service_range(self) -> str:
        """Addresses of Services."""
        return f"10.222.{self.slot}.0/24"

    @property
    def first_service(self) -> str:
        """Address of the Service `kubernetes`."""
        return f"10.222.{self.slot}.1"

    @property
    def dns_service(self) -> str:
        """Address of the Service `kube-dns`."""
        return f"10.222.{self.slot}.10"

    @property
    def interface(self) -> str:
        """Name of the host's network interface."""
        return f"winnow{self.slot}"

    @property
    def cgroup(self) -> str:
        """Control group below which all pods run; no other cache's profile has the same."""
        return f"winnow-{self.name}-{hashlib.sha256(str(self.root).encode()).hexdigest()[:6]}"

    def token(self, user: str) -> str:
        """A component's bearer token; `devcluster.credentials.USERS` lists whose there are.

        Raises:
            DevclusterError: if the cluster is not up or has no such user.
        """
        return read_token(self, user)


def open_profile(name: str) -> Profile:
    """The profile of this name, with a slot of its own.

    Raises:
        DevclusterError: if the name cannot be used or no slot is left.
    """
    if not _NAME.match(name):
        raise DevclusterError(
            f"profile {name!r} cannot be used: allowed are lower-case letters, digits and '-', "
            "at most 20, beginning with a letter"
        )
    root = cache_root() / "profiles" / name
    slot_file = root / "slot"
    if not slot_file.exists():
        return claim_slot(name)
    return Profile(name, int(slot_file.read_text()))


def claim_slot(name: str, avoid: Container[int] = ()) -> Profile:
    """Give the profile a slot that no other profile has.

    Raises:
        DevclusterError: if no slot is left.
    """
    folder = cache_root() / "profiles"
    (folder / name).mkdir(parents=True, exist_ok=True)
    with (folder / ".slots.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = {p.slot for p in known_profiles() if p.name != name}
        for slot in range(SLOTS):
            if slot not in taken and slot not in avoid:
                new = folder / name / ".slot.new"
                new.write_text(str(slot))
                new.rename(folder / name / "slot")  # whole or not at all
                return Profile(name, slot)
    raise DevclusterError(
        f"all {SLOTS} slots are taken: remove a profile with `down --purge --profile NAME`"
    )


def known_profiles() -> list[Profile]:
    """All profiles that have a folder."""
    files = sorted((cache_root() / "profiles").glob("*/slot"))
    return [Profile(f.parent.name, int(f.read_text())) for f in files]


def read_token(profile: Profile, user: str) -> str:
    """See `Profile.token`.

    Raises:
        DevclusterError: if the profile is not up or has no such user.
    """
    path = profile.state / "pki" / "tokens.csv"
    if not path.exists():
        raise DevclusterError(f"profile {profile.name} is not up, so it has no tokens")
    users = {line.split(",")[2]: line.split(",")[0] for line in path.read_text().splitlines()}
    if user not in users:
        raise DevclusterError(f"there is no user {user!r}; there are {', '.join(sorted(users))}")
    return users[user]
