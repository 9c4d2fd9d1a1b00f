"""What shall become of each server of a dead host: every Nova state has its treatment (SAFETY 7).

active, stopped, error      evacuated, and put into the state its user wants
paused, suspended, rescued, resized   Nova refuses: wait for the host (or reset-state, by class)
shelved, deleted, deleting  the user's hands, not ours
building                    has nothing yet
vTPM, share, accelerator    Nova can never evacuate it: wait for the host
a pet built from an image   only where its very disk is seen (targets.py)
"""

from collections.abc import Iterator

from . import states as at
from .draft import Draft
from .left_copies import is_left
from .model import HostId, MoveRecord, ServerSeen, VmState
from .protection import Promise, Remedy, promise_for
from .queued import waits_at
from .reset import may_reset

RESTING = frozenset({VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED})
PUT_TO_REST = frozenset({VmState.PAUSED, VmState.SUSPENDED})  # Nova never does so by itself
GONE = frozenset({VmState.DELETED, VmState.SOFT_DELETED})
REFUSED_BY_NOVA = frozenset({VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED, VmState.RESIZED})
LEAVING_TASKS = frozenset({"deleting", "soft-deleting", "shelving", "shelving_offloading"})
LEAVING_ACTIONS = frozenset({"delete", "softDelete", "forceDelete", "shelve", "shelveOffload"})
ARRIVED = ("done", "completed")  # what Nova calls an evacuation that ended well
TARGET_DIED = "target_died"  # it had arrived, and was not started: its new host's episode goes on
STOPPING_TASKS = frozenset({"powering-off", "pausing", "suspending"})
STOPPING_ACTIONS = frozenset({"stop", "pause", "suspend"})
STARTING_ACTIONS = frozenset({"start", "reboot", "create", "unpause", "resume", "unshelve"})

NOBODY: frozenset[HostId] = frozenset()
NO_RECORDS: frozenset[int] = frozenset()  # one for all: an empty one of its own weighs 216 bytes


def word_of_user(server: ServerSeen) -> at.Will | None:
    """Say what its user, or Nova on the user's behalf, said last; None: nothing about this. Pure.

    What else a user did last (a volume attached, a tag set) says nothing of running or resting: the
    state tells then, if only a user brings a server there. "Stopped" is also Nova's own finding.
    """
    if server.vm_state in GONE or server.task_state in LEAVING_TASKS:
        return at.Will.NOT_MOVED
    said = action_of_user(server)
    if said is not at.Will.NOT_MOVED and server.task_state in STOPPING_TASKS:
        return at.Will.STOPPED
    if said is None and server.vm_state in PUT_TO_REST:
        return at.Will.STOPPED
    return said


def action_of_user(server: ServerSeen) -> at.Will | None:
    """Say what the user's own last action says, and no task of Nova's, which passes. Pure."""
    if server.user_action in LEAVING_ACTIONS:
        return at.Will.NOT_MOVED
    if server.user_action in STOPPING_ACTIONS:
        return at.Will.STOPPED
    return at.Will.RUNNING if server.user_action in STARTING_ACTIONS else None


def will_of(server: ServerSeen) -> at.Will:
    """Say what its user wants of a server: the last word, and what Nova was about to do. Pure."""
    rests = server.vm_state in RESTING and not _is_started_for_it(server)
    return word_of_user(server) or (at.Will.STOPPED if rests else at.Will.RUNNING)


def ran(server: ServerSeen) -> bool:
    """Say whether it ran at the last healthy sight. ERROR tells nothing: its power state does."""
    match server.vm_state:
        case VmState.ACTIVE | VmState.RESCUED | VmState.RESIZED:
            return server.is_running is not False
        case VmState.ERROR:
            return server.is_running is True
        case VmState.STOPPED:
            return _is_started_for_it(server)
        case _:
            return False


def _is_started_for_it(server: ServerSeen) -> bool:
    """Say whether a start of it is under way that is no word of its user: then it is ours.

    We start only who ran. A database that fails over may forget that it did so again.
    """
    return server.task_state == "powering-on" and server.user_action != "start"


