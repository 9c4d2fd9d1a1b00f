"""Each host of the stand-in can be probed: its ports open and close with its kernel."""

import socket

from .cloud_client import Cloud, until


def answers(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5.0).close()
    except (ConnectionRefusedError, ConnectionResetError):  # closed, or closing just now
        return False
    return True


def heard(cloud: Cloud, host: str) -> dict[str, bool]:
    return {plane: answers(at) for plane, at in cloud.served.addresses[host].items()}


def test_a_host_that_loses_power_closes_its_ports_until_it_booted_again(cloud: Cloud) -> None:
    assert set(heard(cloud, "c1").values()) == {True}

    cloud.drive("c1", "off")

    until(lambda: set(heard(cloud, "c1").values()) == {False})
    assert set(heard(cloud, "c2").values()) == {True}
    cloud.drive("c1", "on")
    until(lambda: set(heard(cloud, "c1").values()) == {True})


def test_a_bmc_closes_them_too(cloud: Cloud) -> None:
    reset = "/Systems/c1/Actions/ComputerSystem.Reset"
    cloud.redfish("c1", "POST", reset, {"ResetType": "ForceOff"})

    until(lambda: set(heard(cloud, "c1").values()) == {False})


def test_a_cut_plane_and_a_frozen_kernel_are_not_heard(cloud: Cloud) -> None:
    cloud.drive("c1", "cut", plane="storage")
    cloud.drive("c2", "freeze")

    until(lambda: set(heard(cloud, "c2").values()) == {False})
    assert heard(cloud, "c1") == {"management": True, "storage": False, "tenant": True}
    cloud.drive("c1", "mend", plane="storage")
    cloud.drive("c2", "thaw")
    until(lambda: {*heard(cloud, "c1").values(), *heard(cloud, "c2").values()} == {True})
