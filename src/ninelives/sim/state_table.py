"""Which event may meet a host or a move in which state, and why each arrow is taken.

Nearly every pair can happen: answers come late, twice or out of order, and people order what they
like. The few that cannot are listed with the reason. The swarm counts all others, and fails when
one of these occurs; a test calls the core with them, and nothing durable changes.
"""

from collections.abc import Iterator, Mapping
from typing import get_args

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster
from ninelives.core.model import HostId, ServerId

Pair = tuple[str, str]  # the name of a state's type, the name of an event's type

HOST_STATES: tuple[type, ...] = get_args(at.HostState)
MOVE_STATES: tuple[type, ...] = get_args(at.MoveState)

# Events that are about all hosts at once.
GLOBAL_EVENTS: tuple[type, ...] = (
    *(on.TermBegan, on.OwnFault, on.CanarySeen, on.BackendSeen),
    *(on.Armed, on.ModeSet, on.StormAllowed),
)
MOVE_EVENTS: tuple[type, ...] = (
    *(on.Listed, on.Watched, on.TargetsSeen, on.DomainsSeen, on.GuestSeen),
    *(on.Replied, on.SignedOff, on.TermBegan),
)
HOST_EVENTS: tuple[type, ...] = tuple(
    kind
    for kind in get_args(on.Event)
    if kind not in (on.TargetsSeen, on.DomainsSeen, on.SignedOff)
)

NEVER_ASKED = "a host that was never seen alive has had no episode: nothing was asked of anybody"

# None of a move: its questions and sends carry no episode of their own, so that their answers may
# come however late, in whatever state it, or its next move, is by then.
IMPOSSIBLE: Mapping[Pair, str] = {
    ("Unknown", "Attested"): NEVER_ASKED,
    ("Unknown", "Promised"): NEVER_ASKED,
    ("Unknown", "Listed"): NEVER_ASKED,
    ("Unknown", "Watched"): NEVER_ASKED,
    ("Unknown", "Replied"): NEVER_ASKED,
}


def possible_pairs() -> frozenset[Pair]:
    """Return every pair that a swarm must meet sooner or later."""
    hosts = {(s.__name__, e.__name__) for s in HOST_STATES for e in HOST_EVENTS}
    moves = {(s.__name__, e.__name__) for s in MOVE_STATES for e in MOVE_EVENTS}
    return frozenset(hosts | moves) - set(IMPOSSIBLE)


def pairs_of(cluster: Cluster, event: on.Event) -> Iterator[Pair]:
    """Yield the pairs that `event` exercises, asked before it is decided about."""
    name = type(event).__name__
    for host in _hosts_of(cluster, event):
        record = cluster.hosts.get(host)
        if record is not None and isinstance(event, HOST_EVENTS):
            yield type(record.state).__name__, name
    for server in _servers_of(cluster, event):
        move = cluster.moves.get(server)
        if move is not None and isinstance(event, MOVE_EVENTS):
            yield type(move.state).__name__, name


def _hosts_of(cluster: Cluster, event: on.Event) -> Iterator[HostId]:
    match event:
        case _ if isinstance(event, GLOBAL_EVENTS):
            yield from cluster.hosts
        case on.Sighted(changes=changes):
            yield from {change.host for change in changes}
        case on.Woke(subject=subject):
            kind, _, name = subject.partition("/")
            yield from (HostId(name),) if kind == "host" else ()
        case on.Listed(request=request) | on.Watched(request=request):
            yield request.host
        case on.Replied(action=action):
            yield from _host_of(action)
        case _:
            host = getattr(event, "host", None)
            yield from () if host is None else (host,)


def _host_of(action: do.Action) -> Iterator[HostId]:
    """Name whose episode a request belongs to: the source of a move, not its target."""
    host = getattr(action, "source", None) or getattr(action, "host", None)
    if isinstance(host, str):
        yield HostId(host)


def _servers_of(cluster: Cluster, event: on.Event) -> Iterator[ServerId]:
    match event:
        case on.TermBegan():
            yield from cluster.moves
        case on.Listed(servers=servers) | on.Watched(servers=servers):
            yield from (server.id for server in servers)
        case on.TargetsSeen(request=request):
            yield request.server
        case on.DomainsSeen(request=request):
            yield request.server
        case on.GuestSeen(server=server):
            yield server.id
        case on.SignedOff(server=server):
            yield server
        case on.Replied(action=action):
            server_id = getattr(action, "server", None)
            yield from () if server_id is None else (server_id,)
        case _:
            pass
