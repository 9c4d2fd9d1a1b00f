"""What a set of proofs covers, and when it permits a start."""

from dataclasses import replace

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NOW,
    ROAD,
    STORAGE,
    TENANT,
    Arrange,
    both,
    off_read,
    plane,
    record,
    sees,
    storage,
)
from tests.core.small_cloud import CEPH, small_site
from tests.core.test_proofs import (
    CLEAN,
    REVOCABLE,
    WORD,
    asked,
    attested,
    episode,
    made,
    off_twice,
    our_off,
)

from ninelives.core import proofs
from ninelives.core import states as at
from ninelives.core.cluster import Heard, PowerSeen
from ninelives.core.draft import Draft
from ninelives.core.model import (
    EVERYTHING,
    LOCAL,
    BackendId,
    Method,
    Power,
    Proof,
    RoadId,
    Sign,
    Validity,
    WitnessId,
)
from ninelives.core.site import Road


def standing(*found: Proof, draft: Draft) -> at.Host:
    return replace(draft.host(C1), proofs=found)


def test_a_set_of_revocations_covers_the_disks_it_names_and_no_other() -> None:
    draft = episode(asked, storage(watched=False, revoked=True), **REVOCABLE)
    host = standing(made(proofs.storage_revoked(draft, C1, CEPH)), draft=draft)

    assert proofs.covers_disks(host, (CEPH,))
    assert not proofs.covers_disks(host, (CEPH, BackendId("other")))
    assert not proofs.covers_disks(host, (CEPH, LOCAL))
    assert not proofs.covers_disks(host, ())  # unknown disks need the cpu


def test_a_proof_that_does_not_stand_covers_nothing() -> None:
    draft = episode(our_off, off_twice)
    proof = replace(made(proofs.power_off(draft, C1)), validity=Validity.VOID)

    assert not proofs.covers_disks(standing(proof, draft=draft), (CEPH,))


def with_proof(method: str, *steps: Arrange, **site: object) -> Draft:
    draft = episode(our_off, off_twice, attested(CLEAN), **site)
    found = {
        "power": proofs.power_off(draft, C1),
        "human": proofs.human(draft, WORD),
        "boot": proofs.rebooted(draft, C1),
        "lease": leased(draft),
    }[method]
    assert isinstance(found, Proof)
    both(record(proofs=(found,)), sees(attested=None, strong_boot=None), *steps)(draft)
    return draft


def leased(draft: Draft) -> Proof:
    host = draft.host(C1)
    return Proof(Method.LEASE_EXPIRED, C1, host.epoch, 1, NOW, host.boot, EVERYTHING, "ran out")


OTHER_BOOT = sees(strong_boot=CLEAN.boot, strong_at=NOW + 1)


@pytest.mark.parametrize("method", ["lease", "human"])
def test_who_is_heard_after_it_is_another_boot_and_must_attest_itself(method: str) -> None:
    # World 547 of seed day10: a host reset itself, and its gate did not hold back its guests.
    heard = {MGMT: {WitnessId("k1"): Heard(Sign.STRONG, CLEAN.boot, NOW)}}
    is_up = both(OTHER_BOOT, sees(heard=heard))
    unclean = attested(replace(CLEAN, guests=1))

    assert proofs.permits_start(with_proof(method), C1)
    assert not proofs.permits_start(with_proof(method, is_up), C1)
    assert not proofs.permits_start(with_proof(method, is_up, unclean), C1)
    assert proofs.permits_start(with_proof(method, is_up, attested(CLEAN)), C1)
    # Nothing speaks of that boot, when it falls silent in its turn.
    assert not proofs.permits_start(with_proof(method, OTHER_BOOT, unclean), C1)


def test_who_answers_pings_after_its_lease_attests_itself_first() -> None:
    pinged = plane(Sign.WEAK, TENANT, by=("k1",))

    assert not proofs.permits_start(with_proof("lease", pinged), C1)
    # A person looked at more than its pings.
    assert proofs.permits_start(with_proof("human", pinged), C1)


def test_the_word_of_a_person_after_that_boot_is_about_it() -> None:
    word_of_later = sees(strong_boot=CLEAN.boot, strong_at=NOW - 60)

    assert proofs.permits_start(with_proof("human", word_of_later), C1)


