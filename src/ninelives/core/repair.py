"""Healing inside a living host: restart a service, look again, and never touch a guest (R14-R16).

When restarting does not help, policy has the word: leave the servers alone (the default), move
them away alive, or fence. A guest that is bad alone has its own short ladder (R17).
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from .draft import Draft
from .episode import move_to, tell
from .model import BootId, Health, HostId, ServerId, ServerSeen, Service
from .protection import Promise, Remedy, promise_for
from .rules import Facts, Verdict
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
    if verdict.cls is Class.FINE and Facts(draft, host).all_up:
        draft.put_host(replace(draft.host(host), boot=_boot(draft, host)))
        move_to(draft, host, at.Healthy(draft.now), "repaired")
    elif verdict.cls not in (state.cls, Class.FINE, Class.OWN_FAULT):
        _hold(draft, host, "worse_than_thought", verdict.cls)
    elif draft.now >= state.deadline:
        _again_or_hold(draft, host, state)


def _boot(draft: Draft, host: HostId) -> BootId | None:
    return draft.sights(host).strong_boot or draft.host(host).boot


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


# R13, R14, R15, R18: what policy says of servers on a host that lives but does not serve them.


def look_at_held(draft: Draft, host: HostId) -> None:
    """Move servers away alive, where their class says so and the host still can."""
    state = draft.host(host).state
    if not isinstance(state, at.Held) or not draft.control.is_armed:
        return
    if state.cls in (Class.TENANT_LOST, Class.GRAY, Class.NOVA_COMPUTE, Class.LIBVIRT_HUNG):
        draft.ask(do.ListServers(host, draft.host(host).epoch, 0))


def drain(draft: Draft, host: HostId, cls: Class, servers: tuple[ServerSeen, ...]) -> None:
    """Live-migrate by tier, inside the limits; what moved already leaves the list by itself."""
    policy = draft.policy(host)
    wanted = [
        (promise.tier, server)
        for server in servers
        if server.host == host and server.is_running and server.task_state is None
        if _is_to_migrate(cls, promise := promise_for(server, policy.rules, policy.default))
    ]
    room = policy.target_moves_max - len(draft.moves_of(host))
    for _, server in sorted(wanted, key=lambda pair: (pair[0], pair[1].order, pair[1].id)):
        if room > 0 and draft.move(server.id) is None:
            _migrate(draft, host, server)
            room -= 1


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
    promise = promise_for(server, policy.rules, policy.default)
    move = at.Move(
        server.id, host, record.epoch, state, server, promise, ran=True, will=at.Will.RUNNING
    )
    draft.put_move(replace(move, attempt=1, began=draft.now))
    draft.act(do.LiveMigrate(server.id, host, record.epoch, 1), policy.request_timeout_s)


# R17: one guest on a healthy host.


def guest_seen(draft: Draft, event: on.GuestSeen) -> None:
    """Reset a guest that crashed or hangs, if its class says so, a bounded number of times."""
    host, server = event.host, event.server
    known = draft.move(server.id)
    if not isinstance(draft.host(host).state, at.Healthy):
        return  # whatever happens to the host decides about its guests
    if event.health is Health.OK:
        _guest_is_well(draft, known)
        return
    policy = draft.policy(host)
    promise = promise_for(server, policy.rules, policy.default)
    remedy = promise.server_crashes if event.health is Health.DOWN else promise.guest_hangs
    if remedy is not Remedy.RESTART or not draft.control.is_armed:
        _tell_guest(draft, host, server, "guest_bad")
        return
    if known is not None and isinstance(known.state, at.Mending) and known.state.is_sent:
        return  # one reset is under way: its outcome is looked at, not repeated
    tries = known.attempt if known is not None and known.host == host else 0
    if tries >= policy.guest_resets_max:
        _tell_guest(draft, host, server, "guest_given_up")
        return
    state = at.Mending(draft.now, is_migration=False, is_sent=True)
    epoch = draft.host(host).epoch
    move = at.Move(server.id, host, epoch, state, server, promise, ran=True, will=at.Will.RUNNING)
    draft.put_move(replace(move, attempt=tries + 1, began=draft.now))
    draft.act(do.HardReboot(server.id, host, epoch, tries + 1), policy.request_timeout_s)
    draft.note(server.id, "guest.reset", event.health.value, f"attempt {tries + 1}")
    draft.wake(f"guest/{server.id}", draft.now + policy.guest_window_s)


def _guest_is_well(draft: Draft, known: at.Move | None) -> None:
    """It lives again: the counter stays for the window, so that a loop is seen as one."""
    if known is not None and isinstance(known.state, at.Mending) and not known.state.is_migration:
        rested = replace(known.state, is_sent=False)
        draft.put_move(replace(known, state=rested))
        draft.note(known.server, "guest.well")


def guest_window_over(draft: Draft, server: str) -> None:
    """Forget how often a guest was reset, once it did well for the whole window."""
    known = draft.move(ServerId(server))
    if known is not None and isinstance(known.state, at.Mending) and not known.state.is_migration:
        draft.drop_move(known)


def _tell_guest(draft: Draft, host: HostId, server: ServerSeen, what: str) -> None:
    told = do.Tell(server.id, what, draft.host(host).epoch)
    if draft.entry(told) is None:
        draft.act(told, draft.policy(host).tell_within_s)
        draft.note(server.id, "told", what)
