"""A guest's resets are counted for a window, whoever leads, and a refused one is told."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.lastcheck import objection
from ninelives.core.left_copies import COPY_LEFT
from ninelives.core.model import BootId, GuestEnd, Health, HostId, ServerId, VmState
from ninelives.core.plan import plan

C1 = HostId("c1")
ENDED = GuestEnd(BootId("c1-boot1"), has_exited=True, is_unlocked=True)


def crashed(cloud: SmallCloud) -> ServerId:
    web = cloud.add("web", "c1")
    cloud.tell(on.GuestSeen(cloud.servers[web], C1, Health.DOWN, ENDED))
    cloud.run(1.0)
    return web


def test_a_guest_that_was_reset_is_forgotten_after_its_window() -> None:
    cloud = CheckedCloud().started()
    web = crashed(cloud)
    assert isinstance(cloud.cluster.moves[web].state, at.Mending)

    cloud.run(cloud.policy.guest_window_s + 1.0)

    assert web not in cloud.cluster.moves


def test_a_guest_that_was_reset_is_forgotten_by_a_new_leader_too() -> None:
    cloud = CheckedCloud().started()
    web = crashed(cloud)
    cloud.successor()
    assert isinstance(cloud.cluster.moves[web].state, at.Mending)

    cloud.run(cloud.policy.guest_window_s + 1.0)

    assert web not in cloud.cluster.moves


def test_a_reset_that_nova_refuses_is_told() -> None:
    cloud = CheckedCloud().started()
    cloud.answers[do.HardReboot] = refused

    web = crashed(cloud)

    assert do.Tell(web, "guest_reset_refused", 0) in cloud.all_of(do.Tell)


def refused(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    del cloud
    return [on.Replied(action, on.Outcome.REFUSED, "bad_state")]


@pytest.mark.parametrize("state", [VmState.PAUSED, VmState.SUSPENDED])
def test_who_rests_by_its_users_word_is_not_reset_though_something_else_was_done_last(
    state: VmState,
) -> None:
    """World 306 of seed ci: paused, then locked, and its process ended."""
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1")
    rests = replace(cloud.servers[web], vm_state=state, user_action="lock", is_running=False)

    cloud.tell(on.GuestSeen(rests, C1, Health.DOWN, ENDED))
    cloud.run(1.0)

    assert not cloud.all_of(do.HardReboot)


def test_what_was_paused_since_the_reset_was_decided_turns_it_down() -> None:
    cloud = CheckedCloud().started()
    web = crashed(cloud)
    reboot = cloud.all_of(do.HardReboot)[0]
    paused = replace(cloud.servers[web], vm_state=VmState.PAUSED, user_action="lock")

    assert objection(cloud.cluster, reboot, cloud.now, paused) == "will_changed"


def test_who_may_have_a_copy_left_elsewhere_is_not_reset_and_told() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1")
    draft = Draft(cloud.cluster, cloud.now)
    left = at.Skipped(cloud.now, COPY_LEFT)
    move = replace(plan(draft, C1, cloud.servers[web]), state=left)
    draft.put_move(replace(move, writers=frozenset({C1, HostId("c2")})))
    cloud.cluster.apply(draft.decision())

    cloud.tell(on.GuestSeen(cloud.servers[web], C1, Health.DOWN, ENDED))
    cloud.run(1.0)

    assert not cloud.all_of(do.HardReboot)
    assert do.Tell(web, "guest_held:copy_left", 0) in cloud.all_of(do.Tell)


def test_who_may_have_been_started_where_its_start_waited_is_not_reset() -> None:
    cloud = CheckedCloud(site=small_site(has_agent=False)).started()
    web = cloud.add("web", "c1")
    draft = Draft(cloud.cluster, cloud.now)
    draft.put_host(replace(draft.host(HostId("c2")), queued=(web,)))
    cloud.cluster.apply(draft.decision())

    cloud.tell(on.GuestSeen(cloud.servers[web], C1, Health.DOWN, ENDED))
    cloud.run(1.0)

    assert not cloud.all_of(do.HardReboot)
    assert do.Tell(web, "guest_held:copy_left", 0) in cloud.all_of(do.Tell)
