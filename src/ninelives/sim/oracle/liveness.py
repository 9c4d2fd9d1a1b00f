"""L1 every episode ends, or somebody is told why not; L2 nothing cycles for ever unnoticed.

A duty to tell is judged at the next decision of a living leader after its deadline: where nobody
leads nobody can tell, and a new leader has its full time from the beginning of its term.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from math import inf

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.model import HostId, Mode, ServerId

from .facts import Violation
from .picture import Duty, Picture, is_held_back

FLAPS_BEYOND = 2  # so many suspicions above `flap_max` without a word are a cycle unnoticed
UNENDED = (at.Suspect, at.Repairing, at.Fencing, at.Fenced, at.Evacuating)
EXPLAINED = (at.Held, at.Returning)  # these may wait for a person, who must have been told


def held_is_told(picture: Picture, when: float, host: HostId, after: at.Host) -> None:
    """L1: from entering `held` somebody has to be told within the policy's time."""
    if isinstance(after.state, at.Held) and not _is_told(picture, host, after.epoch, ""):
        within_s = picture.facts.policy_of(host).tell_within_s
        picture.duties.append(Duty(when + within_s, within_s, "L1", host, after.epoch, ""))


def failed_is_told(picture: Picture, when: float, server: ServerId, move: at.Move) -> None:
    """I14: a server that failed for good is told of, by its own name or its host's.

    The word is of its host's present episode: a guest may be mended from one into the next.
    """
    epoch = max(move.epoch, picture.records.host(move.host).epoch)
    if isinstance(move.state, at.Failed) and not _is_told(picture, server, epoch, "failed"):
        within_s = picture.facts.policy_of(move.host).tell_within_s
        picture.duties.append(Duty(when + within_s, within_s, "I14", server, epoch, "failed"))


def told(picture: Picture, when: float, action: do.Tell) -> None:
    """Take in that somebody is told."""
    picture.records.tell(when, action)


def _is_told(picture: Picture, about: str, epoch: int, what: str) -> bool:
    told = picture.records.told.get((about, epoch), set[str]())
    return any(what in word for word in told)


def duties_done(picture: Picture, when: float) -> Iterator[Violation]:
    """Strike out what was told, and complain of what is late."""
    left = list[Duty]()
    for duty in picture.duties:
        if _is_fulfilled(picture, duty):
            continue
        if when <= duty.deadline:
            left.append(duty)
        else:
            reason = duty.what or "why it is held"
            words = f"nobody was told {reason} within {duty.within_s:g} s"
            yield Violation(duty.law, when, duty.about, words)
    picture.duties[:] = left


def _is_fulfilled(picture: Picture, duty: Duty) -> bool:
    """By its own name; a host that is held also by a set of hosts that it is counted in."""
    if _is_told(picture, duty.about, duty.epoch, duty.what):
        return True
    began = duty.deadline - duty.within_s
    domains = picture.facts.site.domains.get(HostId(duty.about), ())
    if not duty.what and any(picture.records.told_at.get(d, -1.0) >= began for d in domains):
        return True
    if duty.law != "L1":
        return False
    record = picture.records.host(HostId(duty.about))  # it was held for a moment only
    return record.epoch != duty.epoch or not isinstance(record.state, at.Held)


def duties_postponed(picture: Picture, when: float) -> None:
    """Give a new leader its full time."""
    picture.duties[:] = [
        replace(duty, deadline=max(duty.deadline, when + duty.within_s)) for duty in picture.duties
    ]


# L2.


def not_for_ever(
    picture: Picture, when: float, host: HostId, before: at.Host, after: at.Host
) -> Iterator[Violation]:
    """L2: a host that falls and rises again and again is told of, or quarantined."""
    if not (isinstance(before.state, at.Healthy) and isinstance(after.state, at.Suspect)):
        return
    policy = picture.facts.policy_of(host)
    times = picture.suspicions.setdefault(host, deque[float]())
    times.append(when)
    while times[0] < when - policy.flap_window_s:
        times.popleft()
    told_at = picture.records.told_at.get(f"{host} flapping", -1.0)
    if len(times) > policy.flap_max + FLAPS_BEYOND and told_at < times[0]:
        yield Violation("L2", when, host, f"{len(times)} suspicions in an hour, and nobody knows")


# L1 at the end.


def all_ended(picture: Picture, when: float, *, healed: bool) -> Iterator[Violation]:
    """L1: once faults are healed for long enough every episode and every move has its end."""
    is_due = when - picture.truth.fault_changed_at >= picture.facts.ends_within_s
    control = picture.records.control
    if not healed or not is_due or not control.is_armed or control.mode is not Mode.ACT:
        return
    for host, record in sorted(picture.records.hosts.items()):
        if when < picture.records.ordered_at.get(host, -inf) + picture.facts.ends_within_s:
            continue  # all was well, and a person had a living host shot a moment ago
        if is_held_back(picture, host):
            continue  # by name: it waits for a person's word, as in the mode to propose
        is_told = _is_told(picture, host, record.epoch, "")
        waits = isinstance(record.state, EXPLAINED) or _has_no_road(picture, host, record)
        is_stuck = isinstance(record.state, UNENDED) and not waits
        if is_stuck or (waits and not is_told):
            state = type(record.state).__name__.lower()
            yield Violation("L1", when, host, f"still {state} when all was healed long ago")
        yield from _moves_ended(picture, when, host, record)


def _has_no_road(picture: Picture, host: HostId, record: at.Host) -> bool:
    """Say whether only a person can end this fence: no power device leads to the host.

    It was asked for ("finish", or a person's order) and storage alone does not end the story.
    """
    return isinstance(record.state, at.Fencing) and not picture.facts.site.hosts[host].roads


def _moves_ended(
    picture: Picture, when: float, host: HostId, record: at.Host
) -> Iterator[Violation]:
    if isinstance(record.state, (*EXPLAINED, *UNENDED)):
        return  # said already, or somebody was told
    for move in sorted(picture.records.moves_from(host), key=lambda move: move.server):
        is_at_rest = isinstance(move.state, (*at.FINAL, at.WaitingForHost))
        if not is_at_rest and not _is_counted(picture, when, move):
            state = type(move.state).__name__.lower()
            yield Violation("L1", when, move.server, f"still {state} when all was healed long ago")


def _is_counted(picture: Picture, when: float, move: at.Move) -> bool:
    """Say whether a guest's resets are still counted: for a window, though it does well by now.

    Or Nova never ended the record of a migration: that alone keeps it, and nobody waits for it.
    """
    if not isinstance(move.state, at.Mending):
        return False
    if move.state.is_migration:
        record = picture.truth.records.get(move.server)
        return record is not None and bool(record.open_ends)
    window = picture.facts.policy_of(move.host).guest_window_s
    return when <= picture.records.reset_at.get(move.server, 0.0) + window
