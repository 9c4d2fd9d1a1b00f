"""The ground truth of the simulated world, with a mind that decides nothing."""

from dataclasses import replace

import pytest
from tests.sim.small_world import C1, C2, C3, CEPH, WEB, Story

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import (
    Plane,
    Power,
    RoadId,
    Sign,
)
from ninelives.sim import bmc, storage
from ninelives.sim.happenings import (
    ComputeStarted,
    ControllerResumed,
    DomainStarted,
    HostChanged,
    PowerCut,
    TermTaken,
    WritesCut,
)

# Hosts and their guests.


def test_a_frozen_host_still_counts_as_a_writer_and_wakes_with_its_guests() -> None:
    story = Story().run(20, (10, "freeze c1 60"))
    assert story.world.writers(WEB) == {C1}

    story.run(100)

    assert story.world.hosts[C1].is_up
    assert story.world.hosts[C1].boots == 1
    assert story.world.writers(WEB) == {C1}


def test_a_host_without_power_writes_nothing_and_keeps_its_bmc() -> None:
    story = Story().run(20, (10, "power c1 off"))

    assert story.world.writers(WEB) == frozenset()
    assert [cut.host for _, cut in story.all(PowerCut)] == [C1]
    device = bmc.devices_of(story.world, C1)[0]
    assert bmc.reading(story.world, device) is Power.OFF


def test_a_bmc_dies_with_its_outlet() -> None:
    story = Story().run(20, (10, "power c1 dead"))

    device = bmc.devices_of(story.world, C1)[0]

    assert bmc.reading(story.world, device) is Power.UNREADABLE


def test_a_gate_holds_guests_back_after_a_boot_and_a_broken_one_does_not() -> None:
    held = Story().run(120, (10, "reboot c1"))
    broken = Story().run(120, (5, "gate c1 broken"), (10, "reboot c1"))

    assert held.world.hosts[C1].boots == 2
    assert held.world.writers(WEB) == frozenset()
    assert broken.world.writers(WEB) == {C1}
    assert [start.cause for _, start in broken.all(DomainStarted)] == ["autostart"]
    assert not held.all(ComputeStarted)
    assert [start.is_gated for _, start in broken.all(ComputeStarted)] == [False]


def test_a_panicked_kernel_stays_dead_unless_it_dumps() -> None:
    dead = Story().run(300, (10, "panic c1"))
    dumped = Story().run(300, (10, "panic c1 kdump 60"))

    assert dead.all(HostChanged)[-1][1].condition == "panicked"
    assert dumped.world.hosts[C1].is_up
    beacons = [event for _, event in dumped.events() if isinstance(event, on.KdumpSeen)]
    assert [beacon.ended for beacon in beacons] == [False, True]


# Storage.


def test_a_backend_that_shuts_a_host_out_ends_its_writes_and_can_forget() -> None:
    story = Story().run(10, (5, "revoke ceph expires 100"))
    storage.shut_out(story.world, story.world.backends[CEPH], C1)
    assert story.world.writers(WEB) == frozenset()

    story.run(200)

    assert story.world.writers(WEB) == {C1}
    assert [cut.is_cut for _, cut in story.all(WritesCut)] == [True, False]


def test_a_revocation_that_is_not_in_force_everywhere_cuts_nothing() -> None:
    story = Story().run(10, (5, "revoke ceph unpropagated"))

    storage.shut_out(story.world, story.world.backends[CEPH], C1)

    assert story.world.writers(WEB) == {C1}
    assert story.all(WritesCut) == []


def test_a_backend_forgets_a_dead_client_only_after_its_timeout() -> None:
    story = Story().run(20, (10, "power c1 off"))
    ceph = story.world.backends[CEPH]
    assert storage.is_watched(story.world, C1, ceph)

    story.run(45)

    assert not storage.is_watched(story.world, C1, ceph)


# What is seen.


def test_silence_takes_its_time_and_comes_from_every_witness() -> None:
    story = Story().run(60, (10, "power c1 off"))

    silent = [c for at, _, c in story.changes(C1) if at > 10 and c.sign is Sign.SILENT]
    first = min(at for at, _, c in story.changes(C1) if c.sign is Sign.SILENT)

    assert len(silent) == 3 * (3 + 3)  # planes x (controllers + peers)
    assert 10 + 5 <= first <= 10 + 8


