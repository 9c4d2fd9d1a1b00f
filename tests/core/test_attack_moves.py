"""Attacks on moves: who else may hold a copy, what got no answer, who else rescues."""

from collections.abc import Iterable
from dataclasses import replace

from tests.core.arrangements import fresh, record
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import CEPH, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.elsewhere import domains_seen, follow_elsewhere
from ninelives.core.model import LOCAL, HostId, MoveRecord, Power, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.targets import unproved_writers

C1, C2, C3 = HostId("c1"), HostId("c2"), HostId("c3")


def live_migration(status: str = "running", source: str = "c1", target: str = "c2") -> MoveRecord:
    return MoveRecord(1, "live-migration", HostId(source), HostId(target), status)


def test_attack_2c_a_server_in_live_migration_moves_once_its_other_end_was_seen_without_it() -> (
    None
):
    cloud = CheckedCloud().started()
    cloud.add("web", "c1", task_state="migrating", records=(live_migration(),))
    cloud.answers[do.Evacuate] = settled

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    assert isinstance(cloud.move("web").state, at.Done)


def settled(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    found = list(answer_well(cloud, action))
    if isinstance(action, do.Evacuate):
        seen = cloud.servers[action.server]
        records = tuple(replace(r, status="error") if r.id == 1 else r for r in seen.records)
        cloud.change(action.server, task_state=None, records=records)
    return found


def test_attack_2c_it_is_not_evacuated_while_the_other_end_has_it_and_a_human_is_told() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1", task_state="migrating", records=(live_migration(),))
    cloud.answers[do.LookForDomain] = lambda cloud, action: (
        [on.DomainsSeen(action, tuple((host, True) for host in action.hosts))]
        if isinstance(action, do.LookForDomain)
        else []
    )

    cloud.kill("c1")
    cloud.run(600)

    assert not cloud.all_of(do.Evacuate)
    assert cloud.was_told("adopt:web")

    cloud.change("web", host=C2, task_state=None, records=(live_migration("completed"),))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert isinstance(cloud.move("web").state, at.Skipped)


def test_attack_2a_a_move_whose_target_died_goes_on_elsewhere_after_the_proof() -> None:
    cloud = CheckedCloud(site=small_site("c1 c2 c3 c4 c5 c6 c7 c8")).started()
    web = cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = target_dies

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 900)

    first, second = cloud.all_of(do.Evacuate)
    assert isinstance(first, do.Evacuate)
    assert isinstance(second, do.Evacuate)
    assert cloud.servers[web].host == second.target != first.target


def target_dies(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.Evacuate)
    del cloud.answers[do.Evacuate]
    record = MoveRecord(1, "evacuation", C1, action.target, "pre-migrating")
    cloud.change(action.server, records=(record,))
    cloud.kill(action.target)
    return [on.Replied(action, on.Outcome.DONE)]


def test_a_target_that_dies_before_the_start_hands_the_server_on_to_its_own_episode() -> None:
    cloud = CheckedCloud(site=small_site("c1 c2 c3 c4 c5 c6 c7 c8")).started()
    web = cloud.add("web", "c1")
    cloud.answers[do.StartServer] = dies_before_the_start
    cloud.answers[do.Evacuate] = rebuilt

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 900)
    cloud.run(300)

    first, second = cloud.all_of(do.Evacuate)
    assert isinstance(first, do.Evacuate)
    assert isinstance(second, do.Evacuate)
    assert (second.source, cloud.servers[web].host) == (first.target, second.target)
    assert cloud.servers[web].vm_state is VmState.ACTIVE  # Nova's "stopped" was nobody's wish


def dies_before_the_start(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.StartServer)
    if action.host not in cloud.alive or len(cloud.all_of(do.StartServer)) > 1:
        return answer_well(cloud, action)
    cloud.change(action.server, task_state="powering-on")
    cloud.kill(action.host)
    return [on.Replied(action, on.Outcome.DONE)]


def rebuilt(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.Evacuate)
    cloud.change(action.server, task_state=None)
    return answer_well(cloud, action)


