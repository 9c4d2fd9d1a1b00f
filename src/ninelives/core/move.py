"""The life of one server's move, in one episode.

    planned ─▶ choosing ─▶ sending ─▶ verifying ─▶ (starting) ─▶ done
       ▲          │           │           │            └─▶ cancelled (by its user), at any time
       └─ retry ◀─┴───────────┴───────────┘
                  └─▶ waiting_for_host     when it cannot be had elsewhere, or all attempts failed

A send goes out at most once per attempt. Its answer says "accepted" at best; what became of it is
seen in Nova's records, and nothing is sent while one is open (SAFETY 7, attack 3).
"""

from dataclasses import replace

from . import actions as do
from . import arrival, in_place, reserve, reset
from . import events as on
from . import states as at
from .arrival import NEEDS, give_up
from .brakes import holding_moves
from .draft import Draft
from .episode import tell
from .fencing import read_evidence
from .lost_work import is_lost
from .model import HostId, MoveRecord, VmState
from .plan import GONE, will_of
from .proofs import permits_start
from .targets import (
    choose,
    ends_to_look_at,
    has_project_room,
    has_room,
    is_dead,
    named_again,
    open_records,
    stale_writers,
    stays_unread,
    unproved_writers,
    waits_for_group,
)
from .unanswered import EMPTY_LOOKS

NEEDS_TARGET = "needs_target "  # and no other, which has no room for it


def step(draft: Draft, move: at.Move, others: list[at.Move], may_send: bool) -> None:
    """Move one server on, as far as what was seen of it allows."""
    match move.state:
        case at.Planned() if may_send:
            _take_turn(draft, move, others)
        case at.Retry(at=when) if may_send and draft.now >= when:
            _take_turn(draft, replace(move, state=at.Planned(draft.now)), others)
        case at.Choosing(since=since):
            if draft.now >= since + draft.policy(move.host).request_timeout_s:
                draft.put_move(replace(move, state=at.Planned(draft.now)))
        case at.Resetting() | at.Sending() | at.Verifying() | at.Starting():
            settle_send(draft, move, is_fresh=False)
        case _:
            pass


def _take_turn(draft: Draft, move: at.Move, others: list[at.Move]) -> None:
    """Ask for targets, if it is this server's turn and nobody else can write its disks."""
    wanting = _obstacle(draft, move, others)
    if _is_given_up(draft, move, wanting):
        give_up(draft, move, wanting or f"{NEEDS_TARGET}{move.again}")
        return
    if not wanting:
        draft.put_move(replace(move, state=at.Choosing(draft.now)))
        draft.ask(do.AskTargets(move.server, move.attempt + 1))
        return
    waiting = at.Planned(draft.now, wanting)
    before = move.state
    if isinstance(before, at.Planned) and before.wanting == wanting:
        return
    draft.put_move(replace(move, state=waiting))
    if wanting not in ("turn", "room", "fresh_read"):
        draft.note(move.server, "move.held", wanting)
        tell(draft, move.host, f"move_held:{move.server}:{wanting}")


def _is_given_up(draft: Draft, move: at.Move, wanting: str) -> bool:
    """Say whether a person signed off a server that nothing of ours will ever move on.

    On a host without an agent no domain is ever seen absent: who needs that look waits for ever.
    """
    before = move.state.wanting if isinstance(move.state, at.Planned) else ""
    is_full = not wanting and before.startswith(NEEDS_TARGET)
    is_stuck = is_full or wanting == "record_open" or wanting.startswith(NEEDS)
    return is_stuck and move.server in draft.control.signed_off


def _obstacle(draft: Draft, move: at.Move, others: list[at.Move]) -> str:
    if waits_for_group(draft, move, others):
        return "turn"
    if not has_room(draft, move) or is_overtaking(draft, move, others):
        return "room"
    if open_records(draft, move):
        if ends := ends_to_look_at(draft, move):
            draft.ask(do.LookForDomain(move.server, ends, move.attempt))
        return "record_open"
    again = named_again(draft, move)
    unproved = unproved_writers(draft, move, again)
    if unproved:
        draft.ask(do.LookForDomain(move.server, unproved, move.attempt))
        return NEEDS + ",".join(unproved)
    stale = [writer for writer in stale_writers(draft, move, again) if writer != move.host]
    for writer in stale:
        read_evidence(draft, writer)
    if stale:  # one that is led back will not read off again: its own agent says who is there
        draft.ask(do.LookForDomain(move.server, tuple(stale), move.attempt))
    if unseen := tuple(writer for writer in stale if stays_unread(draft, writer)):
        return NEEDS + ",".join(unseen)
    return "fresh_read" if stale else ""


