"""Every method of proof: what makes one, and each condition without which it is refused."""

from dataclasses import replace

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NEW,
    NOW,
    OLD,
    ROAD,
    Arrange,
    both,
    control,
    dark,
    fresh,
    off_read,
    plane,
    record,
    sees,
    storage,
    views,
)
from tests.core.small_cloud import CEPH

from ninelives.core import events as on
from ninelives.core import proofs
from ninelives.core import states as at
from ninelives.core.cluster import PowerSeen, Renewal
from ninelives.core.draft import Draft
from ninelives.core.model import (
    LOCAL,
    Attestation,
    BackendId,
    BootId,
    Method,
    PacemakerFence,
    Power,
    Proof,
    Refusal,
    RoadId,
    Sign,
    WitnessId,
)
from ninelives.core.site import Road

EPOCH = 3


def episode(*steps: Arrange, **site: object) -> Draft:
    """c1 is being fenced, in its third episode, dark on every plane."""
    draft = fresh("c1 c2 c3 c4", **site)
    state = at.Fencing(NOW - 10, at.Class.DEAD_OR_FROZEN)
    both(dark, record(epoch=EPOCH, state=state), *steps)(draft)
    return draft


def reason(answer: Proof | Refusal) -> str:
    return answer.reason if isinstance(answer, Refusal) else ""


def made(answer: Proof | Refusal) -> Proof:
    assert isinstance(answer, Proof), answer
    assert (answer.host, answer.epoch, answer.at, answer.term) == (C1, EPOCH, NOW, 1)
    return answer


# power_off.


def shots(*accepted: str, refused: tuple[str, ...] = ()) -> Arrange:
    taken = [at.Shot(RoadId(road), 1, NOW - 9, was_accepted=True) for road in accepted]
    failed = [at.Shot(RoadId(road), 1, NOW - 9) for road in refused]
    return record(shots=(*taken, *failed))


our_off = shots(ROAD)
off_twice = off_read(NOW - 4, NOW)


def test_off_read_twice_after_our_own_off_proves_everything() -> None:
    proof = made(proofs.power_off(episode(our_off, off_twice), C1))

    assert proof.method is Method.POWER_OFF
    assert proof.covers.cpu
    assert proof.covers.network
    assert proof.covers.disk(LOCAL)
    assert proof.boot == OLD


@pytest.mark.parametrize(
    "missing",
    [
        off_twice,  # no off of ours
        both(shots(refused=(ROAD,)), off_twice),  # it was not accepted
        our_off,  # never read
        both(our_off, off_read(NOW - 1.9, NOW)),  # too close together
        both(our_off, off_twice, control(unverified=((C1, ROAD),))),  # mapping unknown
        both(our_off, off_twice, control(closed_devices=((ROAD, "it lied"),))),
    ],
    ids=["no off", "not accepted", "not read", "gap", "unverified", "closed"],
)
def test_power_off_lacks_one_thing(missing: Arrange) -> None:
    assert reason(proofs.power_off(episode(missing), C1)) == "not_read_off_twice"


def two_feeds(*steps: Arrange) -> Draft:
    roads = (Road(RoadId("a"), kind="pdu"), Road(RoadId("b"), kind="pdu"))
    return episode(*steps, roads=roads)


def read_off(*roads: str) -> Arrange:
    reads = tuple(at.OffReads(RoadId(road), NOW - 4, NOW) for road in roads)
    return record(off_reads=reads)


def test_all_devices_of_a_level_must_be_off() -> None:
    whole = two_feeds(shots("a", "b"), read_off("a", "b"))
    half = two_feeds(shots("a", "b"), read_off("a"))

    assert made(proofs.power_off(whole, C1)).covers.cpu
    assert reason(proofs.power_off(half, C1)) == "not_read_off_twice"


# storage_revoked.

REVOCABLE = {"revocable": frozenset({CEPH})}
asked = record(revocations=(at.Revocation(CEPH),))


