"""The roads to a proof. They race, and every `off` is a shot that stands before all brakes anew.

power      each device of a level: off, acknowledged, read off twice; then the next level; then
round again, slower. After `unfenceable_after_s` a human is asked; it goes on
storage    each backend that can shut this host out alone, until it is seen in force
lease      an armed watchdog's lease, `T_safe` after the last receipt of this term
pacemaker, a new boot, a human: evidence that comes by itself and needs no shot
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import proofs, revoking
from . import states as at
from .consent import end_leave
from .draft import Draft
from .episode import add_proof, begin, move_to, tell
from .facts import Facts
from .model import EVERYTHING, HostId, Method, Power, Proof, Refusal, Validity
from .roads import is_closed, shot_as
from .rules import judge, may_fence
from .shooting import shoot, spend_order, still_on
from .states import Class

ABOUT_POWER = (Method.POWER_OFF, Method.PACEMAKER)
# Classes of hosts that live: their life is no news. Only that they are well takes a fence back.
JUDGED_ALIVE = (
    Class.STORAGE_LOST,
    Class.ORDERED,
    Class.LIBVIRT_HUNG,
    Class.NOVA_COMPUTE,
)


def read_evidence(draft: Draft, host: HostId) -> None:
    """Read power and storage again, each at its own pace. Reading harms nobody."""
    sights, policy, record = draft.sights(host), draft.policy(host), draft.host(host)
    site = draft.site(host)
    if site.roads and draft.now >= sights.power_asked_at + policy.power_poll_s:
        sights = sights._replace(power_asked_at=draft.now)
        draft.ask(do.ReadPower(host, record.epoch))
    if site.backends and draft.now >= sights.storage_asked_at + policy.storage_poll_s:
        sights = sights._replace(storage_asked_at=draft.now)
        draft.ask(do.ReadStorage(host, record.epoch))
    is_due = draft.now >= sights.attestation_asked_at + policy.attest_retry_s
    if is_due and Facts(draft, host).has_new_boot and not proofs.has_clean_boot(draft, host):
        sights = sights._replace(attestation_asked_at=draft.now)
        draft.ask(do.AskAttestation(host, record.epoch))
    if sights is not draft.sights(host):
        draft.put_sights(sights)


def count_read(draft: Draft, event: on.PowerRead) -> None:
    """Count consecutive reads of "off" on one road; one "on" starts over, silence says nothing."""
    record = draft.host(event.host)
    others = tuple(reads for reads in record.off_reads if reads.road != event.road)
    mine = next((reads for reads in record.off_reads if reads.road == event.road), None)
    if isinstance(record.state, at.Healthy | at.Unknown | at.Quarantined):
        return
    if is_closed(draft, event.host, event.road):
        return
    if event.power is Power.ON and not record.was_on:
        record = replace(record, was_on=True)
        draft.put_host(record)
    match event.power:
        case Power.OFF if mine is None:
            mine = at.OffReads(event.road, draft.now, draft.now)
        case Power.OFF if mine is not None:
            gap = draft.policy(event.host).off_confirm_gap_s
            if mine.last_at - mine.first_at >= gap:
                return  # counted long since: a durable record need not change with every look
            mine = replace(mine, last_at=draft.now)
        case Power.ON:
            mine = None
        case _:
            return
    reads = (*others, mine) if mine is not None else others
    if reads != record.off_reads:
        draft.put_host(replace(record, off_reads=reads))


# Into fencing, and out of it.


def settle_without_shot(draft: Draft, host: HostId) -> bool:
    """Go straight to fenced on evidence that needs no shot of ours: a new boot (R7)."""
    if not Facts(draft, host).has_new_boot or Facts(draft, host).own_fault:
        return False
    proof = proofs.rebooted(draft, host)
    if not isinstance(proof, Proof):
        return False
    add_proof(draft, proof)
    move_to(draft, host, at.Fenced(draft.now), Class.REBOOTED.value, "R7")
    return True


def settle_by_lease(draft: Draft, host: HostId) -> bool:
    """Go to fenced on an armed watchdog's lease: a storm limits shooting, not rescuing."""
    ask_promises(draft, host)
    proof = proofs.lease_expired(draft, host)
    if not isinstance(proof, Proof):
        return False
    add_proof(draft, proof)
    move_to(draft, host, at.Fenced(draft.now), proof.method.value)
    return True


