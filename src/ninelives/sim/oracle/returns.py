"""I20 the gate, I21 revocations in force, I22 lease arithmetic."""

from collections.abc import Iterator
from math import inf

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.model import HostId, Method, Proof
from ninelives.sim import happenings as so

from .facts import Violation
from .picture import Picture
from .queues import is_ungated
from .truth import DEAD_CONDITIONS

EMPTY_STATES = (at.Fenced, at.Evacuating, at.Vacated, at.Quarantined)
LATE_STAGES = (at.Stage.RESTARTING, at.Stage.SOAKING, at.Stage.ENABLING)
EARLY_STAGES = (at.Stage.ATTESTING, at.Stage.LIFTING)
COMPUTE_STAGES = (at.Stage.COMPUTE, at.Stage.FORCING_UP)
RESUMED_TASKS = ("rebooting", "rebooting_hard", "powering-on")
REVOCATION_EXPIRES = 42  # row of the fault table: somebody else's hand, or a clock at the backend

Leading = do.Enable | do.OpenGate | do.StartCompute | do.ForceUp | do.LiftRevocation


def gate_kept(picture: Picture, when: float, it: so.DomainStarted) -> Iterator[Violation]:
    """I20: between the fence and health nothing starts on a host, except what waits in place."""
    facts = picture.facts.servers.get(it.server)
    if facts is not None and not facts.is_protected:
        return
    match picture.records.host(it.host).state:
        case at.Returning(stage=stage):
            is_open = stage in LATE_STAGES
        case state:
            is_open = not isinstance(state, EMPTY_STATES)
    if is_open:
        return
    if it.cause != "nova" and it.host not in picture.records.opened:
        picture.excused[f"I20 {it.cause}"] += 1
    elif it.cause == "nova" and _is_resumed(picture, it):
        picture.excused["I20 resumed"] += 1
    elif is_ungated(picture, it):
        picture.excused["I20 ungated"] += 1
    else:
        yield Violation("I20", when, it.host, f"{it.server} started behind the gate")


def _is_resumed(picture: Picture, it: so.DomainStarted) -> bool:
    """Say whether a starting nova-compute goes on with what was asked of it, at the server's home.

    Nova does so by itself (compute/manager.py, _init_instance), and no step of ours can be earlier.
    """
    state, seen = picture.records.host(it.host).state, picture.told.seen.get(it.server)
    if seen is None or not isinstance(state, at.Returning) or state.stage not in COMPUTE_STAGES:
        return False
    move = picture.records.moves.get(it.server)
    waits = move is None or isinstance(move.state, at.WaitingForHost | at.Skipped)
    return waits and seen.host == it.host and seen.task_state in RESUMED_TASKS


def led_back_in_order(picture: Picture, when: float, action: Leading) -> Iterator[Violation]:
    """I20 and I21: each step of the way back at its own stage, none before."""
    state = picture.records.host(action.host).state
    if isinstance(state, at.Healthy | at.Held) or _is_undone(picture, action):
        return  # every arrow into healthy undoes what is ours; a human undoes from held
    stage = state.stage if isinstance(state, at.Returning) else None
    law = "I21" if isinstance(action, do.LiftRevocation) else "I20"
    match action:
        case do.LiftRevocation():
            is_due = stage is not None and stage is not at.Stage.ATTESTING
        case do.Enable():
            is_due = stage is at.Stage.ENABLING
        case _:
            is_due = stage is not None and stage not in EARLY_STAGES
    if not is_due:
        where = stage or type(state).__name__.lower()
        yield Violation(law, when, action.host, f"{type(action).__name__} while {where}")


def _is_undone(picture: Picture, action: Leading) -> bool:
    """Say whether a person undid the fence that it takes back, and nothing shut the host out since.

    Disarmed, nothing is sent: its host may be suspected again, and again, before the lift goes out.
    """
    if not isinstance(action, do.LiftRevocation):
        return False
    shut_out = picture.records.host(action.host).revocations
    is_shut_out = any(each.backend == action.backend and not each.lifted for each in shut_out)
    return not is_shut_out and (action.host, action.epoch) in picture.told.undone


def gate_opened(picture: Picture, action: Leading) -> None:
    """Remember which gates we opened: what starts behind those is ours.

    A host that is down has no gate yet; that of its next boot refuses what was meant for this one.
    """
    is_down = picture.truth.conditions.get(action.host) in DEAD_CONDITIONS
    if isinstance(action, do.OpenGate | do.StartCompute) and not is_down:
        picture.records.opened.add(action.host)


# I21.


def still_shut_out(picture: Picture, when: float, it: so.WritesCut) -> Iterator[Violation]:
    """I21: nobody lets a host in while a proof rests on its being shut out."""
    if it.is_cut or picture.truth.is_faulty(REVOCATION_EXPIRES):
        return
    if isinstance(picture.records.host(it.host).state, at.Returning | at.Healthy):
        return
    for proof in picture.records.standing(it.host):
        if proof.method is Method.STORAGE_REVOKED and it.backend in proof.covers.backends:
            yield Violation("I21", when, it.host, f"let in to {it.backend} again")


def truly_shut_out(picture: Picture, when: float, proof: Proof) -> Iterator[Violation]:
    """I21: a revocation is in force from the proof on."""
    if proof.method is Method.STORAGE_REVOKED:
        cuts = picture.truth.cuts.get(proof.host, set())
        for backend in sorted(proof.covers.backends - cuts):
            yield Violation("I21", when, proof.host, f"{backend} does not shut it out")


# I22.


def lease_sound(picture: Picture, when: float, it: so.Decided, proof: Proof) -> Iterator[Violation]:
    """I22: `T_safe` passed since the last receipt of this term, on the leader's clock and truly."""
    if proof.method is not Method.LEASE_EXPIRED:
        return
    host, told = proof.host, picture.told
    policy = picture.facts.policy_of(host)
    received = max(told.renewals.get(host, (-inf, None))[0], told.began)
    if it.now < received + policy.safe_s:  # not the difference: large instants round it
        yield Violation("I22", when, host, f"{it.now - received:.1f} s after the last receipt")
    elif when - _truly_ended(picture, proof) < policy.safe_s * (1 - 2 * policy.clock_drift):
        yield Violation("I22", when, host, "its lease truly lives, or its watchdog cannot fire")
    elif not told.armed.get(host, False):
        yield Violation("I22", when, host, "nobody attested an armed watchdog")
    elif not _is_promised(picture, host, proof.epoch):
        yield Violation("I22", when, host, "no majority of its witnesses gave a promise")


def _truly_ended(picture: Picture, proof: Proof) -> float:
    """Return when the boot's last renewal was truly received; one without a watchdog never ends.

    It is that boot which is proved dead. Its host may be up again, and renew, at this very moment.
    """
    known = picture.truth.leases.get((proof.host, proof.boot)) if proof.boot else None
    if known is None:
        return -inf  # the world does not say
    since, lease = known
    return inf if lease.is_renewing or not lease.is_armed else since


def _is_promised(picture: Picture, host: HostId, epoch: int) -> bool:
    witnesses = set(picture.facts.site.hosts[host].witnesses) - {host}
    promised = picture.told.promises.get((host, epoch), set())
    return 2 * len(promised & witnesses) > len(witnesses)
