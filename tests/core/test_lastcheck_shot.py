"""The last look before a shot: whom it was meant for may be gone by then."""

import pytest
from tests.core.arrangements import (
    NOW,
    ROAD,
    Arrange,
    both,
    control,
    dark,
    fresh,
    maintained,
    record,
    sees,
)
from tests.core.small_cloud import K1, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, PowerSeen, Sights, Views
from ninelives.core.draft import restored
from ninelives.core.lastcheck import objection
from ninelives.core.model import (
    EVERYTHING,
    Attestation,
    BackendId,
    BootId,
    HostId,
    Method,
    Power,
    Proof,
    RoadId,
)
from ninelives.core.policy import BALANCED
from ninelives.core.proofs import shut_out_of
from ninelives.core.states import Class

C1, CEPH = HostId("c1"), BackendId("ceph")
OFF = do.PowerOff(C1, RoadId("bmc-c1"), 1, 1)
DEAD = Proof(Method.POWER_OFF, C1, 1, 1, 0.0, BootId("old"), EVERYTHING, "off twice")
SITE = small_site("c1 c2")


def vacated(*, guests: int) -> Cluster:
    """c1 died, was switched on before our off left, and attests its new boot."""
    hosts = (
        at.Host(C1, epoch=1, state=at.Vacated(0.0), boot=BootId("old"), proofs=(DEAD,)),
        at.Host(HostId("c2"), state=at.Healthy(0.0)),
    )
    cluster = restored(SITE, BALANCED, Control(), hosts, (), ())
    witnesses = frozenset(name for host in SITE.hosts.values() for name in host.witnesses)
    cluster.views = Views(1, K1, 0.0, witnesses=witnesses)
    said = Attestation(BootId("new"), 1, "serial-c1", True, True, guests, False, False)
    cluster.sights[C1] = Sights(C1, attested=on.Attested(C1, said), strong_boot=BootId("new"))
    return cluster


def test_an_off_that_was_meant_for_the_old_boot_spares_the_new_one() -> None:
    assert objection(vacated(guests=0), OFF, 1.0, None) == "new_boot"


def test_a_boot_that_came_back_with_guests_is_shot_again() -> None:
    assert objection(vacated(guests=1), OFF, 1.0, None) == ""


FENCED_AS_OFF = at.Fencing(NOW, Class.DEAD_POWER)
COUNTED = control(shots=((NOW, C1),))


@pytest.mark.parametrize(
    ("power", "step", "expected"),
    [
        (Power.OFF, None, ""),  # nobody is shot
        (Power.ON, None, "not_counted"),
        (Power.ON, COUNTED, ""),
    ],
)
def test_who_reads_on_by_now_is_counted_before_it_is_shot(
    power: Power, step: Arrange | None, expected: str
) -> None:
    draft = fresh()
    read = sees(power={ROAD: PowerSeen(power, NOW)})
    both(dark, read, record(epoch=1, state=FENCED_AS_OFF))(draft)
    if step is not None:
        step(draft)
    draft.cluster.apply(draft.decision())

    assert objection(draft.cluster, do.PowerOff(C1, ROAD, 1, 1), NOW, None) == expected


REVOKED = Proof(Method.STORAGE_REVOKED, C1, 1, 1, NOW, BootId("old"), shut_out_of(CEPH), "in force")


@pytest.mark.parametrize(("power", "expected"), [(Power.OFF, ""), (Power.ON, "not_counted")])
def test_who_reads_off_is_proved_off_also_once_its_storage_was_proved(
    power: Power, expected: str
) -> None:
    # The shot spent its own two reads: were they wanted again, a storm would hold it for ever.
    draft = fresh()
    read = sees(power={ROAD: PowerSeen(power, NOW)})
    both(dark, read, record(epoch=1, state=at.Evacuating(NOW), proofs=(REVOKED,)))(draft)
    draft.cluster.apply(draft.decision())

    assert objection(draft.cluster, do.PowerOff(C1, ROAD, 1, 1), NOW, None) == expected


@pytest.mark.parametrize(
    ("counted", "expected"), [(((NOW, C1),), "maintenance"), ((), "")], ids=["counted", "off twice"]
)
@pytest.mark.parametrize("state", [at.Evacuating(NOW), FENCED_AS_OFF])
def test_one_read_of_off_does_not_take_a_counted_shot_past_the_maintenance_set_meanwhile(
    counted: tuple[tuple[float, HostId], ...], expected: str, state: at.HostState
) -> None:
    # Found by the swarm, seed day5/172: people had begun to work on the host in that second.
    draft = fresh()
    read = sees(power={ROAD: PowerSeen(Power.OFF, NOW)})
    sent = (at.Shot(ROAD, attempt=1, sent_at=NOW, is_open=True),)
    both(dark, read, record(epoch=1, state=state, proofs=(REVOKED,), shots=sent))(draft)
    both(control(shots=counted), maintained(is_power_job=True))(draft)
    draft.cluster.apply(draft.decision())

    assert objection(draft.cluster, do.PowerOff(C1, ROAD, 1, 1), NOW, None) == expected
