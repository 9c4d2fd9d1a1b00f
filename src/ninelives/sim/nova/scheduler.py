"""Where a server may go, and in which order the scheduler would try: a pure look at the state.

With `host_subset_size = 1`, Nova's default, the best host wins every time. The weights come from
what the computes reported, which is up to a minute old: so a burst of requests piles up on one host
until Placement says that it is full (measured: 89 of 100 on one of four nearly equal hosts).
"""

from .records import Host, HostName, MigrationStatus, Server
from .state import Load, Stale, State, is_up

NOT_ENOUGH = "No valid host was found. There are not enough hosts available."
NOT_THIS = "No valid host was found."


def candidates(
    state: State, server: Server, source: HostName | None, only: HostName | None = None
) -> list[HostName]:
    """Hosts that the filters let pass, best first; never `source`, where the server was seen."""
    now = state.now
    if state.faults.is_placement_refusing:
        return []
    _look_at_loads(state, now)
    crowded = _hosts_of_group(state, server)
    names = [only] if only is not None else list(state.hosts)
    fits = [
        name
        for name in names
        if name != source and name not in crowded and _passes(state, server, state.hosts[name], now)
    ]
    return sorted(fits, key=lambda name: (-_free_ram_mb(state, name), name))


def _passes(state: State, server: Server, host: Host, now: float) -> bool:
    spec = server.spec
    if state.services[host.name].is_disabled or not is_up(state, host.name, now):
        return False
    if spec.az is not None and spec.az != host.az:
        return False
    if spec.aggregate is not None and spec.aggregate not in host.aggregates:
        return False
    return has_room(state, server, host.name)


def has_room(state: State, server: Server, name: HostName) -> bool:
    """Placement's own question: exact, while the weights are not."""
    host, load = state.hosts[name], state.loads.get(name, Load())
    return (
        load.vcpus + server.spec.vcpus <= host.vcpus
        and load.ram_mb + server.spec.ram_mb <= host.ram_mb
    )


def breaks_group(state: State, server: Server, host: HostName) -> bool:
    """The late check on the destination: parallel scheduling may have sent a neighbour there.

    Unlike the scheduler it counts those that are still on their way.
    """
    if server.spec.group is None:
        return False
    return host in _hosts_of_group(state, server) or any(
        record.dest == host
        and record.server != server.id
        and record.status in _UNDER_WAY
        and state.servers[record.server].spec.group == server.spec.group
        for record in state.migrations.values()
    )


_UNDER_WAY = {MigrationStatus.PRE_MIGRATING, MigrationStatus.PREPARING, MigrationStatus.RUNNING}


def _hosts_of_group(state: State, server: Server) -> set[HostName]:
    if server.spec.group is None:
        return set()
    return {
        other.host
        for other in state.servers.values()
        if other.spec.group == server.spec.group
        and other.id != server.id
        and not other.is_deleted
        and other.host is not None
    }


def _look_at_loads(state: State, now: float) -> None:
    if now - state.seen_loads.at >= state.timings.resource_view_s:
        state.seen_loads = Stale(now, state.loads.copy())


def _free_ram_mb(state: State, name: HostName) -> int:
    return state.hosts[name].ram_mb - state.seen_loads.loads.get(name, Load()).ram_mb
