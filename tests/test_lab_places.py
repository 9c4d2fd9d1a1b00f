"""The networks of labs: each has its own, and all of them have names that the kernel takes."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from ninelives.lab import planes
from ninelives.lab.places import LOOPBACK, OF_HOSTS, SLOTS, Network, Places, found

MOST = tuple(f"c{number}" for number in range(1, 41))  # hosts, that `lab up` takes
LETTERS_MAX = 15  # IFNAMSIZ of linux/if.h, without the zero
CONTROLLERS = ("ctl1", "ctl2", "ctl3")
PLACES = Places(Path("/nowhere"), MOST, controllers=CONTROLLERS)
OF_ALL = [replace(PLACES, slot=slot) for slot in range(SLOTS)]


def test_no_two_labs_and_no_two_planes_share_a_network() -> None:
    nets = [places.at(network, 0) for places in OF_ALL for network in Network]

    assert len(set(nets)) == SLOTS * len(Network)
    assert all(ip_address(each) in ip_network("198.18.0.0/15") for each in nets)


def test_no_two_of_a_network_share_an_address_or_a_card() -> None:
    for places in (OF_ALL[0], OF_ALL[-1]):
        hosts = [places.host_at(network, host) for network in Network for host in places.machines]
        others = [places.at(network, 1) for network in Network]
        uplinks = map(places.uplink_at, CONTROLLERS)
        all_of_them = [*hosts, *others, *uplinks, places.chassis_address]

        assert len(set(all_of_them)) == len(all_of_them)
        assert len(set(map(planes.card, all_of_them))) == len(all_of_them)


def test_every_interface_has_a_name_that_the_kernel_takes() -> None:
    last = OF_ALL[-1]
    bmcs = [planes.port_of(last, Network.OOB, host) for host in (*last.machines, planes.CHASSIS)]
    ends = [cable.name for host in last.machines for cable in planes.cables(last, host)]
    names = [*bmcs, *ends, *(planes.bridge_of(last, net) for net in Network), *Network]

    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= LETTERS_MAX


def test_a_lab_without_networks_is_on_loopback_alone() -> None:
    urls = [PLACES.url(part) for part in ("keystone", "nova", "database")]

    assert all(f"//{LOOPBACK}:" in url for url in [*urls, PLACES.bmc_url("c1")])
    assert all(address.startswith("127.") for address, _ in PLACES.probed("c1").values())


def test_what_only_the_control_plane_asks_is_on_no_network() -> None:
    places = OF_ALL[7]

    assert places.address_of("database") == LOOPBACK
    assert places.address_of("messages") == places.at(OF_HOSTS[0], 1)


def test_a_lab_is_found_as_it_was_begun(tmp_path: Path) -> None:
    places = replace(PLACES, folder=tmp_path, slot=7, parts=("openstack", "pacemaker"))

    places.prepare()

    assert found(tmp_path) == places


def test_a_lab_of_an_older_version_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text('{"hosts": ["c1"], "first_port": 15000, "slot": null}')

    assert found(tmp_path) == Places(tmp_path, ("c1",))
