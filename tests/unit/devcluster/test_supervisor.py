"""The supervisor, run as a plain process: namespaces do not matter for what it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from devcluster.errors import DevclusterError
from devcluster.machine import component_status, find_node, launch
from devcluster.profiles import Profile, open_profile
from devcluster.supervisor import LONGEST_PAUSE, Component
from devcluster.waiting import wait_for
from tests.support.chart import ROOT

Eventually = Callable[[Callable[[], bool]], None]
SLEEPER = ["sh", "-c", "echo started; exec sleep 600"]
PROGRAM = """
import sys
from pathlib import Path
from devcluster.supervisor import Supervisor
Supervisor(Path(sys.argv[1])).run()
"""


@pytest.fixture
def profile() -> Profile:
    made = open_profile("dev")
    for name in ("components", "logs"):
        (made.state / name).mkdir(parents=True)
    return made


@pytest.fixture
def supervisor(profile: Profile, eventually: Eventually) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(profile.state)], cwd=ROOT)
    # Its first status shows that it has signals in hand.
    eventually((profile.state / "components.status").exists)
    yield process.pid
    launch(profile, process.pid, {name: ["true"] for name in component_status(profile)})
    process.terminate()
    assert process.wait(10) == 0


def log(profile: Profile, name: str) -> str:
    path = profile.logs / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_a_component_is_started_and_its_words_are_in_its_log(
    profile: Profile, supervisor: int, eventually: Eventually
) -> None:
    launch(profile, supervisor, {"a": SLEEPER})

    eventually(lambda: log(profile, "a") == "started\n")
    assert component_status(profile)["a"]["running"] is True


def test_a_component_that_goes_on_is_not_started_twice(
    profile: Profile, supervisor: int, eventually: Eventually
) -> None:
    launch(profile, supervisor, {"a": SLEEPER})
    eventually(lambda: log(profile, "a") == "started\n")

    launch(profile, supervisor, {"a": SLEEPER, "b": SLEEPER})
    eventually(lambda: log(profile, "b") == "started\n")

    assert log(profile, "a") == "started\n"


def test_a_component_is_started_anew_when_asked_or_when_its_command_changes(
    profile: Profile, supervisor: int, eventually: Eventually
) -> None:
    launch(profile, supervisor, {"a": SLEEPER})
    launch(profile, supervisor, {"a": SLEEPER}, again=True)
    launch(profile, supervisor, {"a": ["sh", "-c", "echo other; exec sleep 600"]})

    eventually(lambda: log(profile, "a").endswith("other\n"))


def test_a_component_that_ends_is_started_again(
    profile: Profile, supervisor: int, eventually: Eventually
) -> None:
    launch(profile, supervisor, {"a": ["sh", "-c", "echo once more; exit 3"]})

    eventually(lambda: log(profile, "a").count("once more") >= 2)
    assert component_status(profile)["a"]["last_exit"] == 3


def test_a_missing_program_is_a_failure_with_words_in_the_log(
    profile: Profile, supervisor: int, eventually: Eventually
) -> None:
    launch(profile, supervisor, {"a": ["/no/such/program"], "b": SLEEPER})

    eventually(lambda: "/no/such/program" in log(profile, "a"))
    eventually(lambda: component_status(profile)["b"]["running"])
    assert component_status(profile)["a"]["failures"] >= 1


def test_components_can_be_ended_by_signals_although_the_supervisor_blocks_them(
    profile: Profile, supervisor: int, eventually: Eventually
) -> None:
    launch(profile, supervisor, {"a": ["sh", "-c", "echo $$; exec sleep 600"]})
    eventually(lambda: log(profile, "a") != "")

    os.kill(int(log(profile, "a")), signal.SIGTERM)

    eventually(lambda: component_status(profile)["a"]["last_exit"] == -signal.SIGTERM)


def test_waiting_for_a_component_that_keeps_ending_shows_the_end_of_its_log(
    profile: Profile,
) -> None:
    status = {"a": {"running": False, "turn": 1, "failures": 5, "last_exit": 1}}
    (profile.state / "components.status").write_text(json.dumps(status))
    (profile.logs / "a.log").write_text("first\nthe reason\n")

    with pytest.raises(DevclusterError, match="the reason") as caught:
        wait_for(profile, "a", "something", lambda: False)

    assert str(profile.logs / "a.log") in str(caught.value)
    assert "a ended 5 times" in str(caught.value)


def test_waiting_too_long_says_for_what_and_how_long(profile: Profile) -> None:
    with pytest.raises(DevclusterError, match="the moon did not come in 0 s"):
        wait_for(profile, "a", "the moon", lambda: False, seconds=0)


def test_pauses_grow_to_a_limit_and_begin_anew_after_a_good_run() -> None:
    component = Component("a", {})
    pauses = []
    for _ in range(12):
        component.ended(1, now=0.0)
        pauses.append(component.start_after)

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.5, LONGEST_PAUSE)
    component.ended(1, now=1000.0)
    assert component.start_after == 1000.5


def test_a_profile_without_a_node_has_no_process_one(profile: Profile) -> None:
    assert find_node(profile) is None
