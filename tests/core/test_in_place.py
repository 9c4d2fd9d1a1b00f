"""A server is brought back at home only where nobody else can hold a copy of it."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh, record, sees, silent
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Heard
from ninelives.core.draft import Draft
from ninelives.core.in_place import restart_in_place
from ninelives.core.lastcheck import objection
from ninelives.core.model import (
    EVERYTHING,
    BootId,
    HostId,
    Method,
    MoveRecord,
    Plane,
    Proof,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.moves import watched
from ninelives.core.protection import Promise

C2 = HostId("c2")
NEW = BootId("c1-boot2")


def left_behind() -> Draft:
    """Web waits at c1, which is led back; it was sent to c2, which was proved off since."""
    draft = fresh()
    record(state=at.Returning(NOW, at.Stage.RESTARTING, NOW, NEW), epoch=1)(draft)
    heard = {Plane.MANAGEMENT: {WitnessId("k1"): Heard(Sign.STRONG, NEW, NOW)}}
    sees(strong_boot=NEW, heard=heard)(draft)
    proof = Proof(Method.POWER_OFF, C2, 1, 1, NOW - 60, None, EVERYTHING, "bmc-c2 off twice")
    record("c2", state=at.Vacated(NOW - 30), epoch=1, proofs=(proof,))(draft)
    seen = ServerSeen(ServerId("web"), C1, VmState.ACTIVE, None, is_running=True, disks=(CEPH,))
    waits, running = at.WaitingForHost(NOW - 60, "no_target"), at.Will.RUNNING
    move = at.Move(seen.id, C1, 1, waits, seen, Promise(), ran=True, will=running, attempt=1)
    draft.put_move(replace(move, writers=frozenset({C1, C2})))
    return draft


def test_a_copy_that_was_proved_dead_long_ago_is_looked_at_before_the_reboot() -> None:
    draft = left_behind()

    assert not restart_in_place(draft, C1)

    kinds = [type(action) for action in draft.actions]
    assert do.HardReboot not in kinds
    assert do.ReadPower(C2, 1) in draft.actions
    assert do.LookForDomain(ServerId("web"), (C2,), 1) in draft.actions
    assert do.Tell not in kinds


def test_who_waits_for_such_a_look_for_long_is_told_of() -> None:
    draft = left_behind()
    draft.now = NOW + draft.policy(C1).look_again_s

    restart_in_place(draft, C1)

    assert do.Tell(C1, "move_held:web", 1, "needs c2") in draft.actions


def test_a_copy_that_was_seen_absent_holds_nobody() -> None:
    draft = left_behind()
    move = draft.move(ServerId("web"))
    assert move is not None
    draft.put_move(replace(move, absent_on=frozenset({C2})))

    restart_in_place(draft, C1)

    assert do.HardReboot in [type(action) for action in draft.actions]


def test_nobody_is_rebooted_on_a_host_that_fell_silent() -> None:
    draft = left_behind()
    move = draft.move(ServerId("web"))
    assert move is not None
    draft.put_move(replace(move, absent_on=frozenset({C2})))
    silent(Plane.MANAGEMENT)(draft)

    assert not restart_in_place(draft, C1)

    assert do.HardReboot not in [type(action) for action in draft.actions]


def test_a_reboot_that_was_decided_does_not_leave_once_its_host_is_silent() -> None:
    draft = left_behind()
    reboot = do.HardReboot(ServerId("web"), C1, 1, 1)
    move = draft.move(reboot.server)
    assert move is not None
    draft.put_move(replace(move, absent_on=frozenset({C2})))
    cluster = draft.cluster
    cluster.apply(draft.decision())
    assert objection(cluster, reboot, NOW, move.seen) == ""

    silent(Plane.MANAGEMENT)(draft)

    cluster.apply(draft.decision())
    assert objection(cluster, reboot, NOW, move.seen) == "boot_not_attested"


@pytest.mark.parametrize(("word", "ends"), [("stop", at.Done), ("start", at.WaitingForHost)])
def test_whoever_stopped_it_before_is_asked_again_once_its_host_is_back(
    word: str, ends: type
) -> None:
    """Found by the swarm (world 48 of seed hamb): stopped while dead, started while it booted."""
    draft = left_behind()
    move = draft.move(ServerId("web"))
    assert move is not None
    stopped = replace(move.seen, user_action="stop", task_state="powering-off")
    draft.put_move(replace(move, seen=stopped, absent_on=frozenset({C2})))

    assert not restart_in_place(draft, C1)
    assert do.HardReboot not in [type(action) for action in draft.actions]

    look = do.Watch(C1, 1, (move.server,))
    assert look in draft.actions
    now = replace(move.seen, user_action=word, vm_state=VmState.STOPPED)
    watched(draft, on.Watched(look, (now,)))

    is_settled = restart_in_place(draft, C1)
    after = draft.move(move.server)
    assert after is not None
    assert isinstance(after.state, ends)
    assert is_settled == (ends is at.Done)
    assert (do.HardReboot in [type(action) for action in draft.actions]) == (not is_settled)


def test_a_stop_that_somebody_s_evacuate_covers_is_still_its_user_s_last_word() -> None:
    """Found by the swarm (world 41 of seed s6): a rescuer's failed evacuate came after the stop."""
    draft = left_behind()
    move = draft.move(ServerId("web"))
    assert move is not None
    look = do.Watch(C1, 1, (move.server,))
    stopped = replace(move.seen, user_action="stop", task_state="powering-off")
    covered = replace(move.seen, user_action="evacuate", vm_state=VmState.ERROR)
    draft.put_move(replace(move, absent_on=frozenset({C2})))
    returning = draft.host(C1)
    draft.put_host(replace(returning, state=at.Vacated(draft.now)))
    watched(draft, on.Watched(look, (stopped,)))
    draft.put_host(returning)
    watched(draft, on.Watched(look, (covered,)))

    restart_in_place(draft, C1)

    assert do.HardReboot not in [type(action) for action in draft.actions]


