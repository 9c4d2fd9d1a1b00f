"""What contradicts a proof, a device or a mapping, and what follows at once (SAFETY 3).

    a cpu or lease proof    a strong sign of the same or an unknown boot, made after it
    a storage proof         the entry gone, or a watcher, lock or write; never a heartbeat
    a device                reads off while the host gives strong signs (R4a)
    a mapping               our `off`, and the host lives on or another one falls silent

"No data" contradicts nothing: a backend that does not answer holds starts, and no more.
"""

from dataclasses import replace

from . import proofs, ungated
from . import states as at
from .draft import Draft
from .episode import begin, tell, void_proofs
from .evidence import LATE_S
from .facts import Facts
from .left_copies import is_left
from .model import HostId, Method, Validity


def check_proofs(draft: Draft, host: HostId) -> None:
    """Void what is contradicted by what was seen since (SAFETY 3, "invalidated")."""
    record, sights = draft.host(host), draft.sights(host)
    if isinstance(record.state, at.Returning | at.Healthy | at.Unknown):
        return
    _expire_word(draft, record)
    for proof in proofs.valid(draft.host(host)):
        is_heard = proof.covers.cpu and proofs.hears_old_boot(draft, host, proof.at)
        if is_heard and not ungated.is_its_new_boot(draft, host):
            void_proofs(draft, host, (proof,), f"the old boot lives, against {proof.method}")
            if proof.method is Method.POWER_OFF and _was_just_shot(draft, record):
                _doubt(draft, host, f"we shot {host}, and it lives on: the mapping may be wrong")
            return
        for backend in proof.covers.backends:
            view = sights.storage.get(backend)
            # None is "the backend did not say": it holds starts, but contradicts nothing.
            is_against = view is not None and (view.watched is True or view.revoked is False)
            if view is not None and view.at > proof.at and is_against:
                what = "a watcher lives" if view.watched else "the revocation is gone"
                void_proofs(draft, host, (proof,), f"{backend}: {what}")
                return


def _was_just_shot(draft: Draft, record: at.Host) -> bool:
    watch = draft.policy(record.id).mapping_watch_s
    return record.last_off_at is not None and draft.now <= record.last_off_at + watch


def _expire_word(draft: Draft, record: at.Host) -> None:
    """A person's word is good for a while, if nothing was done on it: the world moves on."""
    until = draft.now - draft.policy(record.id).human_valid_s
    old = [p for p in proofs.valid(record) if p.method is Method.HUMAN and p.at <= until]
    if not old or record.forced_down_by_us:
        return
    if _was_acted_upon(draft, record.id):
        return
    expired = tuple(
        replace(proof, validity=Validity.VOID, contradicted_by="unused for too long")
        if proof in old
        else proof
        for proof in record.proofs
    )
    draft.put_host(replace(record, proofs=expired))
    draft.note(record.id, "proof.expired", "human")
    tell(draft, record.id, "human_word_expired")


def check_identity(draft: Draft, host: HostId) -> None:
    """Two boots that answer in turns under one name: nothing that it says proves anything.

    A cloned image, or a name that was given to another machine (attack 12).
    """
    sights = draft.sights(host)
    if not sights.rival:
        return
    draft.put_sights(sights._replace(rival="", replaced=()))
    if isinstance(draft.host(host).state, at.Healthy):
        begin(draft, host, at.Class.UNKNOWN, "identity_conflict")
    why = f"two boots answer under its name: {sights.rival}"
    void_proofs(draft, host, proofs.valid(draft.host(host)), why)


