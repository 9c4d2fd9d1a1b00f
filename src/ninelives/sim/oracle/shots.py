"""I5 to I8, I12 and I23: what must be so at the instant at which power is cut or given.

A host that one device called off twice, or that is proved dead, is shot by nobody: an `off` to it
is free of I6, I7, I8 and of the maintenance half of I23 (SAFETY 6 limits shooting, not rescuing).
"""

from collections.abc import Iterable, Iterator
from math import floor

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.model import HostId, Mode
from ninelives.core.policy import WITNESSES_WANTED, Policy
from ninelives.core.protection import Remedy
from ninelives.core.states import Class
from ninelives.sim import happenings as so

from .facts import SetupFacts, Violation
from .picture import Picture, is_held_back

WELL_S = 30.0  # so long everybody who looks sees that a host is well again
CLOCKS_DIFFER = 0.999  # a leader's clock may run this much faster than the world's

FENCED_ALWAYS = frozenset(
    {Class.DEAD_POWER, Class.DEAD_PANIC, Class.DEAD_OR_FROZEN, Class.HUNG, Class.STORAGE_LOST}
    | {Class.GROUP, Class.ORDERED, Class.REBOOTED}
)
FENCED_ALIVE = frozenset(  # I6 does not protect these
    {Class.STORAGE_LOST, Class.LIBVIRT_HUNG, Class.ORDERED}
)
SEEN_BY_WITNESSES = frozenset(  # I8: what only witnesses can tell
    {Class.DEAD_OR_FROZEN, Class.HUNG, Class.SINGLE_PLANE, Class.ISOLATED}
)
LOST_STATES = (at.Fencing, at.Fenced, at.Evacuating, at.Vacated)
SILENT_ACTIONS = (*do.READS, do.Tell)


def shot(picture: Picture, when: float, it: so.Issued, action: do.PowerOff) -> Iterator[Violation]:
    """Judge one `off`."""
    host = action.host
    is_shot = not (picture.told.is_seen_off(host) or picture.records.is_proved_dead(host))
    cls = _class(picture, action)
    if action.epoch != picture.records.host(host).epoch:
        yield Violation("I5", when, host, f"an off for epoch {action.epoch}, which is not this one")
    elif not _may_fence(picture, host, cls) and not picture.records.is_proved_dead(host):
        yield Violation("I5", when, host, f"no class that allows a fence was journaled, but {cls}")
    if is_shot:
        yield from _life_veto(picture, when, host, cls)
        yield from _guarded(picture, when, it, host, cls)
        yield from _blast_radius(picture, when, host)
    is_kept = any(entry.host == host for entry in picture.records.control.maintenance)
    if is_shot and is_kept and not _is_ordered(picture, host):
        yield Violation("I23", when, host, "shot in maintenance")


def shot_remembered(picture: Picture, when: float, action: do.PowerOff) -> None:
    """Count it, after it was judged."""
    host, records = action.host, picture.records
    if not (picture.told.is_seen_off(host) or records.is_proved_dead(host)):
        records.shots.append((when, host))
    records.offs[host] = when


def _class(picture: Picture, action: do.PowerOff) -> Class | None:
    epoch, cls = picture.records.classes.get(action.host, (-1, None))
    return cls if epoch == action.epoch else None


def _is_ordered(picture: Picture, host: HostId) -> bool:
    return host in picture.told.wanted_fenced


def _may_fence(picture: Picture, host: HostId, cls: Class | None) -> bool:
    """I5: is this class one that the table, or this site's policy, answers with a fence?"""
    policy = picture.facts.policy_of(host)
    match cls:
        case None:
            return False
        case Class.ISOLATED:
            return policy.isolated_fences
        case Class.SINGLE_PLANE:
            return policy.single_plane_fences
        case Class.LIBVIRT_HUNG | Class.NOVA_COMPUTE:
            return _a_promise_fences(policy, cls) or _is_ordered(picture, host)
        case _:
            return cls in FENCED_ALWAYS or _is_ordered(picture, host)


