"""Nothing is opened to a host whose attested boot is not heard: its next boot may bring guests."""

import pytest
from tests.core.arrangements import NEW, NOW, fresh, off_read, record, sees, silent
from tests.core.small_cloud import CEPH, K1, PLANES, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.facts import Facts
from ninelives.core.lastcheck import objection
from ninelives.core.model import HostId
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.returning import look

C1 = HostId("c1")
OPENS = (do.LiftRevocation, do.StartCompute, do.OpenGate)


def quarantined() -> SmallCloud:
    """c1 came back too soon after it fell, attested its new boot, and must wait."""
    site = small_site(revocable=frozenset({CEPH}))
    cloud = SmallCloud(site=site, policy=Policy(quarantine_episodes=1)).started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 900)
    cloud.run(BALANCED.off_late_s)
    back(cloud, "c1-boot2")
    cloud.until(lambda: cloud.is_in("c1", at.Quarantined), 120)
    return cloud


def back(cloud: SmallCloud, boot: str) -> None:
    """Its storage goes on to shut it out."""
    cloud.wake_up("c1", boot)
    cloud.written.discard(C1)


def lost_from_sight(cloud: SmallCloud) -> None:
    """It goes down, and only one witness is left to miss it: nobody may call it down."""
    cloud.alive.discard(C1)
    cloud.written.discard(C1)
    cloud.tell(cloud.view(K1, C1))
    cloud.tell(on.Sighted(K1, (), tuple((plane, 0, 2) for plane in PLANES)))
    cloud.run(5.0)


def released(cloud: SmallCloud) -> None:
    cloud.tell(on.Released("ann", C1))
    cloud.run(60.0)


def opened(cloud: SmallCloud) -> list[do.Action]:
    return [each for each in cloud.all_of(*OPENS) if getattr(each, "host", "") == C1]


def test_a_quarantined_host_that_is_heard_is_let_in_when_it_is_released() -> None:
    cloud = quarantined()

    released(cloud)

    assert opened(cloud)


def test_a_quarantined_host_that_went_dark_is_let_in_to_nothing() -> None:
    cloud = quarantined()
    lost_from_sight(cloud)

    released(cloud)

    assert not opened(cloud)
    assert cloud.is_in("c1", at.Quarantined)


def test_its_next_boot_is_asked_to_attest_itself_before_anything_is_opened() -> None:
    cloud = quarantined()
    lost_from_sight(cloud)
    released(cloud)

    back(cloud, "c1-boot3")
    cloud.run(60.0)

    assert {getattr(each, "boot", "c1-boot3") for each in opened(cloud)} == {"c1-boot3"}


@pytest.mark.parametrize("stage", [at.Stage.LIFTING, at.Stage.COMPUTE])
def test_a_step_that_was_decided_does_not_go_out_to_a_silent_host(stage: at.Stage) -> None:
    cloud = quarantined()
    draft = Draft(cloud.cluster, cloud.now)
    boot = cloud.boots[C1]
    state = at.Returning(cloud.now, stage, cloud.now, boot)
    record = draft.host(C1)
    step: do.Action = do.LiftRevocation(C1, CEPH, record.epoch)
    if stage is at.Stage.COMPUTE:
        step = do.StartCompute(C1, record.epoch, boot, 0)
    cloud.cluster.hosts[C1] = at.Host(
        C1, record.epoch, state, record.boot, revocations=record.revocations
    )
    assert objection(cloud.cluster, step, cloud.now, None) == ""

    cloud.alive.discard(C1)
    cloud.tell(cloud.view(K1, C1))

    assert objection(cloud.cluster, step, cloud.now, None) == "boot_not_heard"


def leading_back() -> Draft:
    """c1 is led back, and one witness alone is left to miss it: nobody may call it down."""
    draft = fresh()
    record(epoch=1, state=at.Returning(NOW, at.Stage.LIFTING, NOW, NEW))(draft)
    sees(heard={}, strong_boot=None)(draft)
    silent(*PLANES, by=("k1",))(draft)
    assert not Facts(draft, C1).down
    return draft


def test_the_power_of_a_host_is_read_that_fell_silent_while_it_was_led_back() -> None:
    draft = leading_back()

    look(draft, C1, state_of(draft))

    assert do.ReadPower(C1, 1) in draft.actions
    assert isinstance(draft.host(C1).state, at.Returning)


def test_it_is_quarantined_when_that_reads_off_twice() -> None:
    """World 185 of seed s4c: who waited for a fresh read of it waited for ever."""
    draft = leading_back()
    off_read(NOW - 5.0, NOW)(draft)

    look(draft, C1, state_of(draft))

    assert isinstance(draft.host(C1).state, at.Quarantined)


def state_of(draft: Draft) -> at.Returning:
    state = draft.host(C1).state
    assert isinstance(state, at.Returning)
    return state
