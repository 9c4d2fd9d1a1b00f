"""The servers of one dead host together: list them, plan them, and say when all have an outcome.

The list is everybody who may have a copy there: servers of the host, any open migration from or to
it, its Placement consumers; all pages, all cells. It is taken again until two complete lists in a
row add nobody, for Nova forgets and remembers at its own pace (attack 20).
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import evidence, queued, revoking
from . import states as at
from .brakes import holding_moves
from .draft import Draft
from .elsewhere import follow_elsewhere, has_fallen_back
from .episode import move_to, tell
from .fencing import collect, disable, read_evidence
from .model import HostId, Method, Seen, ServerId, ServerSeen, Sign
from .move import cancel_if_gone, settle_send, step
from .plan import action_of_user, plan
from .proofs import (
    answers_though_off,
    has_clean_boot,
    permits_start,
    rests_on_its_reboot,
    valid,
)
from .roads import usable_roads
from .shooting import shoot_again, still_on, went_dark_again
from .tallies import is_proved_dead
from .targets import in_order

# Fenced: tell Nova, then list.


def fenced(draft: Draft, host: HostId) -> None:
    """Force the service down (never before a proof, and for ever until it is), and list."""
    record, policy = draft.host(host), draft.policy(host)
    if record.zombie_risk:
        return
    upkeep(draft, host)
    if not is_forced_down(draft, host):
        _force_down(draft, host)
    sights = draft.sights(host)
    assert isinstance(record.state, at.Fenced)
    # What is seen in the first moment may be that it is down. As long as Nova does not take that,
    # every read of its power is news as well, and lists have a pace of their own.
    is_new = draft.now < record.state.since + policy.list_s
    if is_new or draft.now >= sights.list_asked_at + policy.list_s:
        draft.put_sights(sights._replace(list_asked_at=draft.now))
        draft.ask(do.ListServers(host, record.epoch, 0))
    draft.wake_host(host, draft.now + policy.list_s)


def _force_down(draft: Draft, host: HostId) -> None:
    """Ask for it, and to disable the service: once while it is open, and refused after a pause."""
    action, policy = do.ForceDown(host, draft.host(host).epoch), draft.policy(host)
    sights = draft.sights(host)
    if draft.entry(action) is not None or draft.now < sights.force_down_asked_at + policy.list_s:
        return
    draft.put_sights(sights._replace(force_down_asked_at=draft.now, is_force_down_lost=False))
    draft.act(action, policy.request_timeout_s)
    disable(draft, host)


def keep_down(draft: Draft, host: HostId) -> None:
    """Force the service down after all, when Nova comes to show it up while the host is out.

    A list that lags shows our own force-down, of which we took leave with the last episode, as
    somebody else's. An operator's may be taken off while nobody may be placed there yet. And ours
    goes with the last commits that a database loses when it fails over.
    """
    sights, record = draft.sights(host), draft.host(host)
    is_up = sights.nova is not None and not sights.nova.forced_down
    is_missing = is_up and (not record.forced_down_by_us or sights.is_force_down_lost)
    if is_missing and not record.zombie_risk:
        _force_down(draft, host)


def is_forced_down(draft: Draft, host: HostId) -> bool:
    """Say whether Nova counts the service as down by force, ours or an operator's."""
    nova = draft.sights(host).nova
    return draft.host(host).forced_down_by_us or (nova is not None and nova.forced_down)


