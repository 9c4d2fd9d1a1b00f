"""The Pacemaker cluster as the configuration names it: a source that follows it, or none."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial

from ninelives.adapters.pacemaker.follow import Known, Ways, follow
from ninelives.adapters.pacemaker.gate import Gate
from ninelives.adapters.pacemaker.tools import Tools
from ninelives.core.cluster import Cluster
from ninelives.core.draft import Draft
from ninelives.core.model import HostId
from ninelives.core.roads import usable_roads
from ninelives.engine.loop import Source

from .cluster_gate import Gates
from .config.configuration import Configuration
from .foundation import Foundation
from .telemetry import Presence

ReportedAt = Callable[[HostId], float | None]


def cluster_sources(
    configuration: Configuration, base: Foundation, reported_at: ReportedAt
) -> tuple[Source, ...]:
    """Follow the cluster of this machine, where the configuration says that there is one.

    It also keeps the gates of the hosts whose nova-compute that cluster starts.

    The only strong sign of life that a controller hears by itself is a host's report to Nova.
    """
    every_s = configuration.pacemaker_every_s
    if every_s is None:
        return ()
    ways = Ways(loop_time, reported_at, partial(usable, base.presence))
    known = known_of(configuration)
    gates = Gates(known.nodes, partial(mind, base.presence), Gate())
    return (partial(follow, Tools(), known, ways, every_s), gates.keep)


def mind(presence: Presence) -> Cluster | None:
    return presence.mind


def loop_time() -> float:
    """Return the time by which reports to Nova are noted, too."""
    return asyncio.get_running_loop().time()


def known_of(configuration: Configuration) -> Known:
    """Say what the cluster calls the hosts, and which of its devices are roads of theirs. Pure."""
    nodes = {names.cluster_node: host for host, names in configuration.names.items()}
    roads: dict[HostId, dict[str, str]] = {host: {} for host in configuration.names}
    for road, device in configuration.devices.items():
        if device.cluster_device:
            roads[device.host][device.cluster_device] = road
    shown: Mapping[HostId, Mapping[str, str]] = roads
    return Known(nodes, shown)


def usable(presence: Presence, host: HostId) -> Collection[str]:
    """Return the roads of a host that may carry a proof at this moment; none where nobody leads."""
    cluster = presence.mind
    return () if cluster is None else usable_roads(Draft(cluster, cluster.now), host)