def watch_mapping(draft: Draft, fallen: HostId, cls: at.Class) -> None:
    """See whether `fallen` fell silent in the very moment in which we shot another host.

    Then the device may be wired to the wrong machine (attack 14): its silence began between our
    off and the first read of off. Everything stops until a human has looked. It is asked again
    until the host is wholly silent, or its own device tells: its witnesses notice one after the
    other.

    A shot of an earlier term has no instant on our clock, nor has a silence that was there before
    us. As long as nothing was started on that shot, nobody else has watched for this either.

    Nova's record is not waited for: it calls an agentless host alive for longer than starts wait.
    """
    state, shots = draft.host(fallen).state, draft.control.shots
    is_gone = cls is at.Class.DEAD_POWER or Facts(draft, fallen).is_unheard
    if not shots or not isinstance(state, at.Suspect | at.Held) or not is_gone:
        return
    policy, gone = draft.policy(fallen), draft.sights(fallen).strong_until
    silent_since = (gone if gone is not None else state.since) - policy.silence_s
    # A witness that slept knows no more than that it was heard some time before it looked away.
    at_latest = gone if gone is not None and draft.sights(fallen).is_lost_sight else silent_since
    for when, shot in shots:
        if shot == fallen or draft.now - when > policy.mapping_watch_s:
            continue
        if when <= draft.views.began_at and gone is None:
            is_new = isinstance(state, at.Suspect)  # who is held was missed before
            is_then = is_new and draft.host(shot).was_on and not _was_acted_upon(draft, shot)
        else:
            first_off = [reads.first_at for reads in draft.host(shot).off_reads]
            until = min(first_off, default=when + policy.off_confirm_gap_s)
            is_then = when - EARLY_S <= at_latest and silent_since <= until + LATE_S
        if is_then and not draft.host(shot).zombie_risk and not _has_own_event(draft, fallen):
            _wrong_mapping(draft, shot, fallen)
            return


EARLY_S = 1.0  # a silence is counted from the last beat, up to this long before the power went


def _was_acted_upon(draft: Draft, host: HostId) -> bool:
    return any(move.named and not is_left(move) for move in draft.moves_of(host))


def _has_own_event(draft: Draft, host: HostId) -> bool:
    sights = draft.sights(host)
    return sights.is_lost_to_pacemaker or sights.kdump_since is not None or _fell_with(draft, host)


def _fell_with(draft: Draft, host: HostId) -> bool:
    """Say whether others fell with it and still are silent: one whom they left behind is alone."""
    group = draft.host(host).group
    members = (record.id for record in draft.cluster.hosts.values() if record.group == group)
    return bool(group) and any(Facts(draft, other).is_silent for other in members if other != host)


def _wrong_mapping(draft: Draft, shot: HostId, fallen: HostId) -> None:
    cause = f"we shot {shot}, and {fallen} fell silent: the mapping may be wrong"
    void_proofs(draft, shot, proofs.valid(draft.host(shot)), cause)
    _doubt(draft, shot, cause)


def _doubt(draft: Draft, shot: HostId, cause: str) -> None:
    """Stop everything, and close the roads that were used until a person has signed them anew.

    The host may be silent by the time it is shot again, and the machine at the end of the wire
    dark already: nothing would contradict that second shot.
    """
    control, record = draft.control, draft.host(shot)
    used = sorted((shot, each.road) for each in record.shots if each.attempt)
    fresh = tuple(pair for pair in used if pair not in control.unverified)
    doubted = (*control.unverified, *fresh)
    draft.put_control(replace(control, is_armed=False, cause=cause, unverified=doubted))
    draft.note("control", "disarmed", cause)
    for _, road in fresh:
        draft.note(shot, "road.doubted", road)


def lies(draft: Draft, host: HostId) -> None:
    """R4a: close the device that reads off while the host lives, and all that share its address."""
    lying = {reads.road for reads in draft.host(host).off_reads}
    devices = {road.address or road.id for road in draft.site(host).roads if road.id in lying}
    known = {address for address, _ in draft.control.closed_devices}
    fresh = tuple((address, f"read off while {host} lives") for address in sorted(devices - known))
    if fresh:
        closed = (*draft.control.closed_devices, *fresh)
        draft.put_control(replace(draft.control, closed_devices=closed))
        draft.put_host(replace(draft.host(host), off_reads=()))  # nothing it says counts any more
        draft.note(host, "device.closed", "oob_lies", ", ".join(address for address, _ in fresh))
        tell(draft, host, "oob_lies")


def is_lied_about(draft: Draft, host: HostId) -> bool:
    """Say whether a device reads off while the host gives strong signs (R4a)."""
    return Facts(draft, host).oob_lies
