"""The reasons not to shoot although the class would allow it (SAFETY 6).

All brakes are evaluated and recorded, also after the first that holds: the operator who lifts one
must see the next. A brake answers one question, and answers it again directly before every shot.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from . import queued
from . import states as at
from .adoption import is_settling
from .consent import mode_of
from .draft import Draft
from .facts import Facts
from .model import DomainId, HostId, Mode, WitnessId
from .roads import has_late_off_passed, is_wholly_revocable, suspect_kinds, usable_roads
from .states import Class
from .tallies import needs_shot, want_key


class Brake(StrEnum):
    """Why a shot is held back."""

    OWN_FAULT = "own_fault"
    NOT_LEADER = "not_leader"
    DISARMED = "disarmed"
    MODE = "mode"
    MAINTENANCE = "maintenance"
    CONTROL_PLANE = "control_plane"
    STORM = "storm"
    QUORUM = "quorum"
    NO_TARGET = "no_target"
    OTHER_RESCUER = "other_rescuer"
    DOCTOR_RED = "doctor_red"
    KDUMP = "kdump"
    SETTLING = "settling"
    FLAPPING = "flapping"
    LIFE = "life"


class Tested(NamedTuple):
    """One brake, whether it holds, and what it saw."""

    brake: Brake
    holds: bool
    detail: str = ""


ALWAYS = frozenset({Brake.OWN_FAULT, Brake.NOT_LEADER, Brake.DISARMED, Brake.MODE})
# Nobody is shot when the device reads off already: what protects the living does not hold.
FOR_THE_DEAD = ALWAYS | {Brake.OTHER_RESCUER, Brake.DOCTOR_RED}
# A named person ordered it. What would hurt others or rests on our own health still holds.
FOR_ORDERS = FOR_THE_DEAD | {Brake.STORM, Brake.QUORUM, Brake.CONTROL_PLANE, Brake.NO_TARGET}
LIFE_EXEMPT = frozenset({Class.STORAGE_LOST, Class.LIBVIRT_HUNG, Class.ORDERED})


def holding(
    draft: Draft, host: HostId, cls: Class, but: frozenset[Brake] = frozenset()
) -> Brake | None:
    """Return the first brake that holds a shot at `host` for this class, None if none does."""
    tested = all_brakes(draft, host, cls)
    return next((test.brake for test in tested if test.holds and test.brake not in but), None)


def all_brakes(draft: Draft, host: HostId, cls: Class) -> tuple[Tested, ...]:
    """Return every brake with its truth value. Pure."""
    facts = Facts(draft, host)
    match cls:
        case Class.DEAD_POWER:
            apply: frozenset[Brake] = FOR_THE_DEAD
        case Class.ORDERED:
            apply = FOR_ORDERS
        case _:
            apply = frozenset(Brake) - ({Brake.LIFE} if cls in LIFE_EXEMPT else set())
    return tuple(
        Tested(brake, bool(detail := test(facts)) and brake in apply, detail)
        for brake, test in TESTS
    )


# Each test returns what holds, in a few words; "" lets the shot pass.


def _own_fault(facts: Facts) -> str:
    return (facts.draft.views.own_fault or "a full fresh window") if facts.own_fault else ""


def _not_leader(facts: Facts) -> str:
    return "" if facts.draft.views.term else "no term"


def _disarmed(facts: Facts) -> str:
    control = facts.draft.control
    return "" if control.is_armed else control.cause or "disarmed"


def _mode(facts: Facts) -> str:
    mode = mode_of(facts.draft, facts.host)
    return "" if mode is Mode.ACT else mode.value


def _maintenance(facts: Facts) -> str:
    return "planned" if facts.is_planned else ""


def _control_plane(facts: Facts) -> str:
    bad = sorted(facts.draft.views.bad_canaries)
    return (", ".join(bad) or "just healed") if facts.control_plane_bad else ""


def _storm(facts: Facts) -> str:
    for domain in facts.draft.site(facts.host).domains:
        count, cap = storm_count(facts.draft, domain, facts.host), storm_cap(facts.draft, domain)
        if count > cap:
            return f"{domain}: {count} of at most {cap}"
    return ""


def storm_count(draft: Draft, domain: DomainId, host: HostId) -> int:
    """Count the hosts of a domain that need a shot or were shot lately, `host` among them."""
    is_counted = needs_shot(draft.host(host)) or host in _shot_lately(draft, domain)
    return storm_count_now(draft, domain) + (0 if is_counted else 1)


def storm_count_now(draft: Draft, domain: DomainId) -> int:
    """Count the hosts of a domain that need a shot or were shot lately."""
    return draft.count(want_key(domain)) + len(_shot_lately(draft, domain))


def _shot_lately(draft: Draft, domain: DomainId) -> set[HostId]:
    members = draft.cluster.site.members[domain]
    return {
        other
        for when, other in draft.control.shots
        if other in members and draft.now < counted_until(draft, when, other)
        if not needs_shot(draft.host(other))
    }


def counted_until(draft: Draft, when: float, host: HostId) -> float:
    """Return until when a shot counts that was decided at `when`: a window after it has left.

    A slow store lets it out late, and its device is given so long to take it. Its instant itself
    stays that of the decision: whoever falls silent from then on may be whom it hit.
    """
    is_known = host in draft.cluster.site.hosts  # it may have left the inventory since
    policy = draft.policy(host) if is_known else draft.cluster.policy
    return when + policy.off_timeout_s + policy.storm_window_s


def storm_cap(draft: Draft, domain: DomainId) -> int:
    """Return how many shots a domain may take within the window: one, or 30 %, or as allowed."""
    allowed = sum(more for named, more in draft.control.storm_allowed if named == domain)
    return storm_cap_of_share(draft, domain) + allowed


def storm_cap_of_share(draft: Draft, domain: DomainId) -> int:
    """Return the cap without what a person allowed."""
    share = draft.cluster.policy.storm_share * len(draft.cluster.site.members[domain])
    return max(1, int(share + 1e-9))


def _quorum(facts: Facts) -> str:
    draft, site = facts.draft, facts.draft.cluster.site
    leader = site.controller_hosts.get(draft.views.leader)
    if leader == facts.host:
        return "the leader runs on it"
    for name in draft.site(facts.host).quorum_sets:
        quorum = site.quorum_sets[name]
        left = [m for m in quorum.members if m != facts.host and not _is_down(draft, m)]
        if len(left) < quorum.needed:
            return f"{name}: {len(left)} of {quorum.needed} needed"
    return ""


def _is_down(draft: Draft, host: HostId) -> bool:
    """Count whoever is not known to do well: a member under suspicion may be gone already."""
    return not isinstance(draft.host(host).state, at.Healthy | at.Repairing)


def _no_target(facts: Facts) -> str:
    return "" if has_target(facts.draft, facts.host) else "no other host of its segment is healthy"


def has_target(draft: Draft, host: HostId) -> bool:
    """Say whether any other host of the segment could take servers."""
    domain = DomainId(f"segment:{draft.site(host).segment}")
    return any(
        other != host and isinstance(draft.host(other).state, at.Healthy)
        for other in draft.cluster.site.members[domain]
    )


def _other_rescuer(facts: Facts) -> str:
    nova = facts.sights.nova
    foreign = nova is not None and nova.forced_down and not nova.is_ours
    ours = facts.draft.host(facts.host).forced_down_by_us
    return "a force-down that is not ours" if foreign and not ours else ""


def _doctor_red(facts: Facts) -> str:
    """Some road must be able to end in a proof for the whole host, before the first effect.

    One backend of two is no such road: its servers would be cut off, and nobody could have them.
    """
    site = facts.draft.site(facts.host)
    if site.has_watchdog or is_wholly_revocable(site) or usable_roads(facts.draft, facts.host):
        return ""
    return "no road to a proof: no verified power device, whole storage revocation or watchdog"


def kind_in_doubt(draft: Draft, cls: Class, kind: str) -> Brake | None:
    """Hold automatic shots by a kind of device of which one lied, until doctor is clean (R4a).

    Not a person's order, nor the `off` to a host that is dark already: it shoots nobody.
    """
    is_exempt = cls in (Class.ORDERED, Class.DEAD_POWER)
    return Brake.DOCTOR_RED if kind in suspect_kinds(draft) and not is_exempt else None


def _kdump(facts: Facts) -> str:
    since, wait = facts.sights.kdump_since, facts.draft.policy(facts.host).kdump_wait_s
    waits = since is not None and facts.draft.now < since + wait
    return f"a dump for at most {wait:g} s" if waits else ""


def _settling(facts: Facts) -> str:
    return "" if is_settled(facts.draft, facts.host) else "not every witness was heard yet"


def is_settled(draft: Draft, host: HostId) -> bool:
    """Say whether the segment's witnesses were heard in this term, or enough of them in time."""
    views, policy = draft.views, draft.policy(host)
    # Its own agent watches the others, and will never be heard if it is dead (attack 26).
    wanted = segment_witnesses(draft, host) - {WitnessId(host)}
    heard = len(wanted & views.witnesses)
    late = draft.now >= views.began_at + policy.settle_s
    return heard == len(wanted) or (late and heard >= policy.settled_share * len(wanted))


