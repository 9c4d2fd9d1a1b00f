"""What a simulated world is furnished with before anything happens, as its setup describes it."""

from ninelives.core.model import BackendId, HostId, RoadId, WitnessId

from .bmc import Device
from .setup import Setup
from .storage import Backend
from .truth import AgentState, HostTruth


def watchers_of(setup: Setup) -> dict[HostId, tuple[WitnessId, ...]]:
    """Return who looks at each host: every controller, and its witnesses."""
    return {
        host.id: tuple(dict.fromkeys((*setup.site.controllers, *host.witnesses)))
        for host in setup.site.hosts.values()
    }


def hosts_of(setup: Setup) -> dict[HostId, HostTruth]:
    return {
        host.id: HostTruth(
            host.id,
            agent=AgentState.OK if host.has_agent else AgentState.NONE,
            is_watchdog_armed=host.has_watchdog,
        )
        for host in setup.site.hosts.values()
    }


def devices_of(setup: Setup) -> dict[tuple[HostId, RoadId], Device]:
    return {
        (host.id, road.id): Device(host.id, road.id, host.id, road.kind)
        for host in setup.site.hosts.values()
        for road in host.roads
    }


def backends_of(setup: Setup) -> dict[BackendId, Backend]:
    mounted = (name for host in setup.site.hosts.values() for name in host.backends)
    disks = (name for server in setup.servers for name in server.disks)
    return {name: Backend(name) for name in (*mounted, *disks)}


def lists_of(
    watchers: dict[HostId, tuple[WitnessId, ...]],
) -> dict[WitnessId, tuple[HostId, ...]]:
    found: dict[WitnessId, list[HostId]] = {}
    for host, names in watchers.items():
        for witness in names:
            found.setdefault(witness, []).append(host)
    return {witness: tuple(hosts) for witness, hosts in found.items()}