def test_a_revocation_seen_in_force_proves_that_backend_alone() -> None:
    draft = episode(asked, storage(watched=False, revoked=True), **REVOCABLE)

    proof = made(proofs.storage_revoked(draft, C1, CEPH))

    assert proof.covers.disk(CEPH)
    assert not proof.covers.cpu
    assert not proof.covers.network
    assert not proof.covers.disk(BackendId("other"))


@pytest.mark.parametrize(
    ("steps", "site", "why"),
    [
        ((asked, storage(watched=False, revoked=True)), {}, "not_revocable"),
        ((storage(watched=False, revoked=True),), REVOCABLE, "not_revocable"),
        ((asked,), REVOCABLE, "not_in_force"),
        ((asked, storage(watched=False, revoked=None)), REVOCABLE, "not_in_force"),
        ((asked, storage(watched=True, revoked=True)), REVOCABLE, "not_in_force"),
    ],
    ids=["shared address", "not ours", "not seen", "unknown", "a watcher lives"],
)
def test_storage_revoked_lacks_one_thing(
    steps: tuple[Arrange, ...], site: dict[str, object], why: str
) -> None:
    assert reason(proofs.storage_revoked(episode(*steps, **site), C1, CEPH)) == why


# lease_expired.

DOG = {"has_watchdog": True}
SAFE_S = fresh().cluster.policy.safe_s
WITNESSES = fresh().site(C1).witnesses


def renewal(ago_s: float, boot: BootId = OLD, is_armed: bool = True) -> Arrange:
    return sees(renewal=Renewal(boot, is_armed, NOW - ago_s))


def promised(count: int) -> Arrange:
    return sees(promises=frozenset(WITNESSES[:count]))


majority = promised(len(WITNESSES) // 2 + 1)
ran_out = both(renewal(SAFE_S), majority)


def test_an_armed_watchdogs_lease_that_ran_out_proves_everything() -> None:
    proof = made(proofs.lease_expired(episode(ran_out, **DOG), C1))

    assert proof.method is Method.LEASE_EXPIRED
    assert proof.covers.cpu


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (both(majority), "no_armed_watchdog"),
        (both(renewal(SAFE_S, is_armed=False), majority), "no_armed_watchdog"),
        (both(renewal(SAFE_S, boot=NEW), majority), "other_boot"),
        (both(renewal(SAFE_S - 0.01), majority), "too_early"),
        (both(ran_out, views(began_at=NOW - SAFE_S + 0.01)), "too_early"),
        (both(renewal(SAFE_S), promised(len(WITNESSES) // 2)), "no_majority"),
        (both(ran_out, sees(promises=frozenset(map(WitnessId, "xyz")))), "no_majority"),
    ],
    ids=["never", "unarmed", "boot", "early", "take-over", "half", "strangers"],
)
def test_lease_expired_lacks_one_thing(steps: Arrange, why: str) -> None:
    assert reason(proofs.lease_expired(episode(steps, **DOG), C1)) == why


def test_without_a_watchdog_no_lease_proves_anything() -> None:
    assert reason(proofs.lease_expired(episode(ran_out), C1)) == "no_armed_watchdog"


# rebooted.

CLEAN = Attestation(
    NEW,
    EPOCH,
    "serial-c1",
    signed=True,
    gate_closed=True,
    guests=0,
    autostart=False,
    resume_guests=False,
)


def attested(said: Attestation) -> Arrange:
    return sees(attested=on.Attested(C1, said), attested_at=NOW, strong_boot=said.boot)


def test_a_new_boot_behind_its_gate_proves_the_old_one_dead() -> None:
    proof = made(proofs.rebooted(episode(attested(CLEAN)), C1))

    assert proof.method is Method.REBOOTED
    assert proof.boot == OLD


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (replace(CLEAN, epoch=EPOCH - 1), "not_attested"),
        (replace(CLEAN, boot=OLD), "same_boot"),
        (replace(CLEAN, serial="serial-c2"), "other_machine"),
        (replace(CLEAN, signed=False), "gate_open"),
        (replace(CLEAN, gate_closed=False), "gate_open"),
        (replace(CLEAN, guests=1), "gate_open"),
        (replace(CLEAN, autostart=True), "gate_open"),
        (replace(CLEAN, resume_guests=True), "gate_open"),
    ],
    ids=["epoch", "boot", "serial", "unsigned", "open", "guest", "autostart", "resume"],
)
def test_rebooted_lacks_one_thing(said: Attestation, why: str) -> None:
    assert reason(proofs.rebooted(episode(attested(said)), C1)) == why


