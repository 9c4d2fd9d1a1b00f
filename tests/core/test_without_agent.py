"""A host without an agent: what its record at Nova, its storage and its power say (ADR 29)."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NOW,
    STORAGE,
    TENANT,
    both,
    fresh,
    off_read,
    plane,
    record,
    silent,
    storage,
)
from tests.core.small_cloud import CEPH, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.brakes import Brake, holding
from ninelives.core.draft import Draft
from ninelives.core.evidence import saw
from ninelives.core.facts import Facts
from ninelives.core.host import look
from ninelives.core.model import BackendId, HostId, Power, Sign, WitnessId
from ninelives.core.rules import judge
from ninelives.core.states import Class

NFS = BackendId("nfs")
PINGS = plane(Sign.WEAK, MGMT, STORAGE, TENANT)


def reports(has_advanced: bool) -> on.NovaSeen:
    return on.NovaSeen(C1, True, has_advanced, forced_down=False, disabled=False, is_ours=True)


def bare() -> Draft:
    """A host that answers pings on every plane, and no more."""
    draft = fresh(has_agent=False)
    PINGS(draft)
    return draft


def stood_still(draft: Draft, for_s: float) -> None:
    """Let its record advance, and stand still since then."""
    now, draft.now = draft.now, NOW - for_s
    saw(draft, reports(has_advanced=True))
    saw(draft, reports(has_advanced=False))
    draft.now = now


def test_pings_and_an_advancing_record_are_all_that_it_can_give() -> None:
    draft = bare()
    assert not Facts(draft, C1).all_up

    saw(draft, reports(has_advanced=True))

    assert Facts(draft, C1).all_up
    assert judge(draft, C1).cls is Class.FINE


def test_with_an_agent_pings_and_a_record_are_not_enough() -> None:
    draft = fresh()
    PINGS(draft)

    saw(draft, reports(has_advanced=True))

    assert not Facts(draft, C1).all_up


def test_a_host_that_was_never_seen_alive_is_taken_into_care_by_its_record() -> None:
    draft = bare()
    record(state=at.Unknown())(draft)
    saw(draft, reports(has_advanced=True))

    look(draft, C1)

    assert isinstance(draft.host(C1).state, at.Healthy)


@pytest.mark.parametrize("watched", [True, None])
def test_a_record_that_stands_still_is_nova_compute_while_storage_does_not_deny_it(
    watched: bool | None,
) -> None:
    draft = bare()
    stood_still(draft, for_s=600.0)
    storage(watched)(draft)

    assert judge(draft, C1).cls is Class.NOVA_COMPUTE


@pytest.mark.parametrize(("for_s", "cls"), [(59.0, Class.NOVA_COMPUTE), (60.0, Class.HUNG)])
def test_it_hangs_when_pings_alone_came_for_long_and_nobody_writes(
    for_s: float, cls: Class
) -> None:
    draft = bare()
    stood_still(draft, for_s)
    storage(watched=False)(draft)

    assert judge(draft, C1).cls is cls


def test_a_record_that_stands_still_makes_no_plane_down() -> None:
    draft = fresh(has_agent=False)
    silent(MGMT, STORAGE, TENANT, by=("k1",))(draft)
    stood_still(draft, for_s=600.0)

    assert not Facts(draft, C1).down


def test_a_host_that_reports_and_writes_is_not_shot_though_nobody_can_ping_it() -> None:
    draft = fresh(has_agent=False)
    both(silent(MGMT, STORAGE, TENANT), storage(watched=True))(draft)
    saw(draft, reports(has_advanced=True))

    assert judge(draft, C1).cls is Class.DEAD_OR_FROZEN
    assert holding(draft, C1, Class.DEAD_OR_FROZEN) is Brake.LIFE


@pytest.mark.parametrize(("watched", "brake"), [(None, Brake.LIFE), (False, None)])
def test_a_host_that_reports_is_not_shot_before_storage_says_that_nobody_there_writes(
    watched: bool | None, brake: Brake | None
) -> None:
    draft = fresh(has_agent=False)
    silent(STORAGE, TENANT)(draft)
    saw(draft, reports(has_advanced=True))
    assert holding(draft, C1, Class.DEAD_OR_FROZEN) is Brake.LIFE

    storage(watched)(draft)

    assert holding(draft, C1, Class.DEAD_OR_FROZEN) is brake


def test_that_the_backend_we_shut_it_out_of_sees_it_no_more_does_not_speak_for_the_other() -> None:
    # Swarm s4a/237: an undone fence left `ceph` revoked, and `nfs` answered just after the shot.
    draft = fresh(has_agent=False, backends=(CEPH, NFS))
    silent(STORAGE, TENANT)(draft)
    saw(draft, reports(has_advanced=True))

    saw(draft, on.StorageSeen(C1, CEPH, watched=False, revoked=True))
    before = holding(draft, C1, Class.DEAD_OR_FROZEN)
    saw(draft, on.StorageSeen(C1, NFS, watched=False, revoked=False))

    assert (before, holding(draft, C1, Class.DEAD_OR_FROZEN)) == (Brake.LIFE, None)


@pytest.mark.parametrize(("since_s", "lies"), [(31.0, False), (33.0, True)])
def test_a_record_written_just_before_the_end_makes_no_liar_of_the_bmc(
    since_s: float, lies: bool
) -> None:
    draft = fresh(has_agent=False)
    both(silent(STORAGE, TENANT), off_read(NOW - since_s, NOW))(draft)
    saw(draft, reports(has_advanced=True))

    assert Facts(draft, C1).oob_lies is lies


# Played.


def played() -> SmallCloud:
    """A cloud without agents, of which c1 died and is vacated."""
    cloud = SmallCloud(site=small_site(has_agent=False)).started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 120)
    return cloud


def test_a_record_that_grows_again_contradicts_the_proof() -> None:
    cloud = played()

    cloud.tell(reports(has_advanced=True))

    assert cloud.host("c1").zombie_risk


def test_one_that_is_vacated_and_switched_on_again_is_led_back_without_a_gate() -> None:
    cloud = played()
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)
    cloud.run(120)
    cloud.power[C1] = Power.ON
    cloud.tell(pings(cloud))
    cloud.run(10)
    assert cloud.is_in("c1", at.Returning)

    cloud.answers[do.ForceUp] = lambda _, action: [on.Replied(action, on.Outcome.DONE)]
    cloud.tell(reports(has_advanced=True))
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 1200)

    assert not cloud.host("c1").zombie_risk
    assert not cloud.all_of(do.StartCompute, do.OpenGate)
    assert cloud.all_of(do.ForceUp)


def test_one_that_reports_while_its_power_reads_off_contradicts_also_when_vacated() -> None:
    cloud = played()
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    cloud.tell(reports(has_advanced=True))

    assert cloud.host("c1").zombie_risk


def test_a_person_is_told_when_its_nova_compute_does_not_come() -> None:
    cloud = played()
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)
    cloud.run(120)
    cloud.power[C1] = Power.ON
    cloud.tell(pings(cloud))

    cloud.run(90)

    assert cloud.was_told("nova_compute_silent")
    assert not cloud.all_of(do.ForceUp)


def pings(cloud: SmallCloud) -> on.Sighted:
    """Return what a witness has of c1, once it answers pings again."""
    changes = [on.Change(C1, each, Sign.WEAK) for each in cloud.site.hosts[C1].planes]
    return on.Sighted(WitnessId("k1"), tuple(changes))


def test_a_server_that_needs_a_look_no_agent_can_take_is_given_up_by_sign_off() -> None:
    cloud = SmallCloud(site=small_site(has_agent=False)).started()
    web = cloud.add("web", "c1", disks=())
    cloud.answers[do.LookForDomain] = nobody_can_say
    cloud.kill("c1")
    cloud.until(lambda: "web" in cloud.cluster.moves, 120)
    move = cloud.move("web")
    cloud.cluster.moves[web] = replace(move, writers=move.writers | {HostId("c2")})
    cloud.run(10)
    assert isinstance(cloud.move("web").state, at.Planned)

    cloud.tell(on.SignedOff("ada", web))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert isinstance(cloud.move("web").state, at.Skipped)


def nobody_can_say(_: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.LookForDomain)
    return [on.DomainsSeen(action, tuple((host, None) for host in action.hosts))]