def test_attack_3_an_evacuate_without_an_answer_is_looked_up_and_only_then_sent_again() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = lambda cloud, action: lost_once(cloud)

    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.Evacuate)), 60)
    sent_at = cloud.now
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 3000)

    first, second = cloud.all_of(do.Evacuate)
    assert isinstance(first, do.Evacuate)
    assert isinstance(second, do.Evacuate)
    assert first.target == second.target
    assert cloud.now - sent_at > cloud.policy.nova_settle_s


def lost_once(cloud: SmallCloud) -> Iterable[on.Event]:
    del cloud.answers[do.Evacuate]
    return []


def test_attack_3_a_lost_request_that_nova_took_is_followed_and_not_repeated() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = lambda cloud, action: [
        replace(event, outcome=on.Outcome.UNKNOWN)
        for event in answer_well(cloud, action)
        if isinstance(event, on.Replied)
    ]

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert len(cloud.all_of(do.Evacuate)) == 1


def test_what_the_last_look_turned_down_was_never_sent_and_costs_no_target() -> None:
    cloud = CheckedCloud(site=small_site("c1 c2")).started()
    web = cloud.add("web", "c1")
    turns = iter(["lease"] * 4)
    cloud.answers[do.Evacuate] = lambda cloud, action: (
        [on.Replied(action, on.Outcome.NOT_SENT, why)]
        if (why := next(turns, ""))
        else answer_well(cloud, action)
    )

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert cloud.servers[web].host == C2


def test_attack_20a_a_server_that_was_migrating_to_the_dead_host_is_not_evacuated() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c2", task_state="migrating", records=(live_migration("running", "c2", "c1"),))
    cloud.kill("c1")
    cloud.run(30)

    cloud.change("web", task_state=None, records=(live_migration("error", "c2", "c1"),))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert not cloud.all_of(do.Evacuate)
    assert isinstance(cloud.move("web").state, at.Skipped)


def test_attack_15_another_rescuers_evacuation_is_followed_and_started_not_doubled() -> None:
    cloud = CheckedCloud().started()
    record = MoveRecord(1, "evacuation", C1, C2, "pre-migrating")
    web = cloud.add("web", "c1", records=(record,))
    cloud.kill("c1")
    cloud.run(60)

    assert cloud.was_told("other_rescuer:web")

    cloud.change(
        "web",
        host=C2,
        vm_state=VmState.STOPPED,
        is_running=False,
        records=(replace(record, status="done"),),
    )
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    assert not cloud.all_of(do.Evacuate)
    assert cloud.servers[web].vm_state is VmState.ACTIVE


def test_attack_15_a_rescuer_that_comes_between_is_adopted_too() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.AskTargets] = lambda cloud, action: rescued_by_others(cloud)

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert not cloud.all_of(do.Evacuate)
    assert isinstance(cloud.move("web").state, at.Done)


def rescued_by_others(cloud: SmallCloud) -> Iterable[on.Event]:
    record = MoveRecord(9, "evacuation", C1, C2, "done")
    cloud.change("web", host=C2, records=(record,))
    return []


