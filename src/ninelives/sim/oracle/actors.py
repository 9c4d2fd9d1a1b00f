"""I9 own freeze, I10 one actor, I11 intent before effect, I13 numbers never reused."""

from collections.abc import Iterator
from math import inf

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId
from ninelives.sim import happenings as so

from .facts import Violation
from .picture import Picture
from .shots import CLOCKS_DIFFER, SILENT_ACTIONS
from .told import server_of

GAP_S = 3.0  # R0: a longer gap between two looks of a leader at its clock voids what it knew
OF_A_SOURCE = (do.Evacuate, do.ResetState, do.LiveMigrate)
VOIDED_BY_A_GAP = (do.PowerOff, *do.SENDS)


def froze(picture: Picture, when: float, it: so.ControllerResumed) -> None:
    """I9: its own clock shows the gap, so from now on it must know that it was away."""
    if it.gap_s > GAP_S:
        picture.truth.looks_since[it.controller] = inf
    elif it.gap_s == 0.0:
        picture.truth.machine_woke[it.controller] = when  # its clock stood still, too


def own_fault(picture: Picture, when: float, it: so.Decided, event: on.OwnFault) -> None:
    """I9: blind until the fault ended and a full fresh window passed."""
    picture.truth.looks_since[it.controller] = when if event.ended else inf


def awake(picture: Picture, when: float, it: so.Issued) -> Iterator[Violation]:
    """I9 for one request that leaves."""
    since = picture.truth.looks_since.get(it.controller)
    if since is None or not isinstance(it.action, VOIDED_BY_A_GAP):
        return
    host = it.action.source if isinstance(it.action, OF_A_SOURCE) else it.action.host
    # The window is that of the host's own segment: it says how soon silence means anything there.
    if when < since + picture.facts.policy_of(host).silence_s * CLOCKS_DIFFER:
        name = type(it.action).__name__
        yield Violation("I9", when, it.controller, f"{name} on evidence from before it froze")


def term_taken(picture: Picture, when: float, it: so.TermTaken) -> Iterator[Violation]:
    """I10: terms only grow."""
    records = picture.records
    if it.term <= records.term:
        yield Violation("I10", when, it.controller, f"term {it.term} after term {records.term}")
    records.term, records.holder = it.term, it.controller
    picture.truth.looks_since.pop(it.controller, None)


def one_actor(picture: Picture, when: float, it: so.Issued | so.Decided) -> Iterator[Violation]:
    """I10: nothing of an older term, or of a controller that does not hold this one."""
    records = picture.records
    if isinstance(it, so.Issued) and isinstance(it.action, SILENT_ACTIONS):
        return
    if it.term < records.term:
        yield Violation("I10", when, it.controller, f"acts in term {it.term}, it is {records.term}")
    elif records.term and it.controller != records.holder:
        yield Violation("I10", when, it.controller, f"acts in the term of {records.holder}")


# Intents.


def intent_first(picture: Picture, when: float, action: do.Action) -> Iterator[Violation]:
    """I11: what leaves was durable before, and a send leaves once."""
    if isinstance(action, do.READS):
        return
    if action not in picture.records.intended:
        yield Violation("I11", when, _about(action), f"{type(action).__name__} without an intent")
    if isinstance(action, do.SENDS):
        died = _episode_of(picture, action)
        if (action, died) in picture.records.sent:
            yield Violation("I11", when, _about(action), f"{type(action).__name__} sent twice")
        else:
            yield from _attempt_is_new(picture, when, action, died)
        picture.records.sent.add((action, died))


def _episode_of(picture: Picture, action: do.Send) -> str:
    """Name the host whose episode a send belongs to: a start names only where it goes."""
    if isinstance(action, do.StartServer):
        move = picture.records.moves.get(action.server)
        return move.host if move is not None else action.host
    return _host(action)


def _attempt_is_new(
    picture: Picture, when: float, action: do.Send, died: str
) -> Iterator[Violation]:
    """I13: an attempt's number is above all that were used for this object in this episode."""
    key = (type(action).__name__, _about(action), died, action.epoch)
    last = picture.records.attempts.get(key)
    if last is not None and action.attempt <= last:
        yield Violation("I13", when, _about(action), f"attempt {action.attempt} after {last}")
    picture.records.attempts[key] = max(action.attempt, last or 0)


def _about(action: do.Action) -> str:
    match action:
        case do.StopServer() | do.AskTargets() | do.LookForDomain():
            return action.server
        case do.Tell():
            return action.about
        case do.HandOver():
            return "control"
        case _:
            return server_of(action) or _host(action)


def _host(action: do.Action) -> str:
    match action:
        case do.Evacuate() | do.ResetState() | do.LiveMigrate():
            return action.source
        case do.StopServer() | do.AskTargets() | do.LookForDomain() | do.Tell() | do.HandOver():
            return ""
        case _:
            return action.host


def outbox_kept(picture: Picture, when: float, it: so.Decided) -> Iterator[Violation]:
    """I11: each intent ends in one outcome. An absolute one, or words, may be wanted again."""
    records = picture.records
    for action, entry in it.decision.outbox.items():
        if entry is not None:
            records.intended.add(action)
            records.open[action] = when
        elif records.open.pop(action, None) is None and action in records.intended:
            yield Violation("I11", when, _about(action), f"{type(action).__name__} ended twice")


def every_intent_ended(picture: Picture, when: float) -> Iterator[Violation]:
    """I11 at the end of a healed story: nothing stays open for longer than the bound of L1."""
    for action, since in picture.records.open.items():
        if when - since >= picture.facts.ends_within_s:
            yield Violation("I11", when, _about(action), f"{type(action).__name__} never ended")


# Numbers.


def epoch_grows(when: float, host: HostId, before: at.Host, after: at.Host) -> Iterator[Violation]:
    """I13: never back, and a new number whenever an episode begins."""
    if after.epoch < before.epoch:
        yield Violation("I13", when, host, f"epoch {after.epoch} after {before.epoch}")
    begins = isinstance(after.state, at.Suspect) and isinstance(
        before.state, at.Healthy | at.Unknown | at.Returning
    )
    if begins and after.epoch == before.epoch:
        yield Violation("I13", when, host, f"epoch {after.epoch} serves a second episode")
    if after.proofs is not before.proofs and any(p.epoch > after.epoch for p in after.proofs):
        yield Violation("I13", when, host, "a proof for an episode that has not begun")
