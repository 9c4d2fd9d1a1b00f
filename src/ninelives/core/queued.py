"""What may wait in Nova's queue for a host without an agent, and runs there with its next boot.

    its user's start     was asked while Nova named the dead host; its server runs elsewhere by now
    a rebuild of ours    was sent while the host was well; the server is on its way elsewhere

With an agent the boot gate refuses both (ADR 0025). Without one nothing does, and nobody sees the
queue: so what Nova shows of the server while it still names the host is remembered, and we do not
switch the host on while that would make a second copy (ADR 0031).
"""

from collections.abc import Iterable
from dataclasses import replace

from . import actions as do
from . import episode
from . import states as at
from .draft import Draft
from .model import BackendId, HostId, ServerId, ServerSeen, VmState
from .targets import unproved_writers

AT_HOME = (at.WaitingForHost, at.Failed, at.Skipped, at.Cancelled)
RESTS = (at.Done, at.WaitingForHost, at.Failed, at.Skipped, at.Cancelled)
STARTED = (*RESTS, at.Starting)  # a start that is seen now went to where it arrived


def remember(draft: Draft, host: HostId, servers: Iterable[ServerSeen]) -> None:
    """Keep whose start may wait for a host, of a look at its servers."""
    if draft.site(host).has_agent:
        return
    record = draft.host(host)
    found = {
        server.id
        for server in servers
        if may_wait(server, host) or _was_cast_on_the_way(draft, host, server)
    }
    if not found.issubset(record.queued):
        draft.put_host(replace(record, queued=tuple(sorted(found.union(record.queued)))))


def may_wait(server: ServerSeen, host: HostId) -> bool:
    """Say whether a start of this server may wait for `host`: asked, and not carried out. Pure."""
    is_asked = server.vm_state is VmState.STOPPED and server.user_action == "start"
    return server.host == host and (is_asked or server.task_state == "powering-on")


def _was_cast_on_the_way(draft: Draft, host: HostId, server: ServerSeen) -> bool:
    """Say whether it arrives with a start that is not ours, asked perhaps while Nova named `host`.

    A rebuild stops its server first and names the new host a moment later. A start in between goes
    into the old queue, and no look needs to fall into that moment; its task comes along, and stays.
    """
    move = draft.move(server.id)
    if move is None or move.host != host or isinstance(move.state, STARTED):
        return False
    return server.host != host and server.task_state == "powering-on"


def is_news(draft: Draft, server: ServerSeen, host: HostId) -> bool:
    """Say whether a start may wait for `host` that is not remembered yet."""
    is_bare = not draft.site(host).has_agent
    return is_bare and may_wait(server, host) and server.id not in draft.host(host).queued


def waits_at(draft: Draft, server: ServerId) -> frozenset[HostId]:
    """Return in whose queues a start of a server may wait, or ran with a boot that nobody proved.

    Whoever moves it on from where it lives now has to count them among its writers.
    """
    bare = (site.id for site in draft.cluster.site.hosts.values() if not site.has_agent)
    return frozenset(host for host in bare if server in draft.host(host).queued)


def holding(draft: Draft, host: HostId) -> str:
    """Return what in its queue speaks against switching an empty host on, "" if nothing does."""
    if draft.site(host).has_agent:
        return ""
    if second_copies(draft, host):
        return "start_waits"
    return "rebuild_waits" if is_named_by_open_move(draft, host) else ""


def tell(draft: Draft, host: HostId) -> None:
    """Call a person: whoever presses the button makes the second copy as well as we would."""
    if copies := second_copies(draft, host):
        what = f"{', '.join(copies)}: purge its queue at Nova before it is switched on"
        episode.tell(draft, host, "start_waits", what)
        for server in copies:
            _look_for_what_was_left(draft, host, server)


def _look_for_what_was_left(draft: Draft, host: HostId, server: ServerId) -> None:
    """Ask whether a copy runs where we sent a server that rests at home again."""
    move = draft.move(server)
    if move is None or not _is_at_home(move, host):
        return
    if others := unproved_writers(draft, move, host):
        draft.ask(do.LookForDomain(server, others, move.attempt))


def second_copies(draft: Draft, host: HostId) -> tuple[ServerId, ...]:
    """Return of whom a start that waits for the host would be a second copy."""
    record = draft.host(host)
    shut = {e.backend for e in record.revocations if e.in_force and not e.lifted}
    return tuple(
        server
        for server in record.queued
        if (move := draft.move(server)) is None
        or not (_is_alone(draft, move, host) or _is_shut_out(move, shut))
    )


def _is_alone(draft: Draft, move: at.Move, host: HostId) -> bool:
    """Say whether it rests at home, and no rebuild has left a copy of it elsewhere (SAFETY 7).

    Nova leaves what it has spawned when a rebuild fails, or when its user deletes it on the way.
    """
    return _is_at_home(move, host) and not unproved_writers(draft, move, host)


def _is_shut_out(move: at.Move, shut: set[BackendId]) -> bool:
    return bool(move.seen.disks) and shut.issuperset(move.seen.disks)


def _is_at_home(move: at.Move, host: HostId) -> bool:
    """Say whether it rests where its start waits: that is where its user wants it to run."""
    return move.host == host == move.seen.host and isinstance(move.state, AT_HOME)


def is_named_by_open_move(draft: Draft, host: HostId) -> bool:
    """Say whether a move still in flight ever named this host: its queue may hold that rebuild."""
    return any(
        host in move.named and not isinstance(move.state, RESTS) and not _has_come(move, host)
        for other in draft.active()
        for move in draft.moves_of(other.id)
    )


def _has_come(move: at.Move, host: HostId) -> bool:
    """Say whether the rebuild is over, here, and only the start is missing: it waits for the host.

    Both would wait for each other: nothing is started on a host that is not healthy.
    """
    waits = isinstance(move.state, at.Starting) and not move.state.is_sent
    return waits and move.seen.host == host and move.seen.task_state is None