def begin_fencing(draft: Draft, host: HostId, cls: Class) -> None:
    """The class allows it and no brake holds: start every road."""
    move_to(draft, host, at.Fencing(draft.now, cls), cls.value)
    spend_order(draft, host)
    disable(draft, host)
    state = draft.host(host).state
    assert isinstance(state, at.Fencing)
    look(draft, host, state)


def disable(draft: Draft, host: HostId) -> None:
    """Disable the service beside the roads. What an operator disabled stays the operator's.

    And what rests in the reserve goes on to: nobody would enable it with the end of its outage.
    """
    record, nova = draft.host(host), draft.sights(host).nova
    is_out = nova is not None and nova.disabled and (nova.is_reserve or not nova.is_ours)
    if is_out and not record.disabled_by_us:
        return
    draft.act(do.Disable(host, record.epoch), draft.policy(host).request_timeout_s)
    draft.put_host(replace(record, disabled_by_us=True))


def look(draft: Draft, host: HostId, state: at.Fencing) -> None:
    """Drive every road, and take what has become a proof."""
    if draft.host(host).zombie_risk:
        return
    if _came_back(draft, host, state):
        _hold_alive(draft, host, state.cls)
        return
    read_evidence(draft, host)
    revoking.revoke(draft, host)
    ask_promises(draft, host)
    collect(draft, host)
    still_on(draft, host)
    if proofs.is_sufficient(draft, host):
        move_to(draft, host, at.Fenced(draft.now), _methods(draft, host))
        return
    shoot(draft, host, shot_as(draft, host, state.cls))
    _tell_unfenceable(draft, host, state)
    draft.wake_host(host, _next_look(draft, host))


def _hold_alive(draft: Draft, host: HostId, cls: Class) -> None:
    """It lives. Before the first effect that is good news, after it only a human moves it on.

    Good news are told as well: while our own eyes are not to be trusted it stays held (R0).
    """
    reason = "half_fenced" if draft.host(host).is_touched else "alive_again"
    move_to(draft, host, at.Held(draft.now, reason, cls), reason)
    if reason == "half_fenced":
        tell_half_fenced(draft, host)
    else:
        tell(draft, host, "held:alive_again", "life came back before the first effect")


def tell_half_fenced(draft: Draft, host: HostId) -> None:
    """Call a person, who chooses; a new boot has a moment to attest that the old one is gone."""
    state, wait = draft.host(host).state, draft.policy(host).attest_retry_s
    if not isinstance(state, at.Held):
        return
    if Facts(draft, host).has_new_boot and draft.now < state.since + wait:
        draft.wake_host(host, state.since + wait)
    else:
        tell(draft, host, "held:half_fenced", "life came back after the first effect")


def _came_back(draft: Draft, host: HostId, state: at.Fencing) -> bool:
    if state.cls in JUDGED_ALIVE:
        return state.cls is not Class.ORDERED and _is_well_again(draft, host)
    if not Facts(draft, host).any_up:
        return False
    # Two planes may be down and a third one up: that was so from the start, and is no return.
    return not may_fence(draft, host, judge(draft, host).cls)


def _is_well_again(draft: Draft, host: HostId) -> bool:
    """What a living host was to be fenced for is over: nobody is shot for what was.

    A new leader knows that only when everybody had the time to tell it what is wrong.
    """
    is_told = draft.now >= draft.views.began_at + draft.policy(host).confirm_s
    return is_told and Facts(draft, host).all_up and judge(draft, host).cls is Class.FINE