def segment_witnesses(draft: Draft, host: HostId) -> frozenset[WitnessId]:
    """Return everybody who watches a host of the segment."""
    site = draft.cluster.site
    domain = DomainId(f"segment:{draft.site(host).segment}")
    return site.watching[domain]


def _flapping(facts: Facts) -> str:
    policy, record = facts.draft.policy(facts.host), facts.draft.host(facts.host)
    recent = [when for when in record.false_alarms if facts.draft.now - when < policy.flap_window_s]
    return f"{len(recent)} false alarms" if len(recent) >= policy.flap_max else ""


def _life(facts: Facts) -> str:
    return "a strong sign, and its guests write for all we know" if facts.guests_progress else ""


TESTS: tuple[tuple[Brake, Callable[[Facts], str]], ...] = (
    (Brake.OWN_FAULT, _own_fault),
    (Brake.NOT_LEADER, _not_leader),
    (Brake.DISARMED, _disarmed),
    (Brake.MODE, _mode),
    (Brake.MAINTENANCE, _maintenance),
    (Brake.CONTROL_PLANE, _control_plane),
    (Brake.LIFE, _life),
    (Brake.KDUMP, _kdump),
    (Brake.SETTLING, _settling),
    (Brake.STORM, _storm),
    (Brake.QUORUM, _quorum),
    (Brake.NO_TARGET, _no_target),
    (Brake.OTHER_RESCUER, _other_rescuer),
    (Brake.DOCTOR_RED, _doctor_red),
    (Brake.FLAPPING, _flapping),
)


def holding_moves(draft: Draft, host: HostId) -> str:
    """Return what holds the moves of a host that is proved dead, "" if nothing does.

    R1 to R4 may delay the moves, with a reason, never the proof.
    """
    if is_settling(draft):
        return "store_adopted"
    facts = Facts(draft, host)
    tests = (_own_fault, _not_leader, _disarmed, _mode, _control_plane)
    names = ("own_fault", "not_leader", "disarmed", "mode", "control_plane")
    return next((name for name, test in zip(names, tests, strict=True) if test(facts)), "")


def holding_power_on(draft: Draft, host: HostId) -> str:
    """Return what speaks against switching an empty host on, "" if nothing does."""
    facts = Facts(draft, host)
    if _disarmed(facts):
        return "disarmed"
    if is_settling(draft):
        return "store_adopted"
    if _mode(facts):
        return "mode"
    if not has_late_off_passed(draft, host):
        return "off_may_be_late"
    if waits := queued.holding(draft, host):
        return waits
    return "own_fault" if facts.own_fault else ""  # that it is empty was seen before we were away
