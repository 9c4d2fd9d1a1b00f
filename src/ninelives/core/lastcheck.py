"""The last look before a request leaves: may this very thing still be done, right now?

A decision is as old as its commit, and a process can sleep for minutes between the commit and the
send. So directly before each off, evacuate, start or power-on the leader renews its lease, reads
the server again, and asks here, against what it knows by now. "" lets the request go.
"""

from . import actions as do
from . import reserve, vantage
from . import states as at
from .adoption import may_not_send
from .arrival import may_start_on
from .brakes import holding, holding_moves, holding_power_on
from .cluster import Cluster
from .consent import may_undo, mode_of
from .draft import Draft
from .drained import has_waited, is_read
from .facts import Facts
from .model import BootId, HostId, Mode, ServerSeen
from .plan import word_of_user
from .proofs import (
    has_clean_boot,
    is_boot_heard,
    is_boot_led_back,
    permits_restart,
    permits_start,
    valid,
)
from .queued import is_news
from .reset import may_reset
from .roads import hits_nobody, sent_again_as, sent_as, usable_roads
from .shooting import has_reason
from .targets import stale_writers, takes_servers, unproved_writers
from .ungated import is_heard

HostAction = (
    do.PowerOff
    | do.PowerOn
    | do.Revoke
    | do.LiftRevocation
    | do.Disable
    | do.Enable
    | do.ForceDown
    | do.ForceUp
    | do.StartCompute
    | do.OpenGate
    | do.Restart
)

NEEDS_NO_LEAVE = (*do.READS, do.Tell)
OUT_OF_SERVICE = (at.Fencing, at.Fenced, at.Evacuating, at.Vacated)


def objection(cluster: Cluster, action: do.Action, now: float, seen: ServerSeen | None) -> str:
    """Return why `action` must not go out at `now`, "" if it may. Pure.

    `seen` is the server as Nova shows it a moment ago; None for actions about hosts, or when Nova
    did not answer, and then no send about a server goes out.
    """
    if isinstance(action, NEEDS_NO_LEAVE):
        return ""
    draft = Draft(cluster, max(now, cluster.now))
    if not draft.control.is_armed and not is_renewal(cluster, action):
        return "disarmed"
    if may_not_send(draft, action):
        return "store_adopted"
    host = host_of(draft, action)
    if host is not None and not may_undo(draft, action) and mode_of(draft, host) is not Mode.ACT:
        return "mode"
    match action:
        case do.Evacuate():
            return _evacuate(draft, action, seen)
        case do.ResetState():
            return _reset(draft, action, seen)
        case do.StartServer() | do.StopServer() | do.HardReboot() | do.LiveMigrate():
            return _start(draft, action, seen)
        case do.Reserve():
            return reserve.objection(draft, action)
        case do.HandOver():
            return vantage.objection(draft, action)
        case _:
            return _about_host(draft, action)


def is_renewal(cluster: Cluster, action: do.Action) -> bool:
    """Say whether it only keeps in force what is: a renewal is no action (attack 9). Pure."""
    if not isinstance(action, do.Revoke) or action.host not in cluster.hosts:
        return False
    kept = cluster.hosts[action.host].revocations
    return any(entry.backend == action.backend and entry.in_force for entry in kept)