def test_an_agentless_host_that_was_only_cut_off_from_storage_is_never_let_in_by_itself() -> None:
    site = small_site(roads=(), revocable=frozenset({CEPH}), has_agent=False)
    cloud = CheckedCloud(site=site).started()
    cloud.add("web", "c1")
    cloud.isolate("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    cloud.run(120)
    cloud.wake_up("c1")
    cloud.written.discard(C1)
    cloud.run(600)

    assert not cloud.all_of(do.LiftRevocation)


def test_a_host_that_was_only_cut_off_from_storage_is_shot_until_it_is_off() -> None:
    cloud = CheckedCloud(site=small_site(revocable=frozenset({CEPH}))).started()
    cloud.add("web", "c1")
    cloud.answers[do.PowerOff] = lambda cloud, action: [
        on.Replied(action, on.Outcome.REFUSED, "no_session")
    ]
    cloud.isolate("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)
    del cloud.answers[do.PowerOff]

    cloud.until(lambda: cloud.power[C1] is Power.OFF, 300)

    assert cloud.revoked


def test_a_person_is_asked_for_the_proof_that_storage_alone_does_not_give() -> None:
    site = small_site(roads=(), revocable=frozenset({CEPH}))
    cloud = CheckedCloud(site=site).started()
    cloud.add("web", "c1", disks=(CEPH, LOCAL))
    cloud.isolate("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 300)
    assert not cloud.was_told("unfenceable")

    cloud.run(cloud.policy.unfenceable_after_s + 10)

    assert cloud.was_told("unfenceable")
    assert not cloud.all_of(do.Evacuate)


def test_who_was_seen_where_nova_names_it_lives_there_whatever_an_old_record_says() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c2", records=(live_migration(source="c1", target="c2"),))
    cloud.kill("c1")
    cloud.answers[do.LookForDomain] = runs_there

    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert isinstance(cloud.move("web").state, at.Skipped)
    assert not cloud.all_of(do.Evacuate)


def runs_there(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.LookForDomain)
    present = tuple((host, cloud.servers[action.server].host == host) for host in action.hosts)
    return [on.DomainsSeen(action, present)]


def test_an_accepted_evacuation_of_which_nova_lost_the_record_is_sent_there_again() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = forgotten

    cloud.kill("c1")
    cloud.until(lambda: len(cloud.all_of(do.Evacuate)) > 1, 900)
    sent_at = cloud.now
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    first, second = cloud.all_of(do.Evacuate)
    assert isinstance(first, do.Evacuate)
    assert isinstance(second, do.Evacuate)
    assert cloud.servers[web].host == second.target == first.target
    assert sent_at >= cloud.policy.nova_settle_s


def forgotten(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """A database failover takes back what the API had written."""
    del cloud.answers[do.Evacuate]
    return [on.Replied(action, on.Outcome.DONE)]


def test_who_only_passes_through_an_earlier_target_is_not_followed_there() -> None:
    draft = fresh()
    record(epoch=1, state=at.Evacuating(draft.now))(draft)
    web = ServerSeen(ServerId("web"), C2, VmState.ACTIVE, "migrating", True, disks=(CEPH,))
    move = replace(plan(draft, C1, web), named=(C2,))
    draft.put_move(move)

    follow_elsewhere(draft, move)
    assert isinstance(draft.moves_of(C1)[0].state, at.Skipped)

    follow_elsewhere(draft, replace(move, seen=replace(web, task_state=None)))
    assert isinstance(draft.moves_of(C1)[0].state, at.Verifying)


def test_who_was_followed_to_where_it_never_arrives_waits_for_its_turn_again() -> None:
    cloud = CheckedCloud().started()
    web = cloud.add("web", "c1", records=(MoveRecord(1, "evacuation", C1, C2, "accepted"),))
    cloud.kill("c1")
    cloud.run(60)
    assert isinstance(cloud.move("web").state, at.Verifying)

    cloud.change("web", records=())
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 900)

    assert len(cloud.all_of(do.Evacuate)) == 1
    assert cloud.servers[web].host != C1


def test_a_host_that_cannot_be_looked_at_any_more_was_not_seen_without_the_domain() -> None:
    draft = fresh()
    record(epoch=1, state=at.Evacuating(draft.now))(draft)
    web = ServerSeen(ServerId("web"), C1, VmState.ACTIVE, None, True, disks=(CEPH,))
    move = plan(draft, C1, web)
    look = do.LookForDomain(web.id, (C2,), 0)
    draft.put_move(replace(move, state=at.Sending(draft.now, C2), absent_on=frozenset({C2})))

    domains_seen(draft, on.DomainsSeen(look, ((C2, None),)))

    assert not draft.moves_of(C1)[0].absent_on


def test_a_look_that_is_answered_after_the_next_attempt_was_decided_still_forbids_it() -> None:
    """World 252 of seed s4c: our own shot landed between two looks, and between them and the send.

    A late answer never allows anything, though.
    """
    draft = fresh()
    record(epoch=1, state=at.Evacuating(draft.now))(draft)
    web = ServerSeen(ServerId("web"), C1, VmState.ACTIVE, None, True, disks=(CEPH,))
    move = replace(plan(draft, C1, web), writers=frozenset({C1, C2}), attempt=1)
    look = do.LookForDomain(web.id, (C1, C2), 0)
    draft.put_move(replace(move, state=at.Sending(draft.now, C3), absent_on=frozenset({C1})))

    domains_seen(draft, on.DomainsSeen(look, ((C1, None), (C2, False))))

    after = draft.moves_of(C1)[0]
    assert not after.absent_on
    assert unproved_writers(draft, after, C3) == (C1, C2)
