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
from . import proofs
from . import states as at
from .brakes import holding
from .draft import Draft
from .episode import add_proof, begin, move_to, tell
from .model import HostId, Power, Proof, Refusal, RoadId, Validity
from .roads import usable_roads
from .rules import Facts
from .site import Road
from .states import Class


def read_evidence(draft: Draft, host: HostId) -> None:
    """Read power and storage again, each at its own pace. Reading harms nobody."""
    sights, policy, record = draft.sights(host), draft.policy(host), draft.host(host)
    site = draft.site(host)
    if site.roads and draft.now >= sights.power_asked_at + policy.power_poll_s:
        sights = replace(sights, power_asked_at=draft.now)
        draft.ask(do.ReadPower(host, record.epoch))
    if site.backends and draft.now >= sights.storage_asked_at + policy.storage_poll_s:
        sights = replace(sights, storage_asked_at=draft.now)
        draft.ask(do.ReadStorage(host, record.epoch))
    if Facts(draft, host).has_new_boot and not proofs.has_clean_boot(draft, host):
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


def begin_fencing(draft: Draft, host: HostId, cls: Class) -> None:
    """The class allows it and no brake holds: start every road."""
    move_to(draft, host, at.Fencing(draft.now, cls), cls.value)
    spend_order(draft, host)
    record = draft.host(host)
    draft.act(do.Disable(host, record.epoch), draft.policy(host).request_timeout_s)
    draft.put_host(replace(record, disabled_by_us=True))
    state = draft.host(host).state
    assert isinstance(state, at.Fencing)
    look(draft, host, state)


def spend_order(draft: Draft, host: HostId) -> None:
    """A person's order to fence is good for one fence, or it would shoot the host for ever."""
    left = tuple(order for order in draft.control.fence_ordered if order[0] != host)
    if left != draft.control.fence_ordered:
        draft.put_control(replace(draft.control, fence_ordered=left))


def look(draft: Draft, host: HostId, state: at.Fencing) -> None:
    """Drive every road, and take what has become a proof."""
    if draft.host(host).zombie_risk:
        return
    if _came_back(draft, host, state):
        move_to(draft, host, at.Held(draft.now, "half_fenced", state.cls), "half_fenced")
        tell(draft, host, "held:half_fenced", "life came back after the first effect")
        return
    read_evidence(draft, host)
    revoke(draft, host)
    ask_promises(draft, host)
    collect(draft, host)
    if proofs.is_sufficient(draft, host):
        move_to(draft, host, at.Fenced(draft.now), _methods(draft, host))
        return
    shoot(draft, host, state.cls)
    _tell_unfenceable(draft, host, state)
    draft.wake_host(host, _next_look(draft, host))


def _came_back(draft: Draft, host: HostId, state: at.Fencing) -> bool:
    exempt = state.cls in (Class.STORAGE_LOST, Class.ISOLATED, Class.ORDERED)
    return not exempt and Facts(draft, host).any_up


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
    found = [proofs.power_off(draft, host), proofs.lease_expired(draft, host)]
    found += [
        proofs.storage_revoked(draft, host, backend)
        for backend in sorted(draft.site(host).revocable)
    ]
    if Facts(draft, host).has_new_boot:
        found.append(proofs.rebooted(draft, host))
    for proof in found:
        if isinstance(proof, Proof) and not _has_like(draft, proof):
            add_proof(draft, proof)


def _has_like(draft: Draft, proof: Proof) -> bool:
    return any(
        old.method is proof.method and old.covers == proof.covers
        for old in draft.host(proof.host).proofs
        if old.validity is not Validity.VOID
    )


# The power road.


def shoot(draft: Draft, host: HostId, cls: Class) -> None:
    """Send the next `off` of the present level, if one is due and no brake holds right now."""
    devices = _level(draft, host)
    due = [road for road in devices if _is_due(draft, host, road.id)]
    if not due:
        return
    brake = holding(draft, host, cls)
    if brake is not None:
        tell(draft, host, f"shot_held:{brake.value}")
        return
    for road in due:
        _shoot_by(draft, host, road.id)


def _level(draft: Draft, host: HostId) -> list[Road]:
    usable = usable_roads(draft, host)
    level = draft.host(host).level
    return [road for road in draft.site(host).roads if road.level == level and road.id in usable]


def _shot(record: at.Host, road: RoadId) -> at.Shot:
    return next((shot for shot in record.shots if shot.road == road), at.Shot(road))


def _is_due(draft: Draft, host: HostId, road: RoadId) -> bool:
    shot = _shot(draft.host(host), road)
    return not shot.is_open and not shot.was_accepted and draft.now >= shot.retry_at


def _shoot_by(draft: Draft, host: HostId, road: RoadId) -> None:
    record = draft.host(host)
    shot = _shot(record, road)
    fired = replace(shot, attempt=shot.attempt + 1, sent_at=draft.now, is_open=True)
    _put_shot(draft, host, fired)
    record = draft.host(host)
    reads = tuple(reads for reads in record.off_reads if reads.road != road)
    draft.put_host(replace(record, is_touched=True, last_off_at=draft.now, off_reads=reads))
    _count_shot(draft, host)
    off = do.PowerOff(host, road, record.epoch, fired.attempt)
    draft.act(off, draft.policy(host).off_timeout_s)
    draft.note(host, "shot.fired", road, f"attempt {fired.attempt}")