def _about_host(draft: Draft, action: HostAction) -> str:
    """Everything is about one episode: what is left over from an earlier one must not go out.

    A late "revoke" would cut off a host that is long back in service, a late "lift" would let one
    in whose servers run elsewhere.
    """
    record = draft.host(action.host)
    if isinstance(action, do.LiftRevocation):
        return _lift(draft, record, action)
    if record.epoch != action.epoch:
        return "other_epoch"
    match action, record.state:
        case do.PowerOff(), _:
            return _shot(draft, action)
        case do.PowerOn(), at.Vacated() | at.Quarantined():
            return holding_power_on(draft, action.host)
        case do.Revoke(), state if isinstance(state, (*OUT_OF_SERVICE, at.Quarantined)):
            return ""
        case do.ForceDown(), at.Fenced() | at.Evacuating() | at.Vacated() | at.Quarantined():
            return "" if valid(record) else "no_proof"
        case do.Disable(), state:
            is_out = isinstance(state, (*OUT_OF_SERVICE, at.Quarantined, at.Held))
            return "" if is_out else "other_state"
        case do.Enable(), at.Healthy() | at.Returning():
            return ""
        case do.Restart(), at.Repairing():
            return "maintenance" if Facts(draft, action.host).in_maintenance else ""
        case do.StartCompute(), at.Returning(
            stage=at.Stage.COMPUTE | at.Stage.RESTARTING, boot=boot
        ):
            return _to_boot(draft, action, boot)
        case do.OpenGate(), at.Returning(stage=at.Stage.RESTARTING) as state:
            is_early = not is_read(draft, action.host, state)
            return _to_boot(draft, action, state.boot) or ("not_drained" if is_early else "")
        case do.ForceUp(), at.Returning(stage=at.Stage.FORCING_UP) as state:
            is_early = not has_waited(draft, action.host, state)
            return _force_up(draft, action) or ("not_drained" if is_early else "")
        case _:
            return "other_state"


def _to_boot(draft: Draft, action: do.StartCompute | do.OpenGate, boot: BootId | None) -> str:
    """A gate is opened for the boot that attested it, while that boot is heard."""
    if action.boot != boot:
        return "other_boot"
    return "" if is_boot_heard(draft, action.host) else "boot_not_heard"


def _lift(draft: Draft, record: at.Host, action: do.LiftRevocation) -> str:
    """Let in only who is led back, and heard, or whose fence was undone."""
    is_shut_out = any(
        entry.backend == action.backend and not entry.lifted for entry in record.revocations
    )
    is_back = isinstance(record.state, at.Returning) and record.epoch == action.epoch
    if is_back and not is_boot_heard(draft, action.host):
        return "boot_not_heard"
    return "other_state" if is_shut_out and not is_back else ""


def _force_up(draft: Draft, action: do.ForceUp) -> str:
    """With the force-down gone Nova starts what was asked of the host: no guest may be left."""
    said = draft.sights(action.host).attested
    has_agent = draft.site(action.host).has_agent
    is_empty = said is not None and said.attestation.guests == 0
    return "" if is_empty or not has_agent else "guests_left"


def host_of(draft: Draft, action: do.Action) -> HostId | None:
    """Return the host whose outage an action is about, for how much is allowed there."""
    if isinstance(action, do.Reserve):
        return reserve.need_of(draft, action.host)
    named = getattr(action, "source", None) or getattr(action, "host", None)
    if isinstance(action, do.StartServer | do.StopServer):
        # Leave was given for the host that it comes from, not for the one where it arrived.
        move = draft.move(action.server)
        named = move.host if move is not None else named
    return named if named in draft.cluster.site.hosts else None


def _shot(draft: Draft, off: do.PowerOff) -> str:
    """Every `off` is a shot: fresh evidence, all brakes, epoch current, directly before it."""
    record = draft.host(off.host)
    if off.road not in usable_roads(draft, off.host):
        return "road_closed"
    if record.zombie_risk:
        return "zombie_risk"
    match record.state:
        case at.Fencing(cls=cls) if not Facts(draft, off.host).is_still_missed(cls):
            return "seen_again"
        case at.Fencing(cls=cls):
            return _braked(draft, off.host, sent_as(draft, off, cls))
        case at.Fenced() | at.Evacuating() | at.Vacated() if has_clean_boot(draft, off.host):
            return "new_boot"  # the boot that was meant is gone; this one waits behind its gate
        case at.Fenced() | at.Evacuating() | at.Vacated() if not has_reason(draft, off.host):
            return "seen_again"
        case at.Fenced() | at.Evacuating() | at.Vacated():
            return _braked(draft, off.host, sent_again_as(draft, off))
        case _:
            return "other_state"