def _methods(draft: Draft, host: HostId) -> str:
    return "+".join(sorted({proof.method.value for proof in proofs.valid(draft.host(host))}))


def _tell_unfenceable(draft: Draft, host: HostId, state: at.Fencing) -> None:
    due = state.since + draft.policy(host).unfenceable_after_s
    if draft.now >= due and not state.told_unfenceable:
        told = replace(state, told_unfenceable=True)
        draft.put_host(replace(draft.host(host), state=told))
        tell(draft, host, "unfenceable", "every road failed so far; they go on, slower")


def _next_look(draft: Draft, host: HostId) -> float:
    policy = draft.policy(host)
    soon = draft.now + policy.power_poll_s
    ends = proofs.lease_ends(draft, host)
    has_lease = draft.site(host).has_watchdog and ends > draft.now
    return min(soon, ends) if has_lease else soon


def collect(draft: Draft, host: HostId) -> None:
    """Take every proof that the evidence gives by now, each method and cover once."""
    facts = Facts(draft, host)
    if facts.own_fault:
        return  # what we saw, or think we waited for, is worth nothing (R0)
    standing = [p for p in draft.host(host).proofs if p.validity is not Validity.VOID]
    had = [(proof.method, proof.covers) for proof in standing]
    found: list[Proof | Refusal] = []
    if (Method.POWER_OFF, EVERYTHING) not in had:
        found.append(proofs.power_off(draft, host))
    if (Method.LEASE_EXPIRED, EVERYTHING) not in had:
        found.append(proofs.lease_expired(draft, host))
    found += [
        proofs.storage_revoked(draft, host, backend)
        for backend in sorted(draft.site(host).revocable)
        if (Method.STORAGE_REVOKED, proofs.shut_out_of(backend)) not in had
    ]
    if facts.has_new_boot and (Method.REBOOTED, EVERYTHING) not in had:
        found.append(proofs.rebooted(draft, host))
    for proof in found:
        if isinstance(proof, Proof):
            add_proof(draft, proof)


# The lease.


def ask_promises(draft: Draft, host: HostId) -> None:
    """Have the witnesses promise not to exempt the host: then its watchdog's lease can prove."""
    site, sights = draft.site(host), draft.sights(host)
    armed = sights.renewal is not None and sights.renewal.is_armed
    if not site.has_watchdog or not armed or 2 * len(sights.promises) > len(site.witnesses):
        return
    # At its own pace: each promise is news, and news must not ask everybody again.
    if draft.now >= sights.promises_asked_at + draft.policy(host).power_poll_s:
        draft.put_sights(sights._replace(promises_asked_at=draft.now))
        draft.ask(do.AskPromises(host, draft.host(host).epoch))


# Out of it, by a human's choice.


def undo(draft: Draft, host: HostId) -> Refusal | None:
    """Let a half-fenced host live: no shot is out any more, its storage is open again."""
    record = draft.host(host)
    if any(shot.is_open for shot in record.shots):
        return Refusal("shot_open", "wait until every road was seen ended")
    late = draft.policy(host).off_late_s
    if record.last_off_at is not None and draft.now < record.last_off_at + late:
        return Refusal("off_may_be_late", f"a device may act {late:g} s after it accepted")
    if draft.now < revoking.may_land_until(draft, host):
        return Refusal("revocation_open", "wait until its backend has answered")
    for entry in record.revocations:
        if not entry.lifted:
            action = do.LiftRevocation(host, entry.backend, record.epoch)
            draft.act(action, draft.policy(host).request_timeout_s)
    lifted = tuple(replace(entry, lifted=True) for entry in record.revocations)
    draft.put_host(replace(record, revocations=lifted, is_touched=False))
    end_leave(draft, host)
    begin(draft, host, Class.UNKNOWN, "undone")
    # Its storage was lost to our own revocation: only what is lost from here on is its own trouble.
    sights = draft.sights(host)
    if sights.storage_lost_since is not None:
        draft.put_sights(sights._replace(storage_lost_since=draft.now))
    return None