def listed(draft: Draft, event: on.Listed) -> None:
    """Fold a list: plan whoever is new, and count how often in a row nobody was."""
    host = event.request.host
    record = draft.host(host)
    if event.request.epoch != record.epoch or record.zombie_risk:
        return
    _let_go(draft, event)
    match record.state:
        case at.Fenced() if is_forced_down(draft, host):
            _plan_new(draft, host, event.servers)
            move_to(draft, host, at.Evacuating(draft.now), "planned", f"{len(event.servers)}")
        case at.Evacuating() as state:
            added = _plan_new(draft, host, event.servers)
            # A list asked for before the last one was answered says nothing new: it is no second.
            is_next = event.request.round == state.round + 1
            is_left = any(_is_open_elsewhere(draft, host, server) for server in event.servers)
            is_clean = event.is_complete and not added and not is_left
            clean = state.clean_lists + is_next if is_clean else 0
            state = replace(state, clean_lists=min(clean, 2), round=state.round + is_next)
            draft.put_host(replace(draft.host(host), state=state))
            for server in event.servers:
                _seen(draft, host, server)
            draft.wake_host(host, draft.now)
        case _:
            pass


def _let_go(draft: Draft, event: on.Listed) -> None:
    """Forget who was being moved away alive, or reset, and is not here any more: it got away.

    Nobody else would end that move, and its host would wait for it for ever.
    """
    host = event.request.host
    listed = {server.id for server in event.servers}
    is_out = isinstance(draft.host(host).state, at.Fenced | at.Evacuating)
    for move in draft.moves_of(host) if is_out and event.is_complete else ():
        if isinstance(move.state, at.Mending) and move.server not in listed:
            draft.drop_move(move)
            draft.note(move.server, "move.elsewhere", "not_here")


def _plan_new(draft: Draft, host: HostId, servers: tuple[ServerSeen, ...]) -> int:
    """Plan every server that has no move in this episode yet. Return how many there were."""
    added = 0
    for server in servers:
        known = draft.move(server.id)
        if known is not None and _is_cared_for(draft, known, host, server):
            continue
        move = plan(draft, host, server)
        draft.put_move(move)
        _spend_sign_off(draft, server.id)
        added += 1
        state = type(move.state).__name__.lower()
        draft.note(server.id, "move.planned", getattr(move.state, "reason", ""), state)
        if isinstance(move.state, at.Verifying):
            draft.put_move(replace(move, is_adopted=True))
            tell(draft, host, f"other_rescuer:{server.id}")
    return added


def _spend_sign_off(draft: Draft, server: ServerId) -> None:
    """A person signed off what an earlier episode left; of this one nobody has said a word yet."""
    if server in draft.control.signed_off:
        left = tuple(each for each in draft.control.signed_off if each != server)
        draft.put_control(replace(draft.control, signed_off=left))


def _is_cared_for(draft: Draft, move: at.Move, host: HostId, server: ServerSeen) -> bool:
    """Say whether a known move stands: of this plan, or of another host's that is not over.

    The first list makes the plan. What was moved off the host alive before it was fenced, in the
    same episode, is none of it: nobody else would look at it again.
    A resting server belongs to the host that Nova names: only its list takes it over. Else two
    lists on which it stands, by an old record, would take it from each other for ever.
    """
    if move.host == host:
        record = draft.host(host)
        is_old = isinstance(record.state, at.Fenced) or isinstance(move.state, at.Mending)
        return move.epoch == record.epoch and not is_old
    other = draft.host(move.host)
    is_over = isinstance(other.state, at.Healthy | at.Unknown) or move.epoch != other.epoch
    return not is_over and (not isinstance(move.state, queued.RESTS) or server.host != host)


def _is_open_elsewhere(draft: Draft, host: HostId, server: ServerSeen) -> bool:
    """Say whether a server on this host's list has no outcome yet in another host's episode."""
    move = draft.move(server.id)
    return move is not None and move.host != host and not isinstance(move.state, queued.RESTS)


# Evacuating.


