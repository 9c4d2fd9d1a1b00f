"""A person's word on one outage: what it changes, how long it holds, and when it is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.consent import mode_of
from ninelives.core.draft import Draft
from ninelives.core.episode import begin
from ninelives.core.lastcheck import objection
from ninelives.core.model import HostId, Mode

C1 = HostId("c1")


def proposed(mode: Mode = Mode.PROPOSE) -> SmallCloud:
    """c1 is dark; what is to be done waits for a person where the mode is no `act`."""
    cloud = SmallCloud().started()
    cloud.add("web", "c1")
    cloud.tell(on.ModeSet("ann", mode))
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Held))
    return cloud


def approve(cloud: SmallCloud, reason: str = "its rack is dark", later: int = 0) -> None:
    cloud.tell(on.IncidentApproved("ann", C1, cloud.host("c1").epoch + later, reason))


def hold(cloud: SmallCloud) -> None:
    cloud.tell(on.IncidentHeld("ann", C1, cloud.host("c1").epoch, "it burns"))


def last_word(cloud: SmallCloud) -> str:
    said = [note for _, note in cloud.notes if note.what in ("order.taken", "order.refused")]
    return f"{said[-1].what} {said[-1].why}"


def mode(cloud: SmallCloud) -> Mode:
    return mode_of(Draft(cloud.cluster, cloud.now), C1)


def test_an_approved_outage_is_carried_through_and_nothing_left_before() -> None:
    cloud = proposed()
    cloud.run(100.0)
    assert not [each for each in cloud.done if not isinstance(each, (*do.READS, do.Tell))]

    approve(cloud)

    cloud.until(lambda: cloud.is_in("c1", at.Vacated))
    assert any(isinstance(each, do.Evacuate) for each in cloud.done)


def test_whoever_is_asked_hears_what_for() -> None:
    cloud = proposed()

    told = [each.detail for each in cloud.done if isinstance(each, do.Tell)]

    assert any("asks for leave to fence it" in detail for detail in told)


REFUSED: tuple[tuple[str, Mode, Callable[[SmallCloud], None]], ...] = (
    ("other_epoch", Mode.PROPOSE, lambda cloud: approve(cloud, later=1)),
    ("unnamed", Mode.PROPOSE, lambda cloud: approve(cloud, reason=" ")),
    ("mode", Mode.OBSERVE, approve),
)


@pytest.mark.parametrize(("reason", "mode", "order"), REFUSED, ids=[each[0] for each in REFUSED])
def test_leave_is_refused_by_name(
    reason: str, mode: Mode, order: Callable[[SmallCloud], None]
) -> None:
    cloud = proposed(mode)

    order(cloud)

    assert last_word(cloud) == f"order.refused {reason}"
    assert cloud.cluster.control.consents == ()


@pytest.mark.parametrize("kind", [on.IncidentApproved, on.IncidentHeld])
def test_nothing_is_said_of_an_incident_that_is_over(
    kind: type[on.IncidentApproved | on.IncidentHeld],
) -> None:
    cloud = SmallCloud().started()

    cloud.tell(kind("ann", C1, cloud.host("c1").epoch, "late"))

    assert last_word(cloud) == "order.refused no_episode"


def test_leave_outlives_a_new_look_at_the_same_outage_but_not_the_next_outage() -> None:
    cloud = proposed()
    approve(cloud)
    record = cloud.host("c1")
    draft = Draft(cloud.cluster, cloud.now)

    draft.put_host(replace(record, state=at.Held(cloud.now, "storm", at.Class.HUNG)))
    begin(draft, C1, at.Class.HUNG, "R8a")
    assert mode_of(draft, C1) is Mode.ACT

    draft.put_host(replace(record, state=at.Healthy(cloud.now)))
    begin(draft, C1, at.Class.HUNG, "R8a")
    assert mode_of(draft, C1) is Mode.PROPOSE


def test_leave_says_nothing_of_a_host_that_is_well_but_lets_its_undoing_out() -> None:
    cloud = proposed()
    approve(cloud)
    epoch = cloud.host("c1").epoch
    cloud.cluster.hosts[C1] = replace(cloud.host("c1"), state=at.Healthy(cloud.now))

    assert mode(cloud) is Mode.PROPOSE
    assert objection(cloud.cluster, do.Enable(C1, epoch), cloud.now, None) == ""
    assert objection(cloud.cluster, do.ForceUp(C1, epoch, 0), cloud.now, None) == "mode"


def test_in_observe_not_even_an_undoing_goes_out_by_leave() -> None:
    cloud = proposed()
    approve(cloud)
    epoch = cloud.host("c1").epoch
    cloud.cluster.hosts[C1] = replace(cloud.host("c1"), state=at.Healthy(cloud.now))

    cloud.tell(on.ModeSet("ann", Mode.OBSERVE))

    assert objection(cloud.cluster, do.Enable(C1, epoch), cloud.now, None) == "mode"


def test_a_hold_keeps_an_outage_back_where_everything_may_act() -> None:
    cloud = SmallCloud().started()
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Suspect))

    hold(cloud)

    cloud.run(300.0)
    assert cloud.is_in("c1", at.Held)
    assert not any(isinstance(each, do.PowerOff) for each in cloud.done)
    approve(cloud)
    cloud.until(lambda: cloud.is_in("c1", at.Fenced, at.Evacuating, at.Vacated))


def test_a_hold_ends_when_all_is_well() -> None:
    cloud = SmallCloud().started()
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Suspect))
    hold(cloud)
    cloud.run(30.0)

    cloud.wake_up("c1", "c1-boot1")

    cloud.until(lambda: cloud.is_in("c1", at.Healthy))
    assert cloud.cluster.control.consents == ()
    assert mode(cloud) is Mode.ACT
