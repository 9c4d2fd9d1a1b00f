"""In `propose` a person is asked, and one word by name releases one outage."""

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud
from tests.daemon.controllers import Controller, until
from tests.daemon.test_operator import ninelives

from ninelives.app.demo_site import written

pytestmark = pytest.mark.timeout(180)

WHY = ("--reason", "its rack is dark")


@pytest.fixture
def proposing(tmp_path: Path, cloud: Cloud) -> Generator[Controller]:
    started = Controller("n1", written(tmp_path, "n1", cloud.served, mode="propose"))
    with started:
        until(started.sees_all_well)
        yield started


def test_an_outage_waits_for_leave_and_is_then_carried_through(
    cloud: Cloud, proposing: Controller
) -> None:
    nova, servers = cloud.login(), cloud.guests("c1")
    cloud.drive("c1", "off")

    until(lambda: "asks you for leave: c1" in ninelives(proposing, "status").stdout)
    shown = ninelives(proposing, "incident", "show", "c1/1").stdout
    assert "proposed, if somebody approves it" in shown
    assert "2 would come back" in shown
    assert nova("GET", "/os-migrations").body["migrations"] == []

    other = ninelives(proposing, "incident", "approve", "c2", *WHY)
    empty = ninelives(proposing, "incident", "approve", "c1/1", "--reason", " ")
    held = ninelives(proposing, "incident", "hold", "c1/1", "--reason", "wait for me")
    assert (other.returncode, empty.returncode, held.returncode) == (64, 77, 0)
    assert "on hold by" in ninelives(proposing, "status").stdout

    given = ninelives(proposing, "incident", "approve", "c1", *WHY)

    assert given.returncode == 0, given.stderr
    assert "its rack is dark" in given.stdout
    until(lambda: set(servers) <= {*cloud.guests("c2"), *cloud.guests("c3")})
    until(lambda: 'ninelives_hosts{state="vacated"} 1.0' in proposing.get("/metrics")[1])
    assert cloud.ran_twice() == {}
