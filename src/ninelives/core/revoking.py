"""The storage road: a host is shut out of its backends, and let in again when it is led back.

    revoke ─▶ seen in force ─▶ renewed at half life, by whoever leads ─▶ lifted on the way back

A revocation that was sent and not answered may yet come into force, after the lift that should
take it back. So a host is let in only when none is under way, and again if one came late. Nor is
it shut out while a lift is under way: that would take away what was just seen in force.
"""

from dataclasses import replace
from functools import partial

from . import actions as do
from . import states as at
from .draft import Draft
from .model import BackendId, HostId, Method, Validity


def revoke(draft: Draft, host: HostId) -> None:
    """Shut the host out of every backend where all its addresses are its alone, and keep it out."""
    renew_s = draft.policy(host).revocation_renew_s
    known = {entry.backend: entry for entry in draft.host(host).revocations}
    for backend in sorted(draft.site(host).revocable):
        entry = known.get(backend)
        is_due = entry is None or (not entry.lifted and draft.now >= entry.asked_at + renew_s)
        until = _may_be_let_in_until(draft, host, backend) if is_due else 0.0
        if draft.now < until:
            draft.wake_host(host, until)
        elif is_due:
            _ask_to_revoke(draft, host, entry or at.Revocation(backend))


def shut_out_again(draft: Draft, host: HostId) -> None:
    """Close what was opened to a host that is not led back after all: its next boot is unknown."""
    record = draft.host(host)
    entries = tuple(
        at.Revocation(entry.backend, asked_at=-1e9) if entry.lifted else entry
        for entry in record.revocations
    )
    draft.put_host(replace(record, revocations=entries))
    keep_out(draft, host)


def keep_out(draft: Draft, host: HostId) -> None:
    """Renew what shuts out a host that stays out for long; without any there is nothing to do."""
    if draft.host(host).revocations:
        revoke(draft, host)
        draft.wake_host(host, draft.now + draft.policy(host).vacated_look_s)


def _ask_to_revoke(draft: Draft, host: HostId, entry: at.Revocation) -> None:
    record = draft.host(host)
    others = tuple(other for other in record.revocations if other.backend != entry.backend)
    asked = (*others, replace(entry, asked_at=draft.now))
    draft.put_host(replace(record, revocations=asked, is_touched=True))
    draft.forget(partial(_is_lift, host, entry.backend))
    action = do.Revoke(host, entry.backend, record.epoch)
    draft.act(action, draft.policy(host).request_timeout_s)


def _may_be_let_in_until(draft: Draft, host: HostId, backend: BackendId) -> float:
    """Return until when a lift that is under way may let the host in; 0 without one."""
    timeout = draft.policy(host).request_timeout_s
    sent = [
        entry.at + timeout
        for action in [*draft.cluster.outbox, *draft.outbox]
        if _is_lift(host, backend, action) and (entry := draft.entry(action)) is not None
    ]
    return max(sent, default=0.0)


def _is_lift(host: HostId, backend: BackendId, action: do.Action) -> bool:
    if not isinstance(action, do.LiftRevocation):
        return False
    return (action.host, action.backend) == (host, backend)


# Letting it in again.


def let_in(draft: Draft, host: HostId) -> bool:
    """Ask every backend to let the host in. Return whether all have done so."""
    record = draft.host(host)
    shut_out = [entry.backend for entry in record.revocations if not entry.lifted]
    due = may_land_until(draft, host)
    if draft.now < due:
        draft.wake_host(host, due)
    else:
        draft.forget(partial(_is_revocation, host))
        for backend in shut_out:
            _spend_proof(draft, host, backend)
            _lift(draft, host, backend)
    return not shut_out


def _spend_proof(draft: Draft, host: HostId, backend: BackendId) -> None:
    """What we lift ourselves proves nothing from here on, and is contradicted by nobody's writes.

    Who falls again before it is led back would else be held for the storage that we opened to it.
    """
    record = draft.host(host)
    proofs = tuple(
        replace(proof, validity=Validity.VOID, contradicted_by="lifted")
        if proof.method is Method.STORAGE_REVOKED and proof.covers.disk(backend)
        else proof
        for proof in record.proofs
    )
    if proofs != record.proofs:
        draft.put_host(replace(record, proofs=proofs))


def may_land_until(draft: Draft, host: HostId) -> float:
    """Return until when a revocation that is under way may come into force; 0 without one."""
    record, timeout = draft.host(host), draft.policy(host).request_timeout_s
    open_ones = (
        draft.entry(do.Revoke(host, entry.backend, record.epoch)) for entry in record.revocations
    )
    return max((sent.at + timeout for sent in open_ones if sent is not None), default=0.0)


def let_in_again(draft: Draft, host: HostId, since: float) -> None:
    """A revocation of ours, seen in force after `since`, came later than its lift: lift it anew."""
    for entry in draft.host(host).revocations:
        view = draft.sights(host).storage.get(entry.backend)
        if entry.lifted and view is not None and view.revoked is True and view.at >= since:
            _lift(draft, host, entry.backend)


def _lift(draft: Draft, host: HostId, backend: BackendId) -> None:
    action = do.LiftRevocation(host, backend, draft.host(host).epoch)
    draft.act(action, draft.policy(host).request_timeout_s)


def _is_revocation(host: HostId, action: do.Action) -> bool:
    return isinstance(action, do.Revoke) and action.host == host


def mark_lifted(draft: Draft, host: HostId, backend: str) -> None:
    """Write down that a backend let the host in."""
    record = draft.host(host)
    entries = tuple(
        replace(entry, lifted=True) if entry.backend == backend else entry
        for entry in record.revocations
    )
    draft.put_host(replace(record, revocations=entries))
