"""Judging what operators order: taken, or refused with a stable reason and a hint."""

from dataclasses import replace

from . import adoption, fencing, proofs, returning, switching_on
from . import events as on
from . import states as at
from .brakes import holding_power_on
from .cluster import Maintenance
from .consent import judge_word
from .draft import Draft
from .episode import add_proof, move_to
from .host import adopt, fence_ordered, is_left_to_people, look
from .model import HostId, Proof, Refusal, SegmentId


def judge_order(draft: Draft, order: on.Order) -> None:
    """Judge one order. A refusal changes nothing and is said."""
    refusal = _judge(draft, order)
    name = type(order).__name__
    about = getattr(order, "host", getattr(order, "server", "control"))
    if refusal is None:
        reason = getattr(order, "reason", "")
        draft.note(about, "order.taken", name, f"by {order.by}" + (f": {reason}" if reason else ""))
        for record in list(draft.active()):
            draft.wake_host(record.id, draft.now)
        draft.wake("outbox", draft.now)
    else:
        draft.note(about, "order.refused", refusal.reason, f"{name} by {order.by}: {refusal.hint}")


def _judge(draft: Draft, order: on.Order) -> Refusal | None:
    host = getattr(order, "host", None)
    if host is not None and host not in draft.cluster.site.hosts:
        return Refusal("no_such_host", "`host list` shows the inventory")
    match order:
        case on.Armed() | on.ModeSet() | on.StormAllowed() | on.SignedOff() | on.RoadSigned():
            return _control(draft, order)
        case on.MaintenanceSet():
            return _maintenance(draft, order)
        case on.IncidentApproved() | on.IncidentHeld():
            return judge_word(draft, order)
        case on.StoreAdopted():
            return adoption.adopted(draft, order)
        case on.Adopted(host=host):
            return adopt(draft, host)
        case on.ConfirmedDead():
            return _confirmed(draft, order)
        case on.HalfFencedSettled():
            return _half_fenced(draft, order)
        case on.FenceOrdered(host=host, typed=typed, by=by):
            if typed != host:
                return Refusal("name_not_typed", "type the host's name in full")
            return fence_ordered(draft, host, by)
        case on.PowerOnOrdered(host=host):
            return _power_on(draft, host)
        case on.Released(host=host):
            if not isinstance(draft.host(host).state, at.Quarantined):
                return Refusal("not_quarantined", "only a quarantined host is released")
            returning.release(draft, host)
    return None


def _control(
    draft: Draft,
    order: on.Armed | on.ModeSet | on.StormAllowed | on.SignedOff | on.RoadSigned,
) -> Refusal | None:
    control = draft.control
    match order:
        case on.Armed(is_armed=is_armed, cause=cause):
            control = replace(control, is_armed=is_armed, cause="" if is_armed else cause)
        case on.ModeSet(mode=mode, segment=""):
            control = replace(control, mode=mode)
        case on.ModeSet(mode=mode, segment=segment):
            others = tuple(pair for pair in control.segment_modes if pair[0] != segment)
            control = replace(control, segment_modes=(*others, (SegmentId(segment), mode)))
        case on.StormAllowed(domain=domain, shots=shots):
            if shots < 1 or shots > len(draft.cluster.site.members.get(domain, ())):
                return Refusal("unbounded", "name a number of shots between 1 and its hosts")
            others_allowed = tuple(p for p in control.storm_allowed if p[0] != domain)
            control = replace(control, storm_allowed=(*others_allowed, (domain, shots)))
        case on.SignedOff(server=server):
            control = replace(control, signed_off=(*control.signed_off, server))
        case on.RoadSigned(host=host, road=road, is_verified=is_verified):
            pair = (host, road)
            good = tuple(p for p in control.verified if p != pair)
            bad = tuple(p for p in control.unverified if p != pair)
            good, bad = ((*good, pair), bad) if is_verified else (good, (*bad, pair))
            control = replace(control, verified=good, unverified=bad)
            if is_verified:
                control = replace(control, closed_devices=_reopened(draft, host, road))
    draft.put_control(control)
    return None


def _reopened(draft: Draft, host: HostId, road: str) -> tuple[tuple[str, str], ...]:
    """A signed road's device may carry proofs again: somebody has looked at it."""
    addresses = {entry.address or entry.id for entry in draft.site(host).roads if entry.id == road}
    return tuple(pair for pair in draft.control.closed_devices if pair[0] not in addresses)


def _maintenance(draft: Draft, order: on.MaintenanceSet) -> Refusal | None:
    others = tuple(job for job in draft.control.maintenance if job.host != order.host)
    job = Maintenance(order.host, order.by, order.reason, order.is_power_job)
    jobs = (*others, job) if order.is_on else others
    draft.put_control(replace(draft.control, maintenance=jobs))
    draft.wake_host(order.host, draft.now)
    return None


def _confirmed(draft: Draft, order: on.ConfirmedDead) -> Refusal | None:
    """A person's word: it moves on what no road could prove, and answers for a contradiction."""
    state = draft.host(order.host).state
    is_out = isinstance(state, at.Suspect | at.Held | at.Fencing | at.Fenced | at.Evacuating)
    is_empty = isinstance(state, at.Vacated) and is_left_to_people(draft.host(order.host))
    if not is_out and not is_empty:
        return Refusal("no_episode", "the host is not suspect, held or being fenced")
    proof = proofs.human(draft, order)
    if not isinstance(proof, Proof):
        return proof
    draft.put_host(replace(draft.host(order.host), zombie_risk=""))
    add_proof(draft, proof)
    if isinstance(state, at.Suspect | at.Held | at.Fencing):
        move_to(draft, order.host, at.Fenced(draft.now), proof.method.value)
    look(draft, order.host)
    return None


def _half_fenced(draft: Draft, order: on.HalfFencedSettled) -> Refusal | None:
    """Finish: shoot on, by name. Undo: let it live, once every road was seen ended."""
    record = draft.host(order.host)
    if not isinstance(record.state, at.Held) or record.state.reason != "half_fenced":
        return Refusal("not_half_fenced", "only a host that came back under fencing")
    if order.epoch != record.epoch:
        return Refusal("other_epoch", f"the present episode is {record.epoch}")
    if order.finish:
        fencing.begin_fencing(draft, order.host, at.Class.ORDERED)
        return None
    return fencing.undo(draft, order.host)


def _power_on(draft: Draft, host: HostId) -> Refusal | None:
    if not isinstance(draft.host(host).state, at.Vacated | at.Quarantined):
        return Refusal("not_vacated", "its servers have no outcome yet")
    if reason := holding_power_on(draft, host):
        return Refusal(reason, KEEPS_OFF[reason])
    switching_on.power_on(draft, host)
    return None


KEEPS_OFF = {
    "disarmed": "arm first: `ninelives arm`",
    "store_adopted": "what the lost leader had sent may yet begin: try in a few minutes",
    "mode": "nothing is sent in this mode: set it to act first",
    "off_may_be_late": "a device may act a minute after it accepted: try again then",
    "start_waits": "a start of a server that lives elsewhere waits for it in Nova's queue, and "
    "without an agent nothing refuses it: purge that queue, then press its button",
    "rebuild_waits": "a move that is under way may have left its rebuild in Nova's queue for it",
    "own_fault": "the controller was away, and looks anew: try in a minute",
}
