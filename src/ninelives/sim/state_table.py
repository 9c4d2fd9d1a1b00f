"""Which event may meet a host or a move in which state, and why each arrow is taken.

Nearly every pair can happen: answers come late, twice or out of order, and people order what they
like. The few that cannot are listed with the reason. The swarm counts all others, and the oracle
calls it broken when one of these occurs; a test calls the core with each, and nothing durable
changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId, ServerId

Pair = tuple[type, type]  # a state, and an event that meets a host or a move in it

HOST_STATES: tuple[type, ...] = get_args(at.HostState)
MOVE_STATES: tuple[type, ...] = get_args(at.MoveState)

# Events that are about all hosts at once.
GLOBAL_EVENTS: frozenset[type] = frozenset(
    {
        *(on.TermBegan, on.OwnFault, on.CanarySeen, on.BackendSeen),
        *(on.Armed, on.ModeSet, on.StormAllowed, on.StoreAdopted),
    }
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
    (at.Unknown, on.PowerRead): NEVER_ASKED,
    (at.Unknown, on.StorageSeen): NEVER_ASKED,
    (at.Unknown, on.Attested): NEVER_ASKED,
    (at.Unknown, on.Promised): NEVER_ASKED,
    (at.Unknown, on.Listed): NEVER_ASKED,
    (at.Unknown, on.Watched): NEVER_ASKED,
    (at.Unknown, on.Replied): NEVER_ASKED,
}


def possible_pairs() -> frozenset[Pair]:
    """Return every pair that a swarm must meet sooner or later."""
    hosts = {(state, event) for state in HOST_STATES for event in HOST_EVENTS}
    moves = {(state, event) for state in MOVE_STATES for event in MOVE_EVENTS}
    return frozenset(hosts | moves) - set(IMPOSSIBLE)


def named(pair: Pair) -> str:
    """Name a pair in a report: "Held.PowerRead"."""
    state, event = pair
    return f"{state.__name__}.{event.__name__}"


def pairs_of(
    everywhere: Iterable[HostId],
    hosts: Mapping[HostId, at.Host],
    moves: Mapping[ServerId, at.Move],
    event: on.Event,
) -> Iterator[Pair]:
    """Yield the pairs that `event` exercises, asked before it is decided about.

    A host of `everywhere` without a record was never seen: it is unknown.
    """
    kind = type(event)
    for name in everywhere if kind in GLOBAL_EVENTS else hosts_named(event):
        record = hosts.get(name)
        yield (type(record.state) if record else at.Unknown), kind
    if kind is on.TermBegan:
        for move in moves.values():
            yield type(move.state), kind
        return
    for server in servers_named(event):
        found = moves.get(server)
        if found is not None:
            yield type(found.state), kind


def hosts_named(event: on.Event) -> Iterable[HostId]:
    """Return the hosts that an event is about."""
    match event:
        case on.Woke(subject=subject):
            return (HostId(subject[5:]),) if subject.startswith("host/") else ()
        case on.Sighted(changes=changes):
            return {change.host: None for change in changes}
        case on.Listed() | on.Watched():
            return (event.request.host,)
        case on.TargetsSeen() | on.DomainsSeen() | on.SignedOff():
            return ()
        case on.Replied(action=action):
            return _host_of(action)
        case _:
            host = getattr(event, "host", None)
            return (host,) if host else ()


def _host_of(action: do.Action) -> Iterable[HostId]:
    """Name whose episode a request belongs to: the source of a move, not its target."""
    host = getattr(action, "source", None) or getattr(action, "host", None)
    return (host,) if host else ()


def servers_named(event: on.Event) -> Iterable[ServerId]:
    """Return the servers that an event is about."""
    match event:
        case on.Woke():
            return ()
        case on.Listed() | on.Watched():
            return tuple(server.id for server in event.servers)
        case on.TargetsSeen() | on.DomainsSeen():
            return (event.request.server,)
        case on.GuestSeen():
            return (event.server.id,)
        case on.SignedOff():
            return (event.server,)
        case on.Replied(action=action):
            server = getattr(action, "server", None)
            return (server,) if server else ()
        case _:
            return ()
