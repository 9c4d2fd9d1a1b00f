"""The whole of it in true time: real controllers, true HTTP, a cloud whose host loses its power."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud, Nova
from tests.daemon.controllers import Controller, until

from ninelives.app.demo_site import CONTROLLERS, written

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def controllers(tmp_path: Path, cloud: Cloud) -> Generator[list[Controller]]:
    cloud.reset(spawn_s=50.0)  # a second each, at this pace
    first, second = (
        Controller(name, written(tmp_path, name, cloud.served)) for name in CONTROLLERS
    )
    with first, second:
        yield [first, second]


def settled(controllers: list[Controller]) -> Controller:
    """Wait until one leads and has seen every host do well; return it."""
    until(lambda: any(each.leads() for each in controllers if each.is_alive()))
    leader = next(each for each in controllers if each.leads())
    until(leader.sees_all_well)
    return leader


def evacuations(nova: Nova) -> Counter[str]:
    """Count Nova's records of evacuations by server: one for each send that it accepted."""
    records = nova("GET", "/os-migrations?migration_type=evacuation").body["migrations"]
    return Counter(record["instance_uuid"] for record in records)


def is_recovered(cloud: Cloud, servers: list[str]) -> bool:
    running = {guest for host in ("c2", "c3") for guest in cloud.guests(host)}
    return set(servers) <= running


def test_a_host_that_lost_its_power_is_proved_off_and_its_servers_come_back(
    cloud: Cloud, controllers: list[Controller]
) -> None:
    nova = cloud.login()
    leader, servers = settled(controllers), cloud.guests("c1")
    assert len(servers) == 2

    cloud.drive("c1", "off")

    until(lambda: is_recovered(cloud, servers))
    until(lambda: 'ninelives_hosts{state="vacated"} 1.0' in leader.get("/metrics")[1])
    assert evacuations(nova) == dict.fromkeys(servers, 1)
    assert cloud.ran_twice() == {}
    assert [each.end() for each in controllers] == [0, 0]


def test_the_standby_goes_on_where_the_leader_was_killed(
    cloud: Cloud, controllers: list[Controller]
) -> None:
    nova = cloud.login()
    leader, servers = settled(controllers), cloud.guests("c1")
    [standby] = [each for each in controllers if each is not leader]

    cloud.drive("c1", "off")
    until(lambda: evacuations(nova))
    leader.kill()

    until(standby.leads)
    until(lambda: is_recovered(cloud, servers))
    assert evacuations(nova) == dict.fromkeys(servers, 1)
    assert cloud.ran_twice() == {}
    assert standby.end() == 0


def test_a_sigterm_hands_over_at_once(cloud: Cloud, controllers: list[Controller]) -> None:
    leader = settled(controllers)
    [standby] = [each for each in controllers if each is not leader]

    assert leader.end() == 0

    until(standby.leads, 4.0)  # less than the lease


def test_in_observe_nothing_leaves(cloud: Cloud, tmp_path: Path) -> None:
    nova = cloud.login()
    with Controller("n1", written(tmp_path, "n1", cloud.served, mode="observe")) as watching:
        settled([watching])

        cloud.drive("c1", "off")

        until(lambda: any("held:mode" in str(line) for line in watching.said("told")))
        assert watching.end() == 0
    assert evacuations(nova) == {}
    service = nova("GET", "/os-services?host=c1").body["services"][0]
    assert not service["forced_down"]
    assert service["status"] == "enabled"
