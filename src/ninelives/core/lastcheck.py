"""The last look before a request leaves: may this very thing still be done, right now?

A decision is as old as its commit, and a process can sleep for minutes between the commit and the
send. So directly before each off, evacuate, start or power-on the leader renews its lease, reads
the server again, and asks here, against what it knows by now. "" lets the request go.
"""

from . import actions as do
from . import states as at
from .brakes import holding, holding_moves, mode_of
from .cluster import Cluster
from .draft import Draft
from .model import HostId, Mode, ServerSeen
from .plan import will_of
from .proofs import has_clean_boot, permits_start
from .targets import unproved_writers

NEEDS_NO_LEAVE = (*do.READS, do.Tell, do.LiftRevocation)


def objection(cluster: Cluster, action: do.Action, now: float, seen: ServerSeen | None) -> str:
    """Return why `action` must not go out at `now`, "" if it may. Pure.

    `seen` is the server as Nova shows it a moment ago; None for actions about hosts, or when Nova
    did not answer, and then no send about a server goes out.
    """
    if isinstance(action, NEEDS_NO_LEAVE):
        return ""
    draft = Draft(cluster, max(now, cluster.now))
    if not draft.control.is_armed and not isinstance(action, do.Revoke):
        return "disarmed"
    host = host_of(cluster, action)
    if host is not None and mode_of(draft, host) is not Mode.ACT:
        return "mode"
    match action:
        case do.PowerOff():
            return _shot(draft, action)
        case do.Evacuate():
            return _evacuate(draft, action, seen)
        case do.StartServer() | do.HardReboot() | do.LiveMigrate():
            return _start(draft, action, seen)
        case do.PowerOn(host=host, epoch=epoch):
            is_down = isinstance(draft.host(host).state, at.Vacated | at.Quarantined)
            return "" if is_down and draft.host(host).epoch == epoch else "other_state"
        case do.ForceDown(host=host, epoch=epoch):
            is_proved = bool(draft.host(host).proofs) and draft.host(host).epoch == epoch
            return "" if is_proved else "no_proof"
        case do.OpenGate(host=host, epoch=epoch) | do.StartCompute(host=host, epoch=epoch):
            is_back = isinstance(draft.host(host).state, at.Returning)
            return "" if is_back and draft.host(host).epoch == epoch else "other_state"
    return ""


def host_of(cluster: Cluster, action: do.Action) -> HostId | None:
    """Return the host that an action is about, for the mode of its segment."""
    named = getattr(action, "source", None) or getattr(action, "host", None)
    if named is None and isinstance(action, do.StopServer):
        move = cluster.moves.get(action.server)
        named = move.host if move is not None else None
    return named if named in cluster.site.hosts else None


def _shot(draft: Draft, off: do.PowerOff) -> str:
    """Every `off` is a shot: fresh evidence, all brakes, epoch current, directly before it."""
    record = draft.host(off.host)
    if record.epoch != off.epoch:
        return "other_epoch"
    match record.state:
        case at.Fencing(cls=cls):
            brake = holding(draft, off.host, cls)
        case at.Fenced() | at.Evacuating():
            brake = holding(draft, off.host, at.Class.DEAD_OR_FROZEN)
        case _:
            return "other_state"
    return brake.value if brake is not None else ""


def _evacuate(draft: Draft, action: do.Evacuate, seen: ServerSeen | None) -> str:
    move, record = draft.move(action.server), draft.host(action.source)
    if move is None or record.epoch != action.epoch or move.attempt != action.attempt:
        return "other_epoch"
    if seen is None:
        return "server_not_readable"
    if seen.host != action.source:
        return "host_changed"
    if will_of(seen) is at.Will.NOT_MOVED:
        return "will_changed"
    if any(not entry.is_final and entry.id not in move.known_records for entry in seen.records):
        return "record_open"
    if not isinstance(draft.host(action.target).state, at.Healthy):
        return "target_not_healthy"
    if unproved_writers(draft, move, action.target):
        return "writer_not_proved"
    if not permits_start(draft, action.source):
        return "proof_not_fresh"
    return holding_moves(draft, action.source)


def _start(
    draft: Draft, action: do.StartServer | do.HardReboot | do.LiveMigrate, seen: ServerSeen | None
) -> str:
    move = draft.move(action.server)
    if move is None or move.attempt != action.attempt:
        return "other_epoch"
    if seen is None:
        return "server_not_readable"
    where = action.source if isinstance(action, do.LiveMigrate) else action.host
    if seen.host != where:
        return "host_changed"
    if will_of(seen) is at.Will.NOT_MOVED:
        return "will_changed"
    if isinstance(action, do.LiveMigrate):
        return ""
    if seen.user_action and will_of(seen) is not at.Will.RUNNING:
        return "will_changed"
    if isinstance(action, do.StartServer) and unproved_writers(draft, move, action.host):
        return "writer_not_proved"
    if isinstance(action, do.HardReboot) and isinstance(move.state, at.WaitingForHost):
        is_clean = has_clean_boot(draft, action.host) or not draft.site(action.host).has_agent
        return "" if is_clean else "boot_not_attested"
    return ""