def evacuating(draft: Draft, host: HostId, state: at.Evacuating) -> None:
    """Keep the proofs fresh, move whoever's turn it is, list again, and end when all is said."""
    # Already now: somebody may press its button long before it is empty.
    queued.tell(draft, host)
    record, policy = draft.host(host), draft.policy(host)
    if record.zombie_risk:
        _watch(draft, host, draft.moves_of(host))  # nothing is sent, but what is out is followed
        draft.wake_host(host, draft.now + policy.watch_s)
        return
    upkeep(draft, host)
    moves = in_order(draft.moves_of(host))
    advance(draft, host, moves)
    moves = draft.moves_of(host)
    if draft.now >= state.next_list:
        draft.put_host(replace(draft.host(host), state=replace(state, next_list=draft.now + 1e9)))
        draft.ask(do.ListServers(host, record.epoch, state.round + 1))
    pending = [move for move in moves if not isinstance(move.state, queued.RESTS)]
    _watch(draft, host, pending)
    if not pending and state.clean_lists >= 2:
        _vacate(draft, host, moves)
    elif state.next_list > draft.now + policy.look_again_s:
        _list_again(draft, host, is_settled=not pending)
    draft.wake_host(host, draft.now + policy.watch_s)


def _watch(draft: Draft, host: HostId, moves: list[at.Move]) -> None:
    moving = tuple(sorted(move.server for move in moves if _is_watched(move)))
    if moving:
        draft.ask(do.Watch(host, draft.host(host).epoch, moving))


def _is_watched(move: at.Move) -> bool:
    """In flight, or held by what may change in Nova without anybody's telling."""
    state = move.state
    is_held = isinstance(state, at.Planned) and state.wanting not in ("", "turn", "room")
    return isinstance(state, at.IN_FLIGHT) or is_held


def _list_again(draft: Draft, host: HostId, is_settled: bool) -> None:
    """Set when to list next: soon when only the two clean lists are missing."""
    policy, record = draft.policy(host), draft.host(host)
    assert isinstance(record.state, at.Evacuating)
    due = draft.now + (policy.list_s if is_settled else policy.look_again_s)
    draft.put_host(replace(record, state=replace(record.state, next_list=due)))


def _vacate(draft: Draft, host: HostId, moves: list[at.Move]) -> None:
    counts: dict[str, int] = {}
    for move in moves:
        name = type(move.state).__name__.lower()
        counts[name] = counts.get(name, 0) + 1
    said = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "no servers"
    move_to(draft, host, at.Vacated(draft.now), "all_have_an_outcome", said)
    left = [move.server for move in moves if isinstance(move.state, at.WaitingForHost | at.Failed)]
    if left:
        tell(draft, host, "servers_left", ", ".join(sorted(left)))


def upkeep(draft: Draft, host: HostId) -> None:
    """Keep what the proofs stand on fresh; a host that somebody switched on is looked at, or off.

    The roads go on until the host is proved off: a storage proof alone never ends the story.
    """
    read_evidence(draft, host)
    if draft.host(host).zombie_risk:
        return  # the old reads would make the very proof again that was contradicted
    keep_down(draft, host)
    revoking.revoke(draft, host)
    collect(draft, host)
    still_on(draft, host)
    shoot_again(draft, host)
    _tell_unproved(draft, host)


def _tell_unproved(draft: Draft, host: HostId) -> None:
    """Ask a person for the proof that no road gives: its storage alone does not end the story.

    What is not on that storage waits for it, and all does where the network may still be used.
    Nor can an empty host be led back that still lives, and without an agent says nothing of it.
    """
    state = draft.host(host).state
    if not isinstance(state, at.Fenced | at.Evacuating | at.Vacated):
        return
    if went_dark_again(draft, host) and not usable_roads(draft, host):
        tell(draft, host, "unfenceable", "dark again after its reboot, and no road may prove it")
    if is_proved_dead(draft.host(host)):
        return
    if draft.now >= state.since + draft.policy(host).unfenceable_after_s:
        tell(draft, host, "unfenceable", "nothing but its storage is proved")


def upkeep_again_s(draft: Draft, host: HostId) -> float:
    """Return after how long the proofs of an empty host are looked at again without news.

    What it may write is in use for ever: one that only its storage shuts out still lives. But
    when its power was read last matters to a start alone, and whoever starts what was once sent
    here has it read before. Somebody who switches it on will be heard, and that is news. The
    others of its group may wait for the word of its storage.
    """
    policy, record = draft.policy(host), draft.host(host)
    if record.zombie_risk or not is_proved_dead(record):
        return policy.storage_poll_s
    is_heard = {Seen.UP, Seen.NOT_DOWN} & set(evidence.planes_seen(draft, host).values())
    is_waited_for = record.group and evidence.watched(draft, host) is not False
    return policy.look_again_s if is_heard or is_waited_for else policy.vacated_look_s


