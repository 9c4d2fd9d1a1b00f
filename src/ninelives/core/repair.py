"""Healing inside a living host: restart a service, look again, and never touch a guest (R14-R16).

When restarting does not help, policy has the word: leave the servers alone (the default), move
them away alive, or fence. A guest that is bad alone has its own short ladder (R17).
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import migrating
from . import states as at
from .brakes import holding_moves
from .cut_short import end_or_go_on
from .draft import Draft
from .episode import move_to, tell
from .facts import Facts
from .fencing import read_evidence
from .migrating import is_left, is_open
from .model import HostId, ServerId, ServerSeen, Service
from .protection import Promise, Remedy, promise_for
from .rules import Verdict
from .states import Class

SERVICES = {
    Class.LIBVIRT_HUNG: Service.LIBVIRT,
    Class.NOVA_COMPUTE: Service.NOVA_COMPUTE,
    Class.AGENT_ONLY: Service.AGENT,
}


def begin_repair(draft: Draft, host: HostId, cls: Class) -> None:
    """Restart what hangs; from held, only look at what was tried already."""
    if isinstance(draft.host(host).state, at.Held):
        return
    if not draft.site(host).has_agent:
        _hold_unreachable(draft, host, cls)
        return
    deadline = draft.now + draft.policy(host).repair_timeout_s
    move_to(draft, host, at.Repairing(draft.now, cls, 1, deadline), cls.value)
    _restart(draft, host, cls, 1)


def _restart(draft: Draft, host: HostId, cls: Class, attempt: int) -> None:
    action = do.Restart(host, draft.host(host).epoch, SERVICES[cls], attempt)
    draft.act(action, draft.policy(host).repair_timeout_s)
    draft.wake_host(host, draft.now + draft.policy(host).repair_timeout_s)


def look(draft: Draft, host: HostId, state: at.Repairing, verdict: Verdict) -> None:
    """See whether the restart helped; try again a bounded number of times."""
    draft.wake_host(host, state.deadline)
    if state.cls is Class.AGENT_ONLY:
        _ask_whether_it_lives(draft, host)
    if verdict.cls is Class.FINE and Facts(draft, host).all_up:
        end_or_go_on(draft, host, "repaired")
    elif verdict.cls not in (state.cls, Class.FINE, Class.OWN_FAULT):
        _hold(draft, host, "worse_than_thought", verdict.cls)
    elif draft.now >= state.deadline:
        _again_or_hold(draft, host, state)


def _ask_whether_it_lives(draft: Draft, host: HostId) -> None:
    """Only its storage says that more than the agent lives: if that ends, the kernel hangs."""
    read_evidence(draft, host)
    draft.wake_host(host, draft.now + draft.policy(host).storage_poll_s)


def _again_or_hold(draft: Draft, host: HostId, state: at.Repairing) -> None:
    policy = draft.policy(host)
    if state.attempt >= policy.repair_tries_max:
        _hold(draft, host, "repair_failed", state.cls)
        return
    deadline, attempt = draft.now + policy.repair_timeout_s, state.attempt + 1
    again = replace(state, attempt=attempt, deadline=deadline)
    draft.put_host(replace(draft.host(host), state=again))
    _restart(draft, host, state.cls, attempt)


def _hold(draft: Draft, host: HostId, reason: str, cls: Class) -> None:
    move_to(draft, host, at.Held(draft.now, reason, cls), reason)
    tell(draft, host, f"held:{reason}")
    draft.wake_host(host, draft.now + draft.policy(host).look_again_s)


def _hold_unreachable(draft: Draft, host: HostId, cls: Class) -> None:
    """Nobody there restarts anything for us: a person does, and its storage is watched till then.

    The kernel may hang with it: that its guests no longer write is what makes a fence of it (R8a).
    """
    read_evidence(draft, host)
    _hold(draft, host, cls.value, cls)


# R13, R14, R15, R18: what policy says of servers on a host that lives but does not serve them.


def look_at_held(draft: Draft, host: HostId) -> None:
    """Move servers away alive, where their class says so and the host still can."""
    state = draft.host(host).state
    if not isinstance(state, at.Held) or not draft.control.is_armed:
        return
    if state.cls in (Class.TENANT_LOST, Class.GRAY, Class.NOVA_COMPUTE, Class.LIBVIRT_HUNG):
        draft.ask(do.ListServers(host, draft.host(host).epoch, 0))


def wants_fence(
    draft: Draft, host: HostId, state: at.Held, servers: tuple[ServerSeen, ...]
) -> bool:
    """Say whether the classes of its servers ask for a fence where repair did not help.

    A fence ends every guest of the host, so it takes all of them to ask for it.
    """
    policy = draft.policy(host)
    promises = [
        promise_for(server, policy.rules, policy.default)
        for server in servers
        if server.host == host and server.is_running
    ]
    match state.cls:
        case Class.NOVA_COMPUTE:
            remedies = [promise.compute_fails for promise in promises]
        case Class.LIBVIRT_HUNG:
            remedies = [promise.libvirt_hangs for promise in promises]
        case _:
            return False
    return bool(remedies) and all(remedy is Remedy.FENCE for remedy in remedies)


def drain(draft: Draft, host: HostId, cls: Class, servers: tuple[ServerSeen, ...]) -> None:
    """Live-migrate by tier, inside the limits; see what became of those that are on their way."""
    policy = draft.policy(host)
    for server in servers:
        migrating.seen(draft, server)
        _see_migration(draft, host, server)
    _see_gone(draft, host, {server.id for server in servers})
    wanted = [
        (promise.tier, server)
        for server in servers
        if server.host == host and server.is_running and server.task_state is None
        if _is_to_migrate(cls, promise := promise_for(server, policy.rules, policy.default))
    ]
    room = policy.target_moves_max - sum(1 for move in draft.moves_of(host) if is_open(move))
    for _, server in sorted(wanted, key=lambda pair: (pair[0], pair[1].order, pair[1].id)):
        if not _is_settled(server):
            tell(draft, host, f"move_held:{server.id}", "record_open")
        elif room > 0 and draft.move(server.id) is None and not holding_moves(draft, host):
            _migrate(draft, host, server)
            room -= 1


def _see_migration(draft: Draft, host: HostId, server: ServerSeen) -> None:
    """A migration is over when the server is elsewhere, or when Nova says so and it stayed."""
    move = draft.move(server.id)
    if move is None or move.host != host or not is_open(move) or is_left(draft, move):
        return
    if server.host != host:
        _arrived(draft, move, server.host)
    elif server.task_state is None and _answered_long_ago(draft, move) and _is_settled(server):
        draft.put_move(replace(move, state=at.Failed(draft.now, "not_migrated")))
        tell(draft, host, f"server_failed:{server.id}", "not_migrated")


def _answered_long_ago(draft: Draft, move: at.Move) -> bool:
    """Nova had its time: a request that nobody answered may yet begin within `nova_settle_s`."""
    assert isinstance(move.state, at.Mending)
    settle = draft.policy(move.host).nova_settle_s
    return draft.now >= move.state.since + settle


def _is_settled(server: ServerSeen) -> bool:
    return all(record.is_final for record in server.records)


def _see_gone(draft: Draft, host: HostId, listed: set[ServerId]) -> None:
    for move in draft.moves_of(host):
        if is_open(move) and not is_left(draft, move) and move.server not in listed:
            _arrived(draft, move, None)


def _arrived(draft: Draft, move: at.Move, host: HostId | None) -> None:
    draft.put_move(replace(move, state=at.Done(draft.now, host or HostId("elsewhere"))))
    draft.note(move.server, "move.migrated", host or "elsewhere")


def migration_replied(draft: Draft, move: at.Move, event: on.Replied) -> None:
    """Fold the answer to a live migration. Whether it worked is seen in the next list."""
    assert isinstance(move.state, at.Mending)
    match event.outcome:
        case on.Outcome.REFUSED if is_left(draft, move):
            draft.drop_move(move)
        case on.Outcome.REFUSED:
            draft.put_move(replace(move, state=at.Failed(draft.now, event.reason or "refused")))
            tell(draft, move.host, f"server_failed:{move.server}", event.reason or "refused")
        case on.Outcome.NOT_SENT:
            draft.drop_move(move)
        case on.Outcome.DONE | on.Outcome.UNKNOWN:
            is_unknown = event.outcome is on.Outcome.UNKNOWN
            draft.put_move(replace(move, state=replace(move.state, is_unknown=is_unknown)))


def _is_to_migrate(cls: Class, promise: Promise) -> bool:
    match cls:
        case Class.NOVA_COMPUTE:
            return promise.compute_fails is Remedy.MIGRATE
        case Class.LIBVIRT_HUNG:
            return promise.libvirt_hangs is Remedy.MIGRATE
        case _:
            return promise.host_dies is not Remedy.LEAVE


def _migrate(draft: Draft, host: HostId, server: ServerSeen) -> None:
    record, policy = draft.host(host), draft.policy(host)
    state = at.Mending(draft.now, is_migration=True, is_sent=True)
    promise, epoch = promise_for(server, policy.rules, policy.default), record.epoch
    # It may come back while the host is still held: its move is gone by then, its number is not.
    used, number = record.resets, record.resets + 1
    draft.put_host(replace(record, resets=number))
    move = at.Move(server.id, host, epoch, state, server, promise, ran=True, will=at.Will.RUNNING)
    move = replace(move, attempt=number, first=used, writers=frozenset({host}))
    known = frozenset(record.id for record in server.records)
    draft.put_move(replace(move, began=draft.now, known_records=known))
    draft.act(do.LiveMigrate(server.id, host, epoch, number), policy.request_timeout_s)
