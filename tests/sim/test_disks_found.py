"""What Nova takes for "no disk here": a mount that is missing, and not a backend that fails.

Found by the swarm (world 34 of seed hamc): a pet on its way lost its disk to a backend that went
down before the rebuild began.
"""

from dataclasses import replace

from tests.sim.small_world import C2, WEB, Story, small_setup

from ninelives.sim.compute import mounts_disks, sees_disks
from ninelives.sim.world import World


def test_a_disk_on_a_backend_that_is_down_is_not_built_anew() -> None:
    world = Story().run(2.0, (1.0, "storage ceph down")).world

    assert mounts_disks(world, C2, WEB)
    assert not sees_disks(world, C2, WEB)


def test_a_disk_on_a_backend_that_is_not_mounted_is() -> None:
    setup = small_setup()
    hosts = {**setup.site.hosts, C2: replace(setup.site.hosts[C2], backends=())}
    world = World(replace(setup, site=replace(setup.site, hosts=hosts)), 1)

    assert not mounts_disks(world, C2, WEB)