def test_a_task_of_nova_s_that_passes_is_no_word_of_its_user() -> None:
    draft = left_behind()
    move = draft.move(ServerId("web"))
    assert move is not None
    look = do.Watch(C1, 1, (move.server,))

    watched(draft, on.Watched(look, (replace(move.seen, task_state="powering-off"),)))

    after = draft.move(move.server)
    assert after is not None
    assert after.will is at.Will.RUNNING


def taken_on(vm_state: VmState, *absent: HostId) -> Draft:
    """Another rescuer took web on to c3; the live migration to c4 of before stays open at Nova."""
    draft = left_behind()
    open_one = MoveRecord(25, "live-migration", C1, HostId("c4"), "preparing")
    theirs = MoveRecord(26, "evacuation", C1, HostId("c3"), "completed")
    move = draft.move(ServerId("web"))
    assert move is not None
    seen = replace(move.seen, host=HostId("c3"), vm_state=vm_state, records=(open_one, theirs))
    draft.put_move(replace(move, seen=seen, absent_on=frozenset(absent)))
    return draft


def test_who_was_taken_on_and_does_not_run_there_is_not_forgotten_for_an_open_record() -> None:
    # World 2354 of seed day10.
    draft = taken_on(VmState.STOPPED)

    assert not restart_in_place(draft, C1)

    assert do.LookForDomain(ServerId("web"), (HostId("c4"),), 1) in draft.actions
    assert [each.what for each in draft.actions if isinstance(each, do.Tell)] == ["move_held:web"]


def test_once_the_other_end_of_that_record_was_seen_it_waits_for_the_look_that_follows_it() -> None:
    draft = taken_on(VmState.STOPPED, HostId("c4"))

    assert not restart_in_place(draft, C1)


def test_who_was_taken_on_and_runs_there_needs_nothing_more() -> None:
    assert restart_in_place(taken_on(VmState.ACTIVE), C1)