def test_nothing_attested_or_no_boot_known_proves_nothing() -> None:
    assert reason(proofs.rebooted(episode(), C1)) == "not_attested"
    assert reason(proofs.rebooted(episode(attested(CLEAN), record(boot=None)), C1)) == "same_boot"


# pacemaker.

FENCED = PacemakerFence(
    "cluster/c1/k1/17",
    succeeded=True,
    action="off",
    device=ROAD,
    is_off_on=False,
    by_confirmation=False,
    after_life=True,
)


@pytest.mark.parametrize(
    "fence", [FENCED, replace(FENCED, action="reboot", is_off_on=True)], ids=["off", "off, then on"]
)
def test_a_fence_of_pacemaker_proves_everything(fence: PacemakerFence) -> None:
    proof = made(proofs.pacemaker(episode(), C1, fence))

    assert proof.method is Method.PACEMAKER
    assert proof.covers.cpu


@pytest.mark.parametrize(
    ("fence", "why"),
    [
        (replace(FENCED, succeeded=False), "fence_failed"),
        (replace(FENCED, by_confirmation=True), "confirmation_is_human"),
        (replace(FENCED, device=""), "confirmation_is_human"),
        (replace(FENCED, after_life=False), "before_last_sign"),
        (replace(FENCED, action="reboot"), "not_off"),
        (replace(FENCED, device="fence_ninelives"), "unlisted_device"),
    ],
    ids=["failed", "confirmed", "no device", "older", "cycle", "unlisted"],
)
def test_pacemaker_lacks_one_thing(fence: PacemakerFence, why: str) -> None:
    assert reason(proofs.pacemaker(episode(), C1, fence)) == why


def test_one_fence_event_closes_one_episode_only() -> None:
    draft = episode(record(fences_used=(FENCED.key,)))

    assert reason(proofs.pacemaker(draft, C1, FENCED)) == "already_used"


def test_a_fence_by_a_device_that_nobody_drilled_proves_nothing() -> None:
    draft = episode(control(unverified=((C1, ROAD),)))

    assert reason(proofs.pacemaker(draft, C1, FENCED)) == "unlisted_device"


# human.

WORD = on.ConfirmedDead("ada", C1, "c1", EPOCH, "the LED is off, the cables are out")


def test_a_person_who_looked_proves_everything() -> None:
    proof = made(proofs.human(episode(), WORD))

    assert proof.method is Method.HUMAN
    assert "ada" in proof.evidence
    assert "LED" in proof.evidence


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (replace(WORD, typed="c"), "name_not_typed"),
        (replace(WORD, epoch=EPOCH - 1), "other_epoch"),
        (replace(WORD, looked_at=""), "nothing_looked_at"),
    ],
    ids=["name", "epoch", "looked"],
)
def test_human_lacks_one_thing(word: on.ConfirmedDead, why: str) -> None:
    assert reason(proofs.human(episode(), word)) == why


power_on = sees(power={ROAD: PowerSeen(Power.ON, NOW)})
AGAINST = (
    (plane(Sign.STRONG, MGMT, by=("k1",)), "a_plane_is_up"),
    (power_on, "power_reads_on"),
    (storage(watched=True), "storage_is_written"),
)


@pytest.mark.parametrize(("against", "why"), AGAINST, ids=[why for _, why in AGAINST])
def test_against_evidence_one_person_is_not_believed_but_two_are(
    against: Arrange, why: str
) -> None:
    draft = episode(against)

    assert reason(proofs.human(draft, WORD)) == why
    assert reason(proofs.human(draft, replace(WORD, second="ada"))) == why
    assert "grace" in made(proofs.human(draft, replace(WORD, second="grace"))).evidence


def test_a_device_that_failed_us_before_may_read_on_as_it_likes() -> None:
    assert made(proofs.human(episode(power_on, shots(refused=(ROAD,))), WORD)).covers.cpu