def advance(draft: Draft, host: HostId, moves: list[at.Move]) -> None:
    """Step every move in order. Nothing new is sent while a brake holds or the proof is stale."""
    brake = holding_moves(draft, host)
    is_proved = permits_start(draft, host)
    may_send = not brake and is_proved and not _waits_for_locks(draft, host)
    waiting = [move.server for move in moves if isinstance(move.state, at.Planned | at.Retry)]
    if brake and waiting:
        tell(draft, host, f"moves_held:{brake}", ", ".join(waiting))
    elif waiting and not is_proved and _still_answers(draft, host):
        tell(draft, host, "moves_held:still_answers", ", ".join(waiting))
    for move in moves:
        current = draft.move(move.server)
        if current is not None and not isinstance(current.state, queued.RESTS):
            step(draft, current, moves, may_send=may_send)


def _still_answers(draft: Draft, host: HostId) -> bool:
    """Say whether who is proved dead gives signs, and had its time to attest a boot with no guest.

    What was reset comes up, and says so itself. What does not say so may run its guests again.
    """
    methods = {proof.method for proof in valid(draft.host(host))}
    if Method.LEASE_EXPIRED not in methods and not rests_on_its_reboot(draft, host):
        return answers_though_off(draft, host)
    views = [view for by in draft.sights(host).heard.values() for view in by.values()]
    heard = [view.since for view in views if view.sign in (Sign.STRONG, Sign.WEAK)]
    is_late = bool(heard) and draft.now >= min(heard) + draft.policy(host).attest_retry_s
    return is_late and not has_clean_boot(draft, host)


def _waits_for_locks(draft: Draft, host: HostId) -> bool:
    """Stale storage locks get their time to expire, counted from the proof."""
    wait = draft.policy(host).storage_lock_wait_s
    made = [proof.at for proof in draft.host(host).proofs]
    return bool(made) and draft.now < min(made) + wait


def watched(draft: Draft, event: on.Watched) -> None:
    """Fold how the servers on the move look now."""
    host = event.request.host
    record = draft.host(host)
    if event.request.epoch != record.epoch:
        return
    for server in event.servers:
        _seen(draft, host, server)
    if isinstance(record.state, at.Evacuating) and not record.zombie_risk:
        moves = in_order(draft.moves_of(host))
        advance(draft, host, moves)


def _seen(draft: Draft, host: HostId, server: ServerSeen) -> None:
    move = draft.move(server.id)
    if move is None or move.host != host or move.epoch != draft.host(host).epoch:
        return
    if isinstance(move.state, at.Mending):
        return  # it belongs to a host that lives
    if move.seen != server:
        # Kept: an action that says nothing, somebody's evacuate, may cover the user's last word.
        will = action_of_user(server) or move.will
        writers = move.writers | _new_writers(move, server)
        move = replace(move, seen=server, will=will, writers=writers)
        draft.put_move(move)
    if has_fallen_back(move, server):
        tell(draft, host, f"fell_back:{server.id}", "Nova forgot that it arrived")
    cancel_if_gone(draft, move)
    follow_elsewhere(draft, draft.move(server.id) or move)
    settle_send(draft, draft.move(server.id) or move, is_fresh=True)


def _new_writers(move: at.Move, server: ServerSeen) -> set[HostId]:
    """Whoever Nova, or another rescuer, brought into play since the plan was made."""
    fresh = [r for r in server.records if not r.is_final or r.id not in move.known_records]
    ends = {end for record in fresh for end in (record.source, record.target) if end}
    return ends | ({server.host} if server.host else set())