def test_a_hung_kernel_gives_weak_signs_only() -> None:
    story = Story().run(60, (10, "hang c1"))

    signs = {(w, c.sign) for at, w, c in story.changes(C1) if at > 10}

    assert signs == {(w, Sign.WEAK) for w in ("n1", "n2", "n3")}  # peers had weak ones before


def test_a_witness_that_nobody_hears_knows_nothing_any_more() -> None:
    story = Story().run(60, (10, "freeze c2"))

    unknown = {
        (change.host, witness)
        for at, witness, change in story.changes(C1)
        if at > 10 and change.sign is Sign.UNKNOWN
    }

    assert unknown == {(C1, "c2")}


@pytest.mark.parametrize("seed", range(4))
def test_a_process_that_began_anew_tells_nothing_that_it_heard_before(seed: int) -> None:
    crash, start = (10, "controller n2 kill"), (99, "controller n2 start")
    story = Story(seed).run(120, crash, (12, "reboot c1"), start)

    told = [c for at, w, c in story.changes(C1) if at > 99 and w == "n2"]

    assert {c.boot for c in told if c.sign is Sign.STRONG} == {"c1-boot2"}


def test_a_one_way_loss_silences_the_sender_only() -> None:
    story = Story().run(60, (10, "net c1 management oneway"))

    planes = {c.plane for at, _, c in story.changes(C1) if at > 10 and c.sign is Sign.SILENT}

    assert planes == {Plane.MANAGEMENT}
    seen_by_c1 = [c for at, w, c in story.changes(C2) if at > 10 and w == "c1"]
    assert {c.sign for c in seen_by_c1} == {Sign.SILENT}  # its pings go out nowhere


# Controllers.


def test_the_first_controller_leads_and_a_crashed_one_is_followed_after_its_lease() -> None:
    story = Story().run(60, (20, "leader crash"))

    taken = [(at, what.controller, what.term) for at, what in story.all(TermTaken)]

    assert taken[0] == (0.0, "n1", 1)
    assert len(taken) == 2
    at, controller, term = taken[1]
    assert (controller != "n1", term) == (True, 2)
    knobs = story.world.setup.knobs
    lease = knobs.lease_s + knobs.lease_margin_s
    assert 20 - knobs.lease_s / 4 + lease <= at <= 20 + lease + 2


def test_a_new_leader_is_told_everything_again() -> None:
    story = Story().run(60, (20, "leader crash"))

    leader = story.world.leader()

    assert leader is not None
    told = {relation: view[0] for relation, view in leader.told.items()}
    assert set(told) == set(story.world.eyes.views)
    assert Sign.UNKNOWN not in told.values()


def test_the_guard_kills_a_paused_leader_but_not_in_a_paused_machine() -> None:
    process = Story().run(100, (20, "leader pause 60"))
    machine = Story().run(100, (20, "leader vmpause 60"))

    left = [note for note in process.world.notes if note.note.what == "term.left"]
    assert [note.note.why for note in left] == ["guard_killed"]
    assert 20 + 7.5 <= left[0].at <= 30
    assert process.all(ControllerResumed) == []
    [(at, resumed)] = machine.all(ControllerResumed)
    assert (at, resumed.gap_s) == (80.0, 0.0)
    left = [note for note in machine.world.notes if note.note.what == "term.left"]
    assert left[0].at >= 80
    assert left[0].note.why in ("lease_lost", "term_lost")


def test_a_leader_that_was_away_learns_that_a_host_is_enabled_again() -> None:
    words = ((20, "operator disable c1"), (40, "leader pause 5"), (42, "operator enable c1"))
    story = Story().run(80, *words)

    seen = [event for _, event in story.events() if isinstance(event, on.NovaSeen)]

    assert len(story.all(TermTaken)) == 1
    assert [event.disabled for event in seen if event.host == C1] == [True, False]


