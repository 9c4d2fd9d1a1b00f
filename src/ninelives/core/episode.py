"""An episode: one outage of one host. It begins with an epoch; every change of state is said."""

from dataclasses import replace
from functools import partial

from . import actions as do
from . import states as at
from .consent import end_hold, end_leave
from .draft import Draft
from .left_copies import keep_or_drop
from .model import HostId, Proof, Validity
from .states import Class


def begin(draft: Draft, host: HostId, cls: Class, rule: str) -> None:
    """Open a new episode: a new epoch, and nothing of the last one but what still shuts it out.

    +1 at every entry to suspect, so that no proof, of any method, precedes or outlives the episode
    it was made for (attack 7).
    """
    record = draft.host(host)
    if not isinstance(record.state, at.Held):  # judged anew from held it is still the same outage
        end_leave(draft, host)
    window = draft.policy(host).quarantine_window_s
    recent = tuple(when for when in record.episodes if draft.now - when < window)
    if not isinstance(record.state, at.Held):
        recent = (*recent, draft.now)  # judged anew from held it is still the same outage
    fresh = at.Host(
        record.id,
        record.epoch + 1,
        record.state,
        record.boot,
        shots=tuple(replace(shot, was_accepted=False, attempt=0) for shot in _open(record)),
        revocations=tuple(r for r in record.revocations if not r.lifted),
        disabled_by_us=record.disabled_by_us,
        forced_down_by_us=record.forced_down_by_us,
        episodes=recent,
        false_alarms=record.false_alarms,
        fences_used=record.fences_used,
        last_off_at=record.last_off_at,
        lost_work=record.lost_work,
        queued=record.queued,
        is_half_back=record.is_half_back,
    )
    draft.put_host(fresh)
    draft.forget(partial(is_of_the_past, host))
    see_anew(draft, host)
    move_to(draft, host, at.Suspect(draft.now, cls, draft.now), cls.value, rule)
    _tell_flapping(draft, host)


def see_anew(draft: Draft, host: HostId) -> None:
    """Let power and storage be read anew, and promises and nonces be asked for in the new epoch.

    What they said of the last outage says nothing of this one.
    """
    sights = draft.sights(host)._replace(promises=frozenset(), kept=(), power={}, storage={})
    sights = sights._replace(promises_asked_at=-1e9, attestation_asked_at=-1e9)
    draft.put_sights(sights._replace(power_asked_at=-1e9, storage_asked_at=-1e9))


def _tell_flapping(draft: Draft, host: HostId) -> None:
    """Say that a host falls and rises again and again, whatever it was each time (L2).

    The brake of that name speaks only where a shot is held: who is repaired, or comes back by
    itself before one is due, would cycle unnoticed.
    """
    policy = draft.policy(host)
    times = [when for when in draft.host(host).episodes if draft.now - when < policy.flap_window_s]
    if len(times) > policy.flap_max:
        tell(draft, host, "flapping", f"{len(times)} suspicions")


def end(draft: Draft, host: HostId, why: str) -> None:
    """Close the episode: healthy again, and nothing of it is asked for any more."""
    record = draft.host(host)
    boot = draft.sights(host).strong_boot or record.boot
    used = max((move.attempt for move in draft.moves_of(host)), default=0)
    fresh = replace(
        record,
        boot=boot,
        proofs=(),
        shots=(),
        off_reads=(),
        revocations=(),
        is_touched=False,
        group="",
        zombie_risk="",
        power_ons=0,
        queued=(),
        is_half_back=False,
        resets=max(record.resets, used),  # a guest's reset later in this epoch is another one
    )
    draft.put_host(fresh)
    draft.forget(partial(is_of_the_past, host))
    sights = draft.sights(host)._replace(power={}, storage={}, attested=None, kdump_since=None)
    draft.put_sights(sights)
    for move in draft.moves_of(host):
        keep_or_drop(draft, move)
    move_to(draft, host, at.Healthy(draft.now), why)
    end_hold(draft, host)


# What undoes an effect of ours is asked for until it is done, whatever episode it was of.
UNDOES = (do.LiftRevocation, do.Enable)


def is_of_the_past(host: HostId, action: do.Action) -> bool:
    """Say whether a request about `host` must not be offered again, now that an episode is over.

    A "revoke" that waited for its backend would shut out a host that is long back in service.
    """
    named = getattr(action, "host", getattr(action, "source", None))
    return named == host and not isinstance(action, (do.Tell, *UNDOES))


def _open(record: at.Host) -> tuple[at.Shot, ...]:
    return tuple(shot for shot in record.shots if shot.is_open)


def move_to(draft: Draft, host: HostId, state: at.HostState, why: str, detail: str = "") -> None:
    """Go through the one door between states. Every arrow that is not in the table is a bug."""
    record = draft.host(host)
    before = type(record.state)
    assert (before, type(state)) in at.ARROWS, f"{before.__name__} -> {type(state).__name__}"
    draft.put_host(replace(record, state=state))
    draft.put_sights(draft.sights(host)._replace(kept=()))
    arrow = f"{before.__name__.lower()} → {type(state).__name__.lower()}"
    draft.note(host, "host.moved", why, f"{arrow} {detail}".rstrip())
    draft.wake_host(host, draft.now)


def tell(draft: Draft, host: HostId, what: str, detail: str = "") -> None:
    """Tell somebody, once in this state of this host and this term."""
    sights = draft.sights(host)
    if what in sights.kept:
        return
    draft.put_sights(sights._replace(kept=(*sights.kept, what)))
    record = draft.host(host)
    draft.act(do.Tell(host, what, record.epoch, detail), retry_s=draft.policy(host).tell_within_s)
    draft.note(host, "told", what, detail)


def add_proof(draft: Draft, proof: Proof) -> None:
    """Put a proof into the host's set."""
    record = draft.host(proof.host)
    assert proof.epoch == record.epoch, "a proof belongs to the episode it was made for"
    draft.put_host(replace(record, proofs=(*record.proofs, proof)))
    draft.note(proof.host, "proof.made", proof.method, proof.evidence)


def void_proofs(draft: Draft, host: HostId, void: tuple[Proof, ...], why: str) -> None:
    """Void what was contradicted. From here on nothing automatic happens for this host."""
    record = draft.host(host)
    marked = tuple(
        replace(proof, validity=Validity.VOID, contradicted_by=why) if proof in void else proof
        for proof in record.proofs
    )
    # What was thought to have died with that boot may live.
    draft.put_host(replace(record, proofs=marked, zombie_risk=why, lost_work=()))
    draft.note(host, "proof.voided", why)
    tell(draft, host, "zombie_risk", why)


def ask_to_attest(draft: Draft, host: HostId) -> None:
    """Have the running boot attest itself, but not with each of its own answers anew."""
    policy = draft.policy(host)
    if draft.now >= draft.sights(host).attested_at + policy.attest_retry_s:
        draft.ask(do.AskAttestation(host, draft.host(host).epoch))
