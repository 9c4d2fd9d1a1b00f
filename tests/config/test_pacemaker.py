"""What the cluster calls hosts and devices, as the configuration names them."""

import pytest
from tests.config.conftest import Read

from ninelives.app.pacemaker import known_of
from ninelives.core.model import HostId
from ninelives.engine.errors import ConfigError

C1, C2 = HostId("c1"), HostId("c2")


def test_nobody_follows_a_cluster_unless_told_to(read: Read) -> None:
    assert read().pacemaker_every_s is None
    assert read(watching="[pacemaker]\nwatch = true\n").pacemaker_every_s == 1.0


def test_a_host_is_its_node_and_a_device_its_resource(read: Read) -> None:
    named = 'rack = "r1"\ncluster_node = "remote-c1"'
    device = 'verified = true\ncluster_device = "ipmi-c1"'

    known = known_of(read(('rack = "r1"', named), ("verified = true", device)))

    assert known.nodes == {"remote-c1": C1, "c2": C2}
    assert known.roads == {C1: {"ipmi-c1": "c1/redfish/1"}, C2: {}}


def test_two_roads_of_a_host_that_are_one_device_of_the_cluster_are_refused(read: Read) -> None:
    device = 'verified = true\ncluster_device = "ipmi-c1"\n\n'
    other = '[[host.bmc]]\naddress = "https://10.9.0.9"\ncluster_device = "ipmi-c1"'

    with pytest.raises(ConfigError, match="two power devices of 'c1' would be 'ipmi-c1'"):
        read(("verified = true", device + other))