def is_overtaking(draft: Draft, move: at.Move, others: list[at.Move]) -> bool:
    """Say whether a better tier still waits for a free place: then nobody else takes it.

    Who waits only because its own project has enough on the move is in nobody's way.
    """
    return any(
        other.promise.tier < move.promise.tier
        and isinstance(current := (draft.move(other.server) or other).state, at.Planned)
        and current.wanting == "room"
        and (other.seen.project == move.seen.project or has_project_room(draft, other))
        for other in others
    )


# A target is chosen, and the one send goes out.


def targets_seen(draft: Draft, event: on.TargetsSeen) -> None:
    """Fold Placement's answer: name the target and send, or say why not."""
    move = draft.move(event.request.server)
    if move is None or not isinstance(move.state, at.Choosing):
        return
    if event.request.attempt != move.attempt + 1:
        return
    if _is_overtaken(draft, move):
        draft.put_move(replace(move, state=at.Planned(draft.now)))
        return
    target = choose(draft, move, event.candidates)
    if target in draft.cluster.site.hosts and reset.may_reset(move.seen, move.promise):
        reset.begin(draft, move)
    elif target in draft.cluster.site.hosts:
        _send(draft, move, HostId(target))
    elif target == "limits":
        draft.put_move(replace(move, state=at.Planned(draft.now, "room")))
    elif target == "data_would_be_lost":
        _wait_for_host(draft, move, target)
    elif (again := named_again(draft, move)) is not None:
        draft.put_move(replace(move, state=at.Planned(draft.now, NEEDS_TARGET + again)))
        tell(draft, move.host, f"move_held:{move.server}:needs_target", again)
    elif not reserve.comes_for(draft, move):
        fail(draft, move, "no_target", None)


def _is_overtaken(draft: Draft, move: at.Move) -> bool:
    """Say whether what allowed the send when targets were asked for is gone by their answer."""
    if holding_moves(draft, move.host) or not permits_start(draft, move.host):
        return True  # somebody disarmed, or the host was heard: its proof is void
    # Its user may have had it migrated meanwhile: Nova works on that record first.
    return open_records(draft, move) or bool(
        unproved_writers(draft, move, named_again(draft, move))
    )


def _send(draft: Draft, move: at.Move, target: HostId) -> None:
    attempt = move.attempt + 1
    known = frozenset(entry.id for entry in move.seen.records)
    sent = replace(
        move,
        state=at.Sending(draft.now, target, was_named=target in move.named),
        attempt=attempt,
        named=(*move.named, target) if target not in move.named else move.named,
        writers=move.writers | {target},
        absent_on=move.absent_on - {target},
        known_records=known,
        again=None if target == move.again else move.again,
    )
    draft.put_move(sent)
    action = do.Evacuate(move.server, move.host, target, move.epoch, attempt)
    draft.act(action, draft.policy(move.host).request_timeout_s)
    draft.note(move.server, "move.sent", target, f"attempt {attempt}")


def send_replied(draft: Draft, event: on.Replied) -> None:
    """Fold the answer to an evacuate: accepted, refused, certainly not sent, or nobody knows."""
    action = event.action
    assert isinstance(action, do.Evacuate)
    draft.settle(action)
    move = draft.move(action.server)
    if move is None or move.epoch != action.epoch or move.attempt != action.attempt:
        return
    if not isinstance(move.state, at.Sending):
        return
    match event.outcome:
        case on.Outcome.DONE:
            draft.put_move(replace(move, state=at.Verifying(draft.now, action.target)))
        case on.Outcome.UNKNOWN:
            unknown = replace(move.state, since=draft.now, is_unknown=True)
            draft.put_move(replace(move, state=unknown))
            draft.note(move.server, "move.unknown", event.reason)
        case on.Outcome.NOT_SENT:
            # It certainly did not happen: the attempt is not spent, the target no writer.
            draft.put_move(_unsent(draft, move, move.state))
            draft.note(move.server, "move.not_sent", event.reason)
        case on.Outcome.REFUSED:
            fail(draft, move, event.reason or "refused", action.target)
    draft.wake_host(move.host, draft.now)


