"""A move that nothing automatic can end any more is ended by a person's word."""

from collections.abc import Iterable
from dataclasses import replace

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import (
    EVERYTHING,
    Candidate,
    HostId,
    Method,
    MoveRecord,
    Power,
    Proof,
    ServerId,
)

C1, C3 = HostId("c1"), HostId("c3")
WEB = ServerId("web")


def stays_open(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """Let the target's nova-compute die alone in the middle of the rebuild."""
    assert isinstance(action, do.Evacuate)
    record = MoveRecord(1, "evacuation", C1, action.target, "pre-migrating")
    cloud.change(action.server, records=(record,), task_state="rebuild_spawning")
    return [on.Replied(action, on.Outcome.DONE)]


def test_a_rebuild_that_nobody_ends_is_given_up_once_it_was_told_and_signed_off() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = stays_open
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 120)
    cloud.tell(on.SignedOff("ada", WEB))
    cloud.run(cloud.policy.verify_timeout_s - 60)
    assert isinstance(cloud.move("web").state, at.Verifying)  # it may yet arrive

    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 200)

    assert isinstance(cloud.move("web").state, at.Skipped)
    assert len(cloud.all_of(do.Evacuate)) == 1


def starts_for_ever(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """Take up the start, and never end its task (world 1128 of seed day6)."""
    assert isinstance(action, do.StartServer)
    cloud.change(action.server, task_state="powering-on")
    return [on.Replied(action, on.Outcome.DONE)]


def test_a_start_that_nobody_ends_is_told_and_given_up_once_it_was_signed_off() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.StartServer] = starts_for_ever
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.StartServer)), 120)
    cloud.run(cloud.policy.verify_timeout_s - 60)
    assert not cloud.was_told("move_slow:web")

    cloud.until(lambda: cloud.was_told("move_slow:web"), 120)
    cloud.tell(on.SignedOff("ada", WEB))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert isinstance(cloud.move("web").state, at.Skipped)
    assert len(cloud.all_of(do.StartServer)) == 1


def led_back_unseen() -> SmallCloud:
    """C3 was proved off, is on again, and has no agent; the server was once sent there."""
    cloud = SmallCloud(site=small_site(has_agent=False)).started()
    cloud.add("web", "c1")
    cloud.answers[do.LookForDomain] = nobody_can_say
    proof = Proof(Method.POWER_OFF, C3, 1, 1, cloud.now, None, EVERYTHING, "off twice")
    state = at.Returning(cloud.now, at.Stage.LIFTING, cloud.now)
    draft = Draft(cloud.cluster, cloud.now)
    draft.put_host(at.Host(C3, 1, state, None, proofs=(proof,)))
    cloud.cluster.apply(draft.decision())
    cloud.tell(on.PowerRead(C3, cloud.site.hosts[C3].roads[0].id, Power.ON))
    return cloud


def nobody_can_say(_: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.LookForDomain)
    return [on.DomainsSeen(action, tuple((host, None) for host in action.hosts))]


def sent_to_c3(cloud: SmallCloud) -> None:
    move = cloud.move("web")
    cloud.cluster.moves[WEB] = replace(move, named=(*move.named, C3), writers=move.writers | {C3})


def test_who_needs_a_read_of_a_host_that_is_led_back_unseen_says_so_and_is_given_up() -> None:
    cloud = led_back_unseen()
    cloud.kill("c1")
    cloud.until(lambda: WEB in cloud.cluster.moves, 120)
    sent_to_c3(cloud)
    cloud.run(10)
    assert cloud.was_told("move_held:web:needs c3")

    cloud.tell(on.SignedOff("ada", WEB))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert isinstance(cloud.move("web").state, at.Skipped)


def test_a_start_that_would_be_turned_down_waits_says_so_and_is_given_up() -> None:
    cloud = led_back_unseen()
    cloud.answers[do.Evacuate] = meanwhile_sent_to_c3
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 120)
    cloud.run(120)
    assert cloud.was_told("move_held:web")
    assert isinstance(cloud.move("web").state, at.Starting)
    assert not any(isinstance(action, do.StartServer) for action, _ in cloud.turned_down)

    cloud.tell(on.SignedOff("ada", WEB))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), cloud.policy.verify_timeout_s)

    assert isinstance(cloud.move("web").state, at.Skipped)
    assert not cloud.all_of(do.StartServer)


def meanwhile_sent_to_c3(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    sent_to_c3(cloud)
    return answer_well(cloud, action)


def test_who_may_only_go_where_there_is_no_room_any_more_is_given_up() -> None:
    """World 185 of seed s4c: what was sent to c3 may still arrive, and c3 is full."""
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.AskTargets] = only_c2
    cloud.answers[do.Evacuate] = stays_open
    cloud.kill("c1")
    cloud.until(lambda: WEB in cloud.cluster.moves, 120)
    cloud.cluster.moves[WEB] = replace(cloud.move("web"), again=C3)
    cloud.run(30)
    assert cloud.was_told("move_held:web:needs_target")

    cloud.tell(on.SignedOff("ada", WEB))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert isinstance(cloud.move("web").state, at.Skipped)
    assert not cloud.all_of(do.Evacuate)


def only_c2(_: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.AskTargets)
    return [on.TargetsSeen(action, (Candidate(HostId("c2"), 9, sees_disk=True),))]
