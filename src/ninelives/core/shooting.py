"""The power road: every `off` is a shot that stands before all brakes anew (SAFETY 6).

Devices of one level must all succeed; then the next level; then round again, slower. A device's
answer is believed only as far as the reads bear it out.
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import proofs, storms
from . import states as at
from .brakes import counted_until, holding, kind_in_doubt
from .draft import Draft
from .episode import ask_to_attest, tell
from .evidence import power_is, reads_off
from .facts import Facts
from .model import HostId, Method, Power, RoadId
from .roads import again_as, hits_nobody, usable_roads
from .rules import judge, may_fence
from .site import Road
from .states import Class
from .tallies import is_proved_dead

ABOUT_POWER = (Method.POWER_OFF, Method.PACEMAKER)


def shoot(draft: Draft, host: HostId, cls: Class) -> None:
    """Send the next `off` of the present level, if one is due and no brake holds right now."""
    devices = _level(draft, host)
    due = [road for road in devices if _is_due(draft, host, road.id)]
    if not due:
        return
    storms.forget(draft)
    brake = holding(draft, host, cls) or kind_in_doubt(draft, cls, due[0].kind)
    if brake is not None:
        tell(draft, host, f"shot_held:{brake.value}")
        return
    state = draft.host(host).state
    if isinstance(state, at.Fencing) and not Facts(draft, host).is_still_missed(state.cls):
        tell(draft, host, "shot_held:seen_again")
        return
    for road in due:
        _shoot_by(draft, host, road.id, cls)


def _level(draft: Draft, host: HostId) -> list[Road]:
    usable = usable_roads(draft, host)
    level = draft.host(host).level
    return [road for road in draft.site(host).roads if road.level == level and road.id in usable]


def _shot(record: at.Host, road: RoadId) -> at.Shot:
    return next((shot for shot in record.shots if shot.road == road), at.Shot(road))


def _is_due(draft: Draft, host: HostId, road: RoadId) -> bool:
    shot = _shot(draft.host(host), road)
    return not shot.is_open and not shot.was_accepted and draft.now >= shot.retry_at


def _shoot_by(draft: Draft, host: HostId, road: RoadId, cls: Class) -> None:
    record = draft.host(host)
    shot = _shot(record, road)
    fired = replace(shot, attempt=shot.attempt + 1, sent_at=draft.now, is_open=True)
    _put_shot(draft, host, fired)
    record = draft.host(host)
    reads = tuple(reads for reads in record.off_reads if reads.road != road)
    draft.put_host(replace(record, is_touched=True, last_off_at=draft.now, off_reads=reads))
    if not hits_nobody(record, cls):
        _count_shot(draft, host)
    off = do.PowerOff(host, road, record.epoch, fired.attempt)
    draft.act(off, draft.policy(host).off_timeout_s)
    draft.note(host, "shot.fired", road, f"attempt {fired.attempt}")


def _count_shot(draft: Draft, host: HostId) -> None:
    """Add it beside the host's earlier ones: if it does not leave, those are what is left."""
    shots = (*draft.control.shots, (draft.now, host))
    draft.put_control(replace(draft.control, shots=shots))
    draft.wake("storm", counted_until(draft, draft.now, host))


def _uncount_shot(draft: Draft, host: HostId, sent_at: float | None) -> None:
    """It never left. Nobody may be shot again for nothing because it would have been the second."""
    shots = list(draft.control.shots)
    if sent_at is not None and (sent_at, host) in shots:
        shots.remove((sent_at, host))
        draft.put_control(replace(draft.control, shots=tuple(shots)))


def _put_shot(draft: Draft, host: HostId, shot: at.Shot) -> None:
    record = draft.host(host)
    others = tuple(old for old in record.shots if old.road != shot.road)
    draft.put_host(replace(record, shots=(*others, shot)))


def off_replied(draft: Draft, off: do.PowerOff, outcome: on.Outcome, reason: str) -> None:
    """Fold a device's answer. It is believed only as far as the reads bear it out."""
    draft.settle(off)
    if outcome is not on.Outcome.NOT_SENT and not isinstance(
        draft.host(off.host).state, at.Unknown
    ):
        # A device may act late after it answered, not after we decided.
        draft.put_host(replace(draft.host(off.host), last_off_at=draft.now))
    record = draft.host(off.host)
    shot = _shot(record, off.road)
    if off.epoch != record.epoch or shot.attempt != off.attempt:
        if shot.is_open:
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
        _uncount_shot(draft, off.host, shot.sent_at if shot.is_open else None)
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