def reset_replied(draft: Draft, event: on.Replied) -> None:
    """Fold the answer to a reset of its state."""
    refused = reset.replied(draft, event)
    if refused is not None:
        fail(draft, refused, event.reason or "refused", None)


def _unsent(draft: Draft, move: at.Move, state: at.Sending) -> at.Move:
    others = move.writers if state.was_named else move.writers - {state.target}
    return replace(
        move,
        attempt=move.attempt - 1,
        writers=others | {move.host},
        again=state.target if state.was_named else move.again,
        # Not at once: what was turned down is decided again when the server was seen anew.
        state=at.Retry(draft.now + draft.policy(move.host).watch_s, "not_sent"),
    )


# What was seen decides.


def settle_send(draft: Draft, move: at.Move, is_fresh: bool) -> None:
    """See in Nova's records what became of a send, and go on from there.

    `is_fresh`: the server was read just now. "No record" counts only if it was read twice.
    """
    match move.state:
        case at.Resetting() as state:
            if reset.is_spent(draft, move, state):
                fail(draft, move, "not_reset", None)
        case at.Sending(is_unknown=True) as state:
            _look_up(draft, move, state, is_fresh)
        case at.Verifying() as state:
            _verify(draft, move, state, is_fresh)
        case at.Starting() as state:
            arrival.verify_will(draft, move, state)
        case at.WaitingForHost() | at.Failed():
            in_place.verify_in_place(draft, move)
        case _:
            pass


def _our_record(move: at.Move, target: HostId) -> MoveRecord | None:
    fresh = [
        entry
        for entry in move.seen.records
        if entry.kind == "evacuation"
        and entry.source == move.host
        and (entry.id not in move.known_records or move.is_adopted)
        and entry.target in (target, None, HostId(""))
    ]
    return max(fresh, key=lambda entry: entry.id, default=None)


def _look_up(draft: Draft, move: at.Move, state: at.Sending, is_fresh: bool) -> None:
    """The answer was lost: look for the record; after the settle time, twice, before a retry."""
    if _our_record(move, state.target) is not None or move.seen.host == state.target:
        draft.put_move(replace(move, state=at.Verifying(draft.now, state.target)))
    elif _looked_in_vain(draft, move, state, is_fresh):
        # The retry names the same target: should the first arrive after all, it meets itself.
        fail(draft, replace(move, again=state.target), "no_record", None)


def _looked_in_vain(
    draft: Draft, move: at.Move, state: at.Sending | at.Verifying, is_fresh: bool
) -> bool:
    """Count an empty look after the settle time; say whether there were enough of them."""
    if not is_fresh or draft.now < state.since + draft.policy(move.host).nova_settle_s:
        return False
    if state.empty_looks < EMPTY_LOOKS:
        looked = replace(state, empty_looks=state.empty_looks + 1)
        draft.put_move(replace(move, state=looked))
        return False
    return True


def _verify(draft: Draft, move: at.Move, state: at.Verifying, is_fresh: bool) -> None:
    seen, target = move.seen, state.target
    record = _our_record(move, target)
    # What stood open at our send was settled then, also if it ends at our own target.
    before = frozenset[int]() if move.is_adopted else move.known_records
    if (
        (record is not None and not record.is_final)
        or open_records(draft, move, before)
        or seen.task_state is not None
    ):
        _follow(draft, move, target)
    elif seen.host not in (move.host, None):
        _arrived(draft, move, seen.host or target)
    elif record is not None and record.status in ("failed", "error", "cancelled"):
        fail(draft, move, f"record_{record.status}", target)
    elif seen.vm_state is VmState.ERROR and record is not None:
        fail(draft, move, "error", target)
    elif record is not None and is_dead(draft, target, move):
        fail(draft, move, "target_died", target)
    else:
        _doubt(draft, move, state, is_fresh)


