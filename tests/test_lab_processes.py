"""What the lab starts is known by number and birth, and ends with the lab."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ninelives.engine.errors import ConfigError
from ninelives.lab.hosts import Hosts
from ninelives.lab.places import Places, found
from ninelives.lab.processes import Processes, members, seen, until

SLEEPER = "import time; time.sleep(600)"
# A child in a session of its own, as RabbitMQ and its like make them.
ESCAPING = (
    f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}], "
    "start_new_session=True); time.sleep(600)"
)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    places = Places(tmp_path, ("c1", "c2"))
    places.prepare()
    return Processes(places)


def started(processes: Processes, name: str, program: str = SLEEPER) -> int:
    processes.start(name, [sys.executable, "-c", program])
    pid = processes.pid(name)
    assert pid is not None
    return pid


def test_what_runs_is_not_started_twice(processes: Processes) -> None:
    first = started(processes, "one")

    assert started(processes, "one") == first

    processes.end(["one"])


def test_an_end_leaves_nothing_of_the_session_and_no_record(processes: Processes) -> None:
    pid = started(processes, "one")

    processes.end(["one", "never-started"])

    assert members(pid) == []
    assert processes.pid("one") is None
    assert processes.names() == []


def test_who_left_the_session_is_found_by_the_mark_of_this_lab_alone(
    processes: Processes, tmp_path: Path
) -> None:
    stranger = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], env={**os.environ, "NINELIVES_LAB": f"{tmp_path}-other"}
    )
    try:
        started(processes, "one", ESCAPING)
        until(lambda: len(processes.strays()) == 2, "the child did not start")
        processes.end(["one"])
        assert len(processes.strays()) == 1

        assert processes.sweep() == 1

        assert processes.strays() == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_number_that_became_somebody_elses_is_never_signalled(processes: Processes) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        (processes.places.run / "one.pid").write_text(f"{stranger.pid} 1")

        processes.kill("one")

        assert seen(stranger.pid) is not None
        stranger.kill()


def test_a_program_that_ends_badly_names_its_log(processes: Processes) -> None:
    with pytest.raises(ConfigError, match=r"broken ended with 3(?s:.*)broken\.log"):
        processes.run("broken", [sys.executable, "-c", "raise SystemExit(3)"])


def test_a_lab_is_found_again_by_its_folder(processes: Processes, tmp_path: Path) -> None:
    assert found(tmp_path) == processes.places
    with pytest.raises(ConfigError, match="there is no lab in"):
        found(tmp_path / "elsewhere")


def guest(hosts: Hosts, host: str, uuid: str, state: int) -> None:
    folder = hosts.places.guests / host
    folder.mkdir(exist_ok=True)
    (folder / uuid).write_text(f"{state} instance-1\n")


def test_a_guest_that_runs_on_two_hosts_is_seen_and_one_that_is_shut_down_there_is_none(
    processes: Processes,
) -> None:
    hosts = Hosts(processes)
    one, two = "a" * 36, "b" * 36
    guest(hosts, "c1", one, 1)
    guest(hosts, "c2", one, 3)
    guest(hosts, "c1", two, 4)
    guest(hosts, "c2", two, 1)

    assert hosts.twice() == {one: {"c1", "c2"}}

    hosts.power_off("c1")

    assert hosts.twice() == {}
    assert hosts.running() == {one: {"c2"}, two: {"c2"}}
    assert not hosts.is_on("c1")
