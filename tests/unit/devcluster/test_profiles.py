"""Profiles: names, slots, and addresses that never meet."""

from __future__ import annotations

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devcluster.errors import DevclusterError
from devcluster.profiles import SLOTS, Profile, claim_slot, known_profiles, open_profile

SLOT = st.integers(min_value=0, max_value=SLOTS - 1)


def networks(profile: Profile) -> list[ipaddress.IPv4Network]:
    cable = ipaddress.ip_network(f"{profile.host_address}/30", strict=False)
    ranges = (profile.pod_range, profile.service_range)
    return [ipaddress.IPv4Network(cable), *(ipaddress.IPv4Network(r) for r in ranges)]


@given(first=SLOT, second=SLOT)
def test_networks_of_two_slots_do_not_overlap(first: int, second: int) -> None:
    own, other = networks(Profile("a", first)), networks(Profile("b", second))
    pairs = list(combinations(own, 2))
    if first != second:
        pairs += [(one, two) for one in own for two in other]

    assert not any(one.overlaps(two) for one, two in pairs)


@given(slot=SLOT)
def test_every_address_lies_in_its_network(slot: int) -> None:
    profile = Profile("a", slot)
    cable, pods, services = networks(profile)

    assert ipaddress.ip_address(profile.node_address) in cable
    assert ipaddress.ip_address(profile.bridge_address) in pods
    assert ipaddress.ip_address(profile.first_service) in services
    assert ipaddress.ip_address(profile.dns_service) in services


def test_the_name_of_the_interface_fits_the_kernels_limit() -> None:
    assert len(Profile("a" * 20, SLOTS - 1).interface) <= 15


@pytest.mark.parametrize("name", ["", "Dev", "a_b", "-a", "a-", "1a", "a/b", "..", "a" * 21])
def test_a_name_that_cannot_be_used_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(DevclusterError, match="lower-case letters, digits and '-'") as caught:
        open_profile(name)

    assert repr(name) in str(caught.value)


def test_a_profile_keeps_its_slot() -> None:
    first, second = open_profile("first"), open_profile("second")

    assert open_profile("first") == first
    assert open_profile("second") == second
    assert first.slot != second.slot


def test_profiles_opened_at_one_time_get_slots_of_their_own() -> None:
    names = [f"p{i}" for i in range(20)]
    with ThreadPoolExecutor(max_workers=10) as pool:
        opened = list(pool.map(open_profile, names))

    assert len({p.slot for p in opened}) == len(names)
    assert sorted(p.name for p in known_profiles()) == sorted(names)


def test_a_slot_that_is_used_elsewhere_is_avoided() -> None:
    profile = open_profile("dev")

    moved = claim_slot("dev", avoid={profile.slot})

    assert moved.slot != profile.slot
    assert open_profile("dev") == moved


def test_without_a_free_slot_the_error_says_how_to_get_one() -> None:
    with pytest.raises(DevclusterError, match="down --purge --profile NAME"):
        claim_slot("dev", avoid=range(SLOTS))


def test_a_token_is_read_by_the_components_name(cache: Path) -> None:
    profile = open_profile("dev")
    folder = cache / "profiles/dev/state/pki"
    folder.mkdir(parents=True)
    (folder / "tokens.csv").write_text('abc,kubernetes-admin,admin,"system:masters"\n')

    assert profile.token("admin") == "abc"
    with pytest.raises(DevclusterError, match=r"no user 'root'; there are admin"):
        profile.token("root")


def test_a_profile_that_is_down_has_no_tokens() -> None:
    with pytest.raises(DevclusterError, match="dev is not up"):
        open_profile("dev").token("admin")