def _braked(draft: Draft, host: HostId, cls: at.Class) -> str:
    """Ask every brake, and count before the shot: the next storm would not know of this one.

    Whom a device read off when the shot was decided was not counted. If it reads on by now, the
    shot is decided anew, as one that hits somebody.
    """
    brake = holding(draft, host, cls)
    if brake is not None:
        return brake.value
    is_counted = any(other == host for _, other in draft.control.shots)
    return "" if is_counted or hits_nobody(draft.host(host), cls) else "not_counted"


def _evacuate(draft: Draft, action: do.Evacuate, seen: ServerSeen | None) -> str:
    if not takes_servers(draft, action.target):
        return "target_not_healthy"
    return _of_the_dead(draft, action, seen, action.target)


def _reset(draft: Draft, action: do.ResetState, seen: ServerSeen | None) -> str:
    """Reset only who is still as it was listed, and whose evacuation might follow at once."""
    move = draft.move(action.server)
    if move is None or seen is None or not may_reset(seen, move.promise):
        return "state_changed"
    return _of_the_dead(draft, action, seen, None)


def _of_the_dead(
    draft: Draft,
    action: do.Evacuate | do.ResetState,
    seen: ServerSeen | None,
    target: HostId | None,
) -> str:
    move, record = draft.move(action.server), draft.host(action.source)
    if move is None or record.epoch != action.epoch or move.attempt != action.attempt:
        return "other_epoch"
    if seen is None:
        return "server_not_readable"
    if seen.host != action.source:
        return "host_changed"
    if word_of_user(seen) is at.Will.NOT_MOVED:
        return "will_changed"
    if any(not entry.is_final and entry.id not in move.known_records for entry in seen.records):
        return "record_open"
    if is_news(draft, seen, action.source):
        return "start_unseen"  # it is remembered before the server goes away from it
    if not permits_start(draft, action.source):
        return "proof_not_fresh"
    return _writers(draft, move, target) or holding_moves(draft, action.source)


def _writers(draft: Draft, move: at.Move, target: HostId | None) -> str:
    """Every other host that may hold a copy is proved dead, and not just switched on again."""
    if unproved_writers(draft, move, target):
        return "writer_not_proved"
    return "proof_not_fresh" if stale_writers(draft, move, target) else ""


ServerAction = do.StartServer | do.StopServer | do.HardReboot | do.LiveMigrate


def _start(draft: Draft, action: ServerAction, seen: ServerSeen | None) -> str:
    move = draft.move(action.server)
    if move is None or move.attempt != action.attempt:
        return "other_epoch"
    if seen is None:
        return "server_not_readable"
    word = word_of_user(seen)
    if isinstance(action, do.StopServer):
        # Offered again until it is answered: its user may have started the server since.
        return "will_changed" if word in (at.Will.RUNNING, at.Will.NOT_MOVED) else ""
    where = action.source if isinstance(action, do.LiveMigrate) else action.host
    if seen.host != where:
        return "host_changed"
    if word is at.Will.NOT_MOVED:
        return "will_changed"
    if not isinstance(action, do.LiveMigrate) and word is at.Will.STOPPED:
        return "will_changed"
    why = ""
    if isinstance(action, do.StartServer) and not may_start_on(draft, action.host):
        why = "target_not_healthy"
    elif isinstance(action, do.StartServer):
        why = _writers(draft, move, action.host)
    elif isinstance(action, do.HardReboot) and isinstance(move.state, at.Mending):
        why = _mend(draft, move, action, seen)
    elif isinstance(action, do.HardReboot) and isinstance(move.state, at.WaitingForHost):
        is_led_back = is_boot_led_back(draft, action.host) and is_heard(draft, action.host)
        why = _writers(draft, move, action.host) if is_led_back else "boot_not_attested"
    return why or holding_moves(draft, move.host)


def _mend(draft: Draft, move: at.Move, action: do.HardReboot, seen: ServerSeen) -> str:
    """Reset one guest where it is: nothing of it is under way, and one that ended ended there."""
    if not all(entry.is_final for entry in seen.records):
        return "record_open"
    is_proved = move.killed is None or permits_restart(
        draft, move.killed, action.server, action.host
    )
    return "" if is_proved else "end_not_proved"
