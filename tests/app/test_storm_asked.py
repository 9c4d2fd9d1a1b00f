"""What the fence agent is told when it asks whether a storm would hold a shot."""

from dataclasses import replace

from tests.core.small_cloud import SmallCloud

from ninelives.app.views import storm
from ninelives.core.model import HostId


def test_without_a_storm_nothing_holds() -> None:
    cloud = SmallCloud().started()

    assert storm(cloud.cluster, HostId("c1"), cloud.now) == {"held": ""}


def test_a_storm_says_where_and_how_many() -> None:
    cloud = SmallCloud().started()
    shots = tuple((cloud.now, HostId(host)) for host in ("c2", "c3"))
    cloud.cluster.control = replace(cloud.cluster.control, shots=shots)

    held = storm(cloud.cluster, HostId("c1"), cloud.now)["held"]

    assert isinstance(held, str)
    assert "3 of at most 1" in held