def _a_promise_fences(policy: Policy, cls: Class) -> bool:
    promises = [rule.promise for rule in policy.rules] + [policy.default]
    if cls is Class.LIBVIRT_HUNG:
        return any(promise.libvirt_hangs is Remedy.FENCE for promise in promises)
    return any(promise.compute_fails is Remedy.FENCE for promise in promises)


def _life_veto(
    picture: Picture, when: float, host: HostId, cls: Class | None
) -> Iterator[Violation]:
    """I6."""
    is_automatic = cls not in FENCED_ALIVE and not _is_ordered(picture, host)
    if is_automatic and picture.told.is_alive(host):
        yield Violation("I6", when, host, "a strong sign stands and its guests progress")
    elif not _is_ordered(picture, host) and not _is_given_up(picture, host):
        yield from _innocent(picture, when, host)


def _innocent(picture: Picture, when: float, host: HostId) -> Iterator[Violation]:
    """I6 in truth: whatever the leader was told, nothing was wrong with this host for long."""
    since = picture.truth.well_since.get(host)
    if since is not None and when - since > WELL_S:
        yield Violation(
            "I6", when, host, f"shot, and nothing is wrong with it for {when - since:.0f} s"
        )


def _is_given_up(picture: Picture, host: HostId) -> bool:
    """A storage proof never ends the story: power is tried on, also when its network is back."""
    state = picture.records.host(host).state
    is_lost = isinstance(state, at.Fenced | at.Evacuating | at.Vacated)
    return is_lost and bool(picture.records.standing(host))


def _guarded(
    picture: Picture, when: float, it: so.Issued, host: HostId, cls: Class | None
) -> Iterator[Violation]:
    """I8: the control plane answers, enough witnesses miss the host, no quorum dies with it."""
    facts = picture.facts
    if picture.told.bad_canaries:
        names = ", ".join(sorted(picture.told.bad_canaries))
        yield Violation("I8", when, host, f"shot while {names} did not answer")
    is_judged_now = not _is_ordered(picture, host) and not _is_given_up(picture, host)
    if cls in SEEN_BY_WITNESSES and is_judged_now:
        wanted = _witnesses_wanted(facts, host)
        found = picture.told.dim_witnesses(host, hung=cls is Class.HUNG)
        if found < wanted:
            yield Violation("I8", when, host, f"{found} witnesses miss it, {wanted} are needed")
    if facts.site.controller_hosts.get(it.controller) == host:
        yield Violation("I8", when, host, "the leader shot its own host")
    for name in facts.site.hosts[host].quorum_sets:
        quorum = facts.site.quorum_sets.get(name)
        if quorum is not None and _alive(picture, quorum.members, host) < quorum.needed:
            yield Violation("I8", when, host, f"{name} loses its quorum with it")


def _witnesses_wanted(facts: SetupFacts, host: HostId) -> int:
    there_are = len(set(facts.site.hosts[host].witnesses) - {host})
    return max(facts.policy_of(host).witnesses_min, min(WITNESSES_WANTED, there_are))


def _alive(picture: Picture, members: Iterable[HostId], but: HostId) -> int:
    states = (picture.records.host(member).state for member in members if member != but)
    return sum(not isinstance(state, LOST_STATES) for state in states)


def _blast_radius(picture: Picture, when: float, host: HostId) -> Iterator[Violation]:
    """I7: the hosts shot within the window, this one among them, per set that it is counted in."""
    policy, shots = picture.facts.policy_of(host), picture.records.shots
    begin = when - policy.storm_window_s * CLOCKS_DIFFER
    while shots and shots[0][0] < begin:
        shots.popleft()
    already = {other for _, other in shots}
    if host in already:
        return  # the same host again: nobody else is hurt
    for domain in picture.facts.site.domains[host]:
        members = picture.facts.site.members[domain]
        cap = max(1, floor(policy.storm_share * len(members)))
        struck = len(already & members) + 1
        if struck <= cap:
            continue
        allowed = picture.told.allowances.get(domain, 0)
        if allowed <= 0:
            yield Violation("I7", when, host, f"{struck} shots in {domain}, the cap is {cap}")
        picture.told.allowances[domain] = max(0, allowed - 1)