def read(power: Power, ago_s: float) -> Arrange:
    return sees(power={ROAD: PowerSeen(power, NOW - ago_s)})


@pytest.mark.parametrize(
    ("steps", "permits"),
    [
        (read(Power.OFF, 5.0), True),
        (read(Power.OFF, 5.1), False),
        (read(Power.ON, 0.0), False),
        (read(Power.UNREADABLE, 0.0), False),
        (both(read(Power.ON, 0.0), attested(CLEAN)), True),
        (both(read(Power.ON, 0.0), attested(replace(CLEAN, guests=1))), False),
        (both(read(Power.OFF, 0.0), record(zombie_risk="it woke")), False),
        (both(read(Power.OFF, 0.0), plane(Sign.STRONG, TENANT, by=("k1",))), False),
    ],
    ids=["fresh", "stale", "on", "unknown", "gate", "guest", "risk", "alive"],
)
def test_a_power_proof_permits_a_start_only_while_it_is_looked_after(
    steps: Arrange, permits: bool
) -> None:
    assert proofs.permits_start(with_proof("power", steps), C1) is permits


OUTLET = Road(RoadId("pdu-c1"), level=2, address="pdu-c1", kind="pdu")


@pytest.mark.parametrize(
    ("machine", "outlet", "permits"),
    [
        ((Power.UNREADABLE, 0.0), (Power.OFF, 2.0), True),
        ((Power.ON, 0.5), (Power.OFF, 2.0), False),
        ((Power.ON, 3.0), (Power.OFF, 2.0), True),
        ((Power.OFF, 2.0), (Power.ON, 0.5), True),
    ],
    ids=["fed by the outlet", "on since", "read off since", "an outlet may be on"],
)
def test_an_outlet_that_read_off_permits_nothing_once_the_machine_reads_on(
    machine: tuple[Power, float], outlet: tuple[Power, float], permits: bool
) -> None:
    bmc = small_site().hosts[C1].roads[0]
    now = {ROAD: machine, OUTLET.id: outlet}
    power = {road: PowerSeen(said, NOW - ago_s) for road, (said, ago_s) in now.items()}

    draft = with_proof("power", sees(power=power), roads=(bmc, OUTLET))

    assert proofs.permits_start(draft, C1) is permits


def test_a_new_boot_permits_starts_only_while_its_gate_is_attested() -> None:
    open_gate = attested(replace(CLEAN, gate_closed=False))

    assert proofs.permits_start(with_proof("boot", attested(CLEAN)), C1)
    assert not proofs.permits_start(with_proof("boot", open_gate), C1)
    assert not proofs.permits_start(with_proof("boot"), C1)


@pytest.mark.parametrize(("allowed", "permits"), [(True, True), (False, False)])
def test_a_storage_proof_leaves_the_network_to_policy(allowed: bool, permits: bool) -> None:
    alive = plane(Sign.STRONG, MGMT, STORAGE, TENANT, by=("k1",))
    draft = episode(asked, storage(watched=False, revoked=True), **REVOCABLE)
    proof = made(proofs.storage_revoked(draft, C1, CEPH))
    both(record(proofs=(proof,)), alive)(draft)
    draft.cluster.policy = replace(draft.cluster.policy, starts_without_network_proof=allowed)

    assert proofs.permits_start(draft, C1) is permits


def test_without_any_proof_nothing_starts() -> None:
    assert not proofs.permits_start(episode(), C1)


@pytest.mark.parametrize("was_on", [True, False])
def test_a_host_that_reads_off_and_answers_pings_has_perhaps_another_ones_device(
    was_on: bool,
) -> None:
    # World 104 of seed h2m: a hung host, whose device cut the power of one that was dark already.
    # World 2200 of seed day10: that one was off when the device was first read.
    shot = both(record(was_on=was_on), off_read(NOW - 60, NOW))

    assert proofs.permits_start(with_proof("power", shot), C1)

    pinged = with_proof("power", both(shot, plane(Sign.WEAK, TENANT, by=("k1",))))

    assert not proofs.permits_start(pinged, C1)
    assert proofs.answers_though_off(pinged, C1)