def shoot_again(draft: Draft, host: HostId) -> None:
    """Keep a fenced host off: without a standing cpu proof, or when somebody switched it on.

    "On" suspends what a power proof permits, until a new boot attests its closed gate or the host
    is off again (SAFETY 3). Each of these is a shot: fresh evidence, all brakes.
    """
    record = draft.host(host)
    if record.zombie_risk:
        return
    has_proof = any(proof.covers.cpu for proof in proofs.valid(record))
    if has_proof:
        spend_order(draft, host)
    # A vacated host that is on is on its way back: its gate, and not we, keeps it from starting.
    is_settled = isinstance(record.state, at.Vacated) or not _is_on_again(draft, host)
    if has_proof and is_settled and not went_dark_again(draft, host):
        return
    if has_proof:
        ask_to_attest(draft, host)
        _forget_acceptance(draft, host)
    elif not has_reason(draft, host):
        tell(draft, host, "shot_held:no_class")
        return
    shoot(draft, host, again_as(draft, host))


def has_reason(draft: Draft, host: HostId) -> bool:
    """Say whether a proof, an order, or what is seen now asks for a host that was fenced to be off.

    Storage alone never ends the story: it goes on by power. But a person's word expires, and leaves
    nothing; then only a class that leads to a fence does, as for the first shot (SAFETY 6).
    """
    if proofs.valid(draft.host(host)) or again_as(draft, host) is Class.ORDERED:
        return True
    cls = judge(draft, host).cls
    return cls is Class.DEAD_POWER or may_fence(draft, host, cls)


def went_dark_again(draft: Draft, host: HostId) -> bool:
    """A reboot's proof permits a start while its boot is seen; that boot is gone, and another one.

    Nothing but the power can prove the host now: it is switched off for good, as what it is.
    """
    is_moving = isinstance(draft.host(host).state, at.Evacuating)
    is_gone = not proofs.has_clean_boot(draft, host) and not Facts(draft, host).any_up
    return is_moving and proofs.rests_on_its_reboot(draft, host) and is_gone


def spend_order(draft: Draft, host: HostId) -> None:
    """A person's order to fence is good for one fence, or it would shoot the host for ever."""
    left = tuple(order for order in draft.control.fence_ordered if order[0] != host)
    if left != draft.control.fence_ordered:
        draft.put_control(replace(draft.control, fence_ordered=left))


def begin_anew(draft: Draft, host: HostId) -> None:
    """A person answers a contradicted proof with a new shot: what was read before is void."""
    record = draft.host(host)
    shots = tuple(replace(shot, was_accepted=False, retry_at=draft.now) for shot in record.shots)
    state = record.state
    if isinstance(state, at.Fencing):
        state = replace(state, cls=Class.ORDERED)
    draft.put_host(replace(record, state=state, shots=shots, off_reads=(), zombie_risk=""))
    draft.note(host, "fence.anew", "ordered")


def _is_on_again(draft: Draft, host: HostId) -> bool:
    record = draft.host(host)
    about_power = any(proof.method in ABOUT_POWER for proof in proofs.valid(record))
    is_on = power_is(draft.sights(host), Power.ON) and not reads_off(draft, host, 0.0)
    return about_power and is_on and not proofs.has_clean_boot(draft, host)


def _forget_acceptance(draft: Draft, host: HostId) -> None:
    """A device that took our last `off` reads on by now: that shot is spent."""
    on_now = {road for road, s in draft.sights(host).power.items() if s.power is Power.ON}
    for shot in draft.host(host).shots:
        if shot.was_accepted and shot.road in on_now:
            again = replace(shot, was_accepted=False, retry_at=draft.now)
            _put_shot(draft, host, again)


def still_on(draft: Draft, host: HostId) -> None:
    """A device acknowledged, but the power stays on past its time: that shot has failed."""
    policy, record = draft.policy(host), draft.host(host)
    if isinstance(record.state, at.Vacated) and is_proved_dead(record):
        return  # it was off, and somebody switched it on to have it back
    for shot in record.shots:
        seen = draft.sights(host).power.get(shot.road)
        late = shot.sent_at is not None and draft.now >= shot.sent_at + policy.off_timeout_s
        if shot.was_accepted and late and seen is not None and seen.power is Power.ON:
            again = replace(shot, was_accepted=False)
            _put_shot(draft, host, again)
            off = do.PowerOff(host, shot.road, record.epoch, shot.attempt)
            _next_road(draft, off, again, "still_on")