def power_on(picture: Picture, when: float, action: do.PowerOn) -> Iterator[Violation]:
    """I12: nothing is switched on but an empty host, when no `off` can come late any more."""
    host = action.host
    state = picture.records.host(host).state
    is_empty = isinstance(state, at.Vacated | at.Returning | at.Quarantined)
    if not is_empty and host not in picture.told.wanted_on:
        yield Violation("I12", when, host, f"switched on while {type(state).__name__.lower()}")
    last = picture.records.offs.get(host)
    late_s = picture.facts.policy_of(host).off_late_s * CLOCKS_DIFFER
    if last is not None and when - last < late_s:
        yield Violation("I12", when, host, f"switched on {when - last:.1f} s after an off")


def cycled(picture: Picture, when: float, it: so.PowerCut) -> Iterator[Violation]:
    """I12: a cut that names one of ours as its cause was really ordered."""
    ours = picture.facts.site.controllers
    if it.ordered_by in ours and it.meant not in picture.records.offs:
        yield Violation("I12", when, it.host, f"{it.ordered_by} cut power without an off")


def silence(picture: Picture, when: float, action: do.Action) -> Iterator[Violation]:
    """I23: nothing leaves while disarmed or only observing; no repair in maintenance."""
    control = picture.records.control
    if isinstance(action, SILENT_ACTIONS) or _is_a_renewal(picture, action):
        return
    about = _outage_of(picture, action)
    if not control.is_armed:
        yield Violation("I23", when, about, f"{type(action).__name__} while disarmed")
    elif _mode(picture, about) is not Mode.ACT and not _is_ordered(picture, HostId(about)):
        yield Violation("I23", when, about, f"{type(action).__name__} without the mode to act")
    if isinstance(action, do.Restart) and any(m.host == about for m in control.maintenance):
        yield Violation("I23", when, about, "repaired in maintenance")


def _is_a_renewal(picture: Picture, action: do.Action) -> bool:
    """A revocation in use is renewed also while disarmed: that is no new effect."""
    if not isinstance(action, do.Revoke):
        return False
    known = picture.records.host(action.host).revocations
    return any(it.backend == action.backend and it.in_force and not it.lifted for it in known)


def _outage_of(picture: Picture, action: do.Action) -> str:
    """Name the host whose outage it serves: who moved, or was lent, serves that of another."""
    if isinstance(action, do.StartServer | do.StopServer):
        move = picture.records.moves.get(action.server)
        return move.host if move is not None else _host_of(action)
    if isinstance(action, do.Reserve):
        needs = (loan.need for loan in picture.records.control.loans if loan.host == action.host)
        return next(needs, action.host)
    return _host_of(action)


def _host_of(action: do.Action) -> str:
    match action:
        case do.Evacuate() | do.ResetState() | do.LiveMigrate():
            return action.source
        case do.StopServer() | do.AskTargets() | do.LookForDomain():
            return action.server
        case do.Tell():
            return action.about
        case do.HandOver():
            return "control"
        case _:
            return action.host


def _mode(picture: Picture, host: str) -> Mode:
    site = picture.facts.site.hosts.get(HostId(host))
    modes = dict(picture.records.control.segment_modes)
    control = picture.records.control
    mode = modes.get(site.segment, control.mode) if site else control.mode
    if mode is Mode.PROPOSE and host in picture.told.approved:
        return Mode.ACT
    return Mode.PROPOSE if mode is Mode.ACT and is_held_back(picture, host) else mode
