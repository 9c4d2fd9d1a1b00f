"""A server has arrived: put it into the state that its user wants, and only that.

From microversion 2.95 a moved server arrives stopped, one in error arrives active. The user's word
counts as of now: whoever stopped it while it moved finds it stopped.
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from .adoption import is_settling
from .draft import Draft
from .episode import tell
from .fencing import read_evidence
from .model import HostId, VmState
from .plan import TARGET_DIED, word_of_user
from .targets import is_dead, stale_writers, unproved_writers


def done(draft: Draft, move: at.Move, host: HostId) -> None:
    """It runs, or rests as its user wants; seen."""
    draft.put_move(replace(move, state=at.Done(draft.now, host)))
    draft.note(move.server, "move.done", move.seen.vm_state, host)
    draft.wake_host(move.host, draft.now)


def arrive(draft: Draft, move: at.Move, host: HostId) -> None:
    """Start or stop it, if it is not as it should be. Not all of its way there need be ours."""
    move = move if host in move.named else replace(move, is_adopted=True)
    will = word_of_user(move.seen) or move.will
    if will is at.Will.NOT_MOVED or _is_as_wanted(move, will):
        done(draft, move, host)
        return
    if _has_died(draft, move, host):
        _hand_on(draft, move, host)
        return
    if _is_held(draft, move, host, will):
        draft.put_move(replace(move, will=will, state=at.Starting(draft.now, host)))
        return
    action: do.StartServer | do.StopServer
    if will is at.Will.RUNNING:
        action = do.StartServer(move.server, host, move.epoch, move.attempt)
    else:
        action = do.StopServer(move.server, move.attempt)
    draft.put_move(replace(move, will=will, state=at.Starting(draft.now, host, is_sent=True)))
    draft.act(action, draft.policy(move.host).request_timeout_s)


def _has_died(draft: Draft, move: at.Move, host: HostId) -> bool:
    """Say whether the host on which it arrived is proved dead, and in its own episode now."""
    is_out = isinstance(draft.host(host).state, at.Fenced | at.Evacuating)
    return is_out and move.seen.host == host != move.host and is_dead(draft, host, move)


def _hand_on(draft: Draft, move: at.Move, host: HostId) -> None:
    """Leave it to the episode of the host that died under it: here nothing starts any more.

    Both would wait for each other: that one for this move to end, this one for a start there.
    """
    draft.put_move(replace(move, state=at.Skipped(draft.now, TARGET_DIED)))
    draft.note(move.server, "move.elsewhere", TARGET_DIED, host)
    draft.wake_host(move.host, draft.now)


def _is_held(draft: Draft, move: at.Move, host: HostId, will: at.Will) -> bool:
    """Disarmed, or the proof contradicted: nothing is started, also not what has moved already.

    A person who answers a contradicted proof with a new fence ends the risk, not the doubt: until
    the new shot has become a proof there is none.
    """
    if not draft.control.is_armed or draft.host(move.host).zombie_risk:
        return True
    if is_settling(draft):
        return True
    if will is not at.Will.RUNNING:
        return False
    return not may_start_on(draft, host) or bool(_unseen_writers(draft, move, host))


def may_start_on(draft: Draft, host: HostId) -> bool:
    """Say whether a start that is sent there is carried out now, and not at its next boot.

    What waits in the queue of a host that hangs, or is shot meanwhile, runs there whenever its
    nova-compute comes back: perhaps long after the server was moved on.
    """
    return isinstance(draft.host(host).state, at.Healthy)


def _unseen_writers(draft: Draft, move: at.Move, host: HostId) -> tuple[HostId, ...]:
    """Return who, but the target, might run it, and have them looked at.

    The last check would turn each start down, and each try would spend a number.
    """
    stale = {each for each in stale_writers(draft, move, host) if each != move.host}
    unseen = tuple(sorted({*unproved_writers(draft, move, host), *stale}))
    for writer in sorted(stale):
        read_evidence(draft, writer)
    if elsewhere := tuple(writer for writer in unseen if writer != move.host):
        draft.ask(do.LookForDomain(move.server, elsewhere, move.attempt))
    return unseen


def _is_as_wanted(move: at.Move, will: at.Will) -> bool:
    """Say whether nothing is to be done. What did not run before is not started, only stopped."""
    if move.seen.vm_state is VmState.ACTIVE:
        return will is not at.Will.STOPPED
    return will is not at.Will.RUNNING or not move.ran


def verify_will(draft: Draft, move: at.Move, state: at.Starting) -> None:
    """See it run, or rest; a lost answer is looked up here, for the state itself tells."""
    will = word_of_user(move.seen) or move.will
    settle_s = draft.policy(move.host).nova_settle_s if state.is_sent else 0.0
    if _has_died(draft, move, state.target):
        if draft.now >= state.since + settle_s:
            _hand_on(draft, move, state.target)
        return
    if move.seen.task_state is not None:
        tell_slow(draft, move, state.target, state.since)
        return
    if will is not at.Will.NOT_MOVED and _is_of_before(draft, move, state):
        return
    if will is at.Will.NOT_MOVED or _is_as_wanted(move, will):
        done(draft, move, state.target)
    elif state.is_sent:
        _see_whether_it_came_to_nothing(draft, move, state)
    elif draft.now >= state.since and not _is_held(draft, move, state.target, will):
        _again(draft, move, state)
    elif will is at.Will.RUNNING:
        _tell_unseen(draft, move, state)


def _is_of_before(draft: Draft, move: at.Move, state: at.Starting) -> bool:
    """Say whether it was seen as it was before it arrived: an answer that came late, and no more.

    A database that fails over shows it so for good: then it has arrived, and people are told.
    """
    is_late = draft.now >= state.since + draft.policy(move.host).nova_settle_s
    return move.seen.host == move.host != state.target and not is_late


def _tell_unseen(draft: Draft, move: at.Move, state: at.Starting) -> None:
    """Call a person when it is not to be seen who else might run it; a word of theirs ends it.

    Without an agent nobody says what runs on a host that is led back, and that one waits for us.
    """
    policy = draft.policy(move.host)
    # A host that is fenced anew says so itself.
    others = [each for each in _unseen_writers(draft, move, state.target) if each != move.host]
    if not others or draft.now < state.since + policy.look_again_s:
        return
    needs = NEEDS + ", ".join(others)
    tell(draft, move.host, f"move_held:{move.server}", needs)
    is_late = draft.now >= state.since + policy.verify_timeout_s
    if is_late and move.server in draft.control.signed_off:
        give_up(draft, move, needs)


def tell_slow(draft: Draft, move: at.Move, target: HostId, since: float) -> None:
    """Call a person in time, who may sign off what Nova will never end.

    A nova-compute that died alone in the middle of a rebuild leaves record and task open for ever,
    and no proof is to be had of its host, which lives. So does another rescuer's request that
    Nova's scheduler lost, of a server that only had to be started any more.
    """
    if draft.now < since + draft.policy(move.host).verify_timeout_s:
        return
    if move.server in draft.control.signed_off:
        give_up(draft, move, f"slow to {target}")
    else:
        tell(draft, move.host, f"move_slow:{move.server}", target)


NEEDS = "needs "


def give_up(draft: Draft, move: at.Move, why: str) -> None:
    """Leave it to the person who signed it off."""
    draft.put_move(replace(move, state=at.Skipped(draft.now, "signed_off")))
    draft.note(move.server, "move.given_up", "signed_off", why)
    draft.wake_host(move.host, draft.now)


def _see_whether_it_came_to_nothing(draft: Draft, move: at.Move, state: at.Starting) -> None:
    """Nova took the request and nothing is under way: after the settle time it is tried anew."""
    if draft.now >= state.since + draft.policy(move.host).nova_settle_s:
        again = replace(state, is_sent=False)
        draft.put_move(replace(move, state=again))
        draft.note(move.server, "move.start_failed", "no_effect")


def _again(draft: Draft, move: at.Move, state: at.Starting) -> None:
    """Each try is an attempt of its own number, so that no request is taken for an earlier one."""
    tries = state.tries + 1
    if tries > draft.policy(move.host).attempts_max:
        draft.put_move(replace(move, state=at.Failed(draft.now, "not_started")))
        tell(draft, move.host, f"server_failed:{move.server}", "not_started")
        return
    arrive(draft, replace(move, attempt=move.attempt + 1), state.target)
    current = draft.move(move.server)
    if current is not None and isinstance(current.state, at.Starting):
        draft.put_move(replace(current, state=replace(current.state, tries=tries)))


def start_replied(draft: Draft, event: on.Replied) -> None:
    """Fold the answer to a start or stop. Unknown: the state itself will tell, after a while."""
    action = event.action
    assert isinstance(action, do.StartServer | do.StopServer)
    draft.settle(action)
    move = draft.move(action.server)
    if move is None or move.attempt != action.attempt or not isinstance(move.state, at.Starting):
        return
    policy, tries = draft.policy(move.host), move.state.tries
    match event.outcome:
        case on.Outcome.DONE:
            return
        case on.Outcome.UNKNOWN:
            later = draft.now + policy.nova_settle_s
        case on.Outcome.NOT_SENT:
            later, tries = draft.now + policy.watch_s, tries - 1
        case _:
            later = draft.now + policy.retry_s
    again = at.Starting(later, move.state.target, tries=tries)
    draft.put_move(replace(move, state=again))
    draft.note(move.server, "move.start_failed", event.reason or event.outcome.value)
