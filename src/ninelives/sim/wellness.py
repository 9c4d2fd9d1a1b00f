"""Which hosts do all of their work and are seen by everybody: nobody may shoot such a one.

The truth about an innocent host, which no controller can look at. It errs to one side: a host with
the least thing wrong with it, or with the network around it, is not called well.
"""

from typing import TYPE_CHECKING

from ninelives.core.model import LOCAL, Health, HostId

from . import storage
from .happenings import WellChanged
from .network import GATEWAY, PLAIN
from .truth import AgentState, ComputeState, HostTruth

if TYPE_CHECKING:
    from .world import World

OWN_WORDS = (AgentState.CRASHED, AgentState.HUNG)


def look(world: "World", name: HostId) -> None:
    """Say so where a host became well, or is well no more."""
    is_well = is_at_work(world, world.hosts[name]) and is_in_reach(world, name)
    if is_well == (name in world.well):
        return
    if is_well:
        world.well.add(name)
    else:
        world.well.discard(name)
    world.happen(WellChanged(name, is_well))


def look_everywhere(world: "World") -> None:
    for host in world.hosts:
        look(world, host)


def is_at_work(world: "World", host: HostTruth) -> bool:
    """Say whether its kernel, its services and its disks do their work."""
    is_slow = host.slow_s > 0.0 or host.has_slow_disk or host.is_readonly or host.has_memory_errors
    services = host.libvirt is Health.OK and host.compute is ComputeState.OK
    disks = (each for each in world.setup.site.hosts[host.id].backends if each != LOCAL)
    return (
        host.is_up
        and services
        and not is_slow
        and host.agent not in OWN_WORDS
        and all(storage.usable(world, host.id, each) for each in disks)
    )


def is_in_reach(world: "World", host: HostId) -> bool:
    """Say whether nothing at all is wrong between it and everybody else, on every plane."""
    net, planes = world.net, world.setup.site.hosts[host].planes
    if net.burst or net.groups or net.delay_s or any(host in pair for pair in net.cut_pairs):
        return False
    if host in net.conflicts:
        return False
    return all(
        net.links.get((host, plane), PLAIN).is_plain and net.talks(host, GATEWAY, (plane,))
        for plane in planes
    )