def _count_shot(draft: Draft, host: HostId) -> None:
    window = draft.policy(host).storm_window_s
    recent = tuple(
        (when, other)
        for when, other in draft.control.shots
        if draft.now - when < window and other != host
    )
    draft.put_control(replace(draft.control, shots=(*recent, (draft.now, host))))


def _put_shot(draft: Draft, host: HostId, shot: at.Shot) -> None:
    record = draft.host(host)
    others = tuple(old for old in record.shots if old.road != shot.road)
    draft.put_host(replace(record, shots=(*others, shot)))


def off_replied(draft: Draft, off: do.PowerOff, outcome: on.Outcome, reason: str) -> None:
    """Fold a device's answer. It is believed only as far as the reads bear it out."""
    draft.settle(off)
    record = draft.host(off.host)
    shot = _shot(record, off.road)
    if off.epoch != record.epoch or shot.attempt != off.attempt:
        _put_shot(draft, off.host, replace(shot, is_open=False))
        return
    already_off = outcome is on.Outcome.REFUSED and reason == "already_off"
    if outcome is on.Outcome.DONE or already_off:
        # Reads from before the answer do not count: they may show a cycle's short darkness.
        reads = tuple(reads for reads in record.off_reads if reads.road != off.road)
        draft.put_host(replace(record, off_reads=reads))
        accepted = replace(shot, is_open=False, was_accepted=True)
        _put_shot(draft, off.host, accepted)
        draft.ask(do.ReadPower(off.host, record.epoch))
    elif outcome is on.Outcome.NOT_SENT:
        retry_at = draft.now + draft.policy(off.host).power_poll_s
        _put_shot(draft, off.host, replace(shot, is_open=False, sent_at=None, retry_at=retry_at))
        _untouch(draft, off.host)
    else:
        _next_road(draft, off, shot, reason or outcome.value)
    draft.wake_host(off.host, draft.now)


def _untouch(draft: Draft, host: HostId) -> None:
    """Nothing went out after all: this episode has had no effect yet."""
    record = draft.host(host)
    fired = any(shot.sent_at is not None for shot in record.shots)
    if not fired and not record.revocations:
        draft.put_host(replace(record, is_touched=False))


def _next_road(draft: Draft, off: do.PowerOff, shot: at.Shot, why: str) -> None:
    """A device failed: try the next level; after the last one go round again, slower."""
    policy, record = draft.policy(off.host), draft.host(off.host)
    pause = min(policy.road_backoff_s * 2**record.rounds, policy.road_backoff_max_s)
    failed = replace(shot, is_open=False, retry_at=draft.now + pause)
    _put_shot(draft, off.host, failed)
    draft.note(off.host, "shot.failed", why, off.road)
    levels = sorted({road.level for road in draft.site(off.host).roads})
    later = [level for level in levels if level > record.level]
    record = draft.host(off.host)
    if later:
        draft.put_host(replace(record, level=later[0]))
    else:
        draft.put_host(replace(record, level=levels[0], rounds=min(record.rounds + 1, 16)))


def still_on(draft: Draft, host: HostId) -> None:
    """A device acknowledged, but the power stays on past its time: that shot has failed."""
    policy, record = draft.policy(host), draft.host(host)
    for shot in record.shots:
        seen = draft.sights(host).power.get(shot.road)
        late = shot.sent_at is not None and draft.now >= shot.sent_at + policy.off_timeout_s
        if shot.was_accepted and late and seen is not None and seen.power is Power.ON:
            again = replace(shot, was_accepted=False)
            _put_shot(draft, host, again)
            off = do.PowerOff(host, shot.road, record.epoch, shot.attempt)
            _next_road(draft, off, again, "still_on")


# The storage road, and the lease.


def revoke(draft: Draft, host: HostId) -> None:
    """Shut the host out of every backend where all its addresses are its alone."""
    record = draft.host(host)
    asked = {revocation.backend for revocation in record.revocations}
    for backend in sorted(draft.site(host).revocable - asked):
        record = draft.host(host)
        added = (*record.revocations, at.Revocation(backend))
        draft.put_host(replace(record, revocations=added, is_touched=True))
        action = do.Revoke(host, backend, record.epoch)
        draft.act(action, draft.policy(host).request_timeout_s)


def ask_promises(draft: Draft, host: HostId) -> None:
    """Have the witnesses promise not to exempt the host: then its watchdog's lease can prove."""
    site, sights = draft.site(host), draft.sights(host)
    armed = sights.renewal is not None and sights.renewal.is_armed
    if site.has_watchdog and armed and 2 * len(sights.promises) <= len(site.witnesses):
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
    for entry in record.revocations:
        if not entry.lifted:
            action = do.LiftRevocation(host, entry.backend, record.epoch)
            draft.act(action, draft.policy(host).request_timeout_s)
    lifted = tuple(replace(entry, lifted=True) for entry in record.revocations)
    draft.put_host(replace(record, revocations=lifted, is_touched=False))
    begin(draft, host, Class.UNKNOWN, "undone")
    return None