def _doubt(draft: Draft, move: at.Move, state: at.Verifying, is_fresh: bool) -> None:
    """Nova took it, and shows nothing that will ever end it: as if its answer had been lost.

    Its database lost the record, or the server only passed through where it was followed to. Or
    its old host started, and called each evacuation from it completed, also one cut short
    (nova/compute/manager.py, _destroy_evacuated_instances).
    """
    if _looked_in_vain(draft, move, state, is_fresh):
        again = state.target if move.attempt > move.first else None
        fail(draft, replace(move, again=again, is_adopted=False), "no_record", None)


def _follow(draft: Draft, move: at.Move, target: HostId) -> None:
    """It is on its way. A record whose target died stays open for ever: only its proof ends it."""
    assert isinstance(move.state, at.Verifying)
    record = _our_record(move, target)
    is_gone = is_dead(draft, target, move) or (record is not None and is_lost(draft, record))
    if is_gone and move.seen.host == move.host:
        fail(draft, move, "target_died", target)
    elif is_gone and move.seen.host == target and move.seen.task_state is None:
        _arrived(draft, move, target)  # Nova wrote its new host first, and never ended the record
    else:
        arrival.tell_slow(draft, move, target, move.state.since)


def _arrived(draft: Draft, move: at.Move, host: HostId) -> None:
    """Nova says that it is there; in error it is nobody's but a human's: its host lives."""
    if move.seen.vm_state in (VmState.ACTIVE, VmState.STOPPED):
        arrival.arrive(draft, move, host)
    elif move.seen.vm_state is VmState.ERROR:
        draft.put_move(replace(move, state=at.Failed(draft.now, "error_on_target")))
        tell(draft, move.host, f"server_failed:{move.server}", "error_on_target")


# How a move fails, waits or is taken out of our hands.


def fail(draft: Draft, move: at.Move, reason: str, target: HostId | None) -> None:
    """Try again elsewhere, later; after the last attempt wait for the host, and tell somebody."""
    policy = draft.policy(move.host)
    most = move.promise.attempts_max or policy.attempts_max
    spent = replace(move, attempt=move.attempt + (1 if reason == "no_target" else 0))
    if target:  # somebody else's evacuation may end before it names one, and that one is ""
        spent = replace(spent, writers=spent.writers | {target})
    tries = spent.attempt - spent.first
    if tries >= most:
        _wait_for_host(draft, spent, f"failed:{reason}")
        return
    pause = min(policy.retry_s * 2 ** max(0, tries - 1), policy.retry_max_s)
    draft.put_move(replace(spent, state=at.Retry(draft.now + pause, reason)))
    draft.note(move.server, "move.retry", reason, f"attempt {tries} of {most}")


def _wait_for_host(draft: Draft, move: at.Move, reason: str) -> None:
    draft.put_move(replace(move, state=at.WaitingForHost(draft.now, reason)))
    draft.note(move.server, "move.waits", reason)
    tell(draft, move.host, f"server_waits:{move.server}", reason)


def cancel_if_gone(draft: Draft, move: at.Move) -> None:
    """Its user deleted or shelved it: hands off, and see that no orphan is left on a target."""
    if isinstance(move.state, at.FINAL) or will_of(move.seen) is not at.Will.NOT_MOVED:
        return
    if isinstance(move.state, at.Sending) or not _has_ended(draft, move):
        return  # a request is out: first see where it ends, and what it leaves behind
    draft.put_move(replace(move, state=at.Cancelled(draft.now, "by_user")))
    draft.note(move.server, "move.cancelled", "by_user")
    if move.named:
        draft.ask(do.LookForDomain(move.server, move.named, move.attempt))


def _has_ended(draft: Draft, move: at.Move) -> bool:
    """Say whether Nova does nothing any more for a server that is gone: only then look for it."""
    if not isinstance(move.state, at.Verifying):
        return True
    record = _our_record(move, move.state.target)
    is_late = draft.now >= move.state.since + draft.policy(move.host).nova_settle_s
    return move.seen.vm_state in GONE and (is_late if record is None else record.is_final)