def plan(draft: Draft, host: HostId, server: ServerSeen) -> at.Move:
    """Make the record of one server's move in this episode. Pure."""
    policy, record = draft.policy(host), draft.host(host)
    promise = promise_for(server, policy.rules, policy.default)
    open_ends = [
        end
        for entry in server.records
        if not entry.is_final
        for end in (entry.source, entry.target)
        if end is not None
    ]
    before = draft.move(server.id)
    is_over = before is not None and is_left(before)
    named = before.named if before is not None and not is_over else ()
    left = before.writers - {before.host} if before is not None and is_over else NOBODY
    used = before.attempt if before is not None else 0
    shown = [server.host] if server.host else []
    left |= waits_at(draft, server.id)
    writers: frozenset[HostId] = frozenset({host, *open_ends, *named, *shown}) | left
    cut_short = before if before is not None and _was_cut_short(before) else None
    known = cut_short or (before if before is not None and _rested(before, server) else None)
    return at.Move(
        server=server.id,
        host=host,
        epoch=record.epoch,
        state=treatment(draft, host, server, promise),
        seen=server,
        promise=promise,
        ran=ran(server) or (cut_short is not None and cut_short.ran),
        will=will_of(server) if known is None else word_of_user(server) or known.will,
        attempt=used,
        first=used,
        named=named,
        writers=writers if len(writers) > 1 else draft.cluster.site.alone[host],
        began=draft.now,
        known_records=frozenset(entry.id for entry in server.records) or NO_RECORDS,
    )


def _was_cut_short(move: at.Move) -> bool:
    """Say whether its target died before it ran there: Nova's "stopped" is nobody's wish then."""
    return isinstance(move.state, at.Skipped) and move.state.reason == TARGET_DIED


def _rested(move: at.Move, server: ServerSeen) -> bool:
    """Say whether its user had it rest, before it was reset to error: that state tells no wish."""
    is_open = not isinstance(move.state, at.FINAL)
    return is_open and server.vm_state is VmState.ERROR and move.will is at.Will.STOPPED


def treatment(draft: Draft, host: HostId, server: ServerSeen, promise: Promise) -> at.MoveState:
    """Say where a server's move begins, and for some where it ends at once. Pure."""
    now, foreign = draft.now, foreign_target(server, host)
    if will_of(server) is at.Will.NOT_MOVED:
        return at.Cancelled(now, "by_user")
    if server.vm_state in (VmState.SHELVED_OFFLOADED, VmState.SHELVED):
        return at.Skipped(now, "shelved")
    if server.vm_state is VmState.BUILDING:
        return at.Skipped(now, "building")
    if promise.host_dies in (Remedy.LEAVE, Remedy.RESTART):
        return at.WaitingForHost(now, "policy")
    if foreign is not None:
        return at.Verifying(now, foreign)
    if is_left_behind(server, host):
        return at.Skipped(now, "lives_elsewhere")
    if server.vm_state in REFUSED_BY_NOVA and server.host not in (None, host):
        return at.Skipped(now, "lives_elsewhere")  # a resize that only waits to be confirmed
    if server.vm_state in REFUSED_BY_NOVA and not may_reset(server, promise):
        return at.WaitingForHost(now, server.vm_state.value)
    if server.blocked:
        return at.WaitingForHost(now, server.blocked)
    return at.Planned(now)


def foreign_target(server: ServerSeen, host: HostId) -> HostId | None:
    """Return where somebody else evacuates it to, if an open record says so (`other_rescuer`).

    One that is older than an evacuation from here that ended well is overtaken, wherever the server
    went since, also back: nobody sees that one arrive.
    """
    for entry in _open_evacuations(server, host):
        if entry.id > _last_evacuated(server, host):
            return entry.target or HostId("")
    return None


def is_left_behind(server: ServerSeen, host: HostId) -> bool:
    """Say whether an open record is all that ties it to `host`: a later evacuation took it away.

    Nova never closes the record of a rebuild whose target died under it. Whoever waited for it
    would wait for ever, episode after episode.
    """
    is_open = any(True for _ in _open_evacuations(server, host))
    is_away = server.host not in (None, host) and _last_evacuated(server, host) > 0
    return is_open and is_away and foreign_target(server, host) is None


def _open_evacuations(server: ServerSeen, host: HostId) -> Iterator[MoveRecord]:
    for entry in server.records:
        if entry.kind == "evacuation" and not entry.is_final and entry.source == host:
            yield entry


def _last_evacuated(server: ServerSeen, host: HostId) -> int:
    """Return the number of the last evacuation that brought it away from `host`; 0: none did."""
    ended = (r for r in server.records if r.kind == "evacuation" and r.status in ARRIVED)
    return max((r.id for r in ended if r.source == host), default=0)