def test_a_short_pause_is_noticed_as_a_fault_of_ones_own() -> None:
    story = Story().run(60, (20, "leader pause 5"))

    faults = [event for _, event in story.events() if isinstance(event, on.OwnFault)]

    assert [(fault.reason, fault.ended) for fault in faults] == [("froze", False), ("froze", True)]
    assert len(story.all(TermTaken)) == 1


def test_a_store_that_answers_nobody_ends_the_term() -> None:
    story = Story().run(60, (20, "store down"))
    assert story.world.leader() is None
    [left] = [note.at for note in story.world.notes if note.note.what == "term.left"]
    lease = story.world.setup.knobs.lease_s
    assert 20 + lease * 3 / 4 <= left <= 20 + lease  # it renewed each quarter until then

    story.run(120, (70, "store up"))

    assert story.world.leader() is not None


def test_a_host_that_cannot_renew_its_lease_resets_itself_unless_its_peers_vouch() -> None:
    alone = Story(watchdog=True).run(200, (20, "net c1 all down"))
    policy = alone.world.setup.policy
    safe = policy.host_lease_s + policy.watchdog_soft_s + policy.watchdog_device_s
    boots = [at for at, what in alone.all(HostChanged) if what.condition == "booting"]
    assert boots == [20 + safe]

    vouched = Story(watchdog=True).run(200, (20, "partition c1|n1,n2,n3"))

    assert vouched.world.hosts[C1].boots == 1


def test_a_watchdog_bites_a_frozen_host() -> None:
    story = Story(watchdog=True).run(200, (20, "freeze c1"))

    boots = [at for at, what in story.all(HostChanged) if what.condition == "booting"]

    assert boots == [20 + story.world.setup.policy.watchdog_device_s]


# Requests of a leader.


def test_a_request_is_not_let_out_by_a_leader_that_lost_its_lease_in_a_paused_machine() -> None:
    story = Story().run(20)
    leader = story.world.leader()
    assert leader is not None
    story.world.perform(leader, do.PowerOff(C3, RoadId("c3-bmc"), 1, 1), leader.now(20))

    story.world.command(("leader", "vmpause", "60"))
    story.run(120)

    assert story.all(PowerCut) == []


def test_an_off_goes_to_the_host_that_the_device_truly_leads_to() -> None:
    story = Story().run(20, (10, "bmc c3 wrong c2"))
    leader = story.world.leader()
    assert leader is not None

    story.world.perform(leader, do.PowerOff(C3, RoadId("c3-bmc"), 1, 1), leader.now(20))
    story.run(40)

    [(_, cut)] = story.all(PowerCut)
    assert (cut.host, cut.meant, cut.ordered_by) == (C2, C3, "n1")


# The same again.


def test_the_same_seed_and_commands_give_the_same_happenings_also_in_a_fork() -> None:
    commands = (
        (10.0, "net c1 all loss 0.6"),
        (30.0, "leader crash"),
        (50.0, "power c2 off"),
        (90.0, "power c2 on"),
    )
    first = Story(seed=7).run(300, *commands)
    second = Story(seed=7).run(64, *commands)
    forked = list(second.happened)
    twin = second.world.fork()
    twin.observe(lambda now, what: forked.append((now, what)))

    second.run(300)
    twin.run(300)

    assert second.happened == first.happened
    assert forked == first.happened
    assert Story(seed=8).run(300, *commands).happened != first.happened


def test_a_fork_shares_nothing_that_changes() -> None:
    story = Story().run(20)
    before = replace(story.world.hosts[C1], domains=dict(story.world.hosts[C1].domains))
    twin = story.world.fork()

    twin.command(("power", "c1", "off"))
    twin.command(("net", "c2", "all", "down"))
    twin.run(100)

    assert story.world.hosts[C1] == before
    assert story.world.net.links == {}
    assert story.world.writers(WEB) == {C1}
    assert story.world.now == 20


def test_a_boundary_is_told_of_each_commit_before_it_happens() -> None:
    story = Story()
    points: list[tuple[str, int]] = []
    story.world.boundary = lambda world, point, _: points.append((point, world.ledger.revision))

    story.run(5)

    assert points[0] == ("commit", 0)
    assert all(point == "commit" for point, _ in points)
    assert [revision for _, revision in points] == sorted(revision for _, revision in points)
