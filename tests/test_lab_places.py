"""The networks of labs: each has its own, and all of them have names that the kernel takes."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from ninelives.lab import planes
from ninelives.lab.places import LOOPBACK, OF_HOSTS, SLOTS, Network, Places

MOST = tuple(f"c{number}" for number in range(1, 41))  # hosts, that `lab up` takes
LETTERS_MAX = 15  # IFNAMSIZ of linux/if.h, without the zero
PLACES = Places(Path("/nowhere"), MOST)
OF_ALL = [replace(PLACES, slot=slot) for slot in range(SLOTS)]


def test_no_two_labs_and_no_two_planes_share_a_network() -> None:
    nets = [places.at(network, 0) for places in OF_ALL for network in Network]

    assert len(set(nets)) == SLOTS * len(Network)
    assert all(ip_address(each) in ip_network("198.18.0.0/15") for each in nets)


def test_no_two_of_a_network_share_an_address_or_a_card() -> None:
    for places in (OF_ALL[0], OF_ALL[-1]):
        hosts = [places.host_at(network, host) for network in Network for host in MOST]
        others = [places.at(network, 1) for network in Network]
        all_of_them = [*hosts, *others, places.chassis_address]

        assert len(set(all_of_them)) == len(all_of_them)
        assert len(set(map(planes.card, all_of_them))) == len(all_of_them)


def test_every_interface_has_a_name_that_the_kernel_takes() -> None:
    last = OF_ALL[-1]
    ends = [planes.port_of(last, net, host) for net in Network for host in (*MOST, planes.CHASSIS)]
    names = [*ends, *(planes.bridge_of(last, net) for net in Network), *Network]

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
