"""Every row of the rule table: what makes exactly that row match first, and what just misses it."""

from dataclasses import replace

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NEW,
    NOW,
    OLD,
    ROAD,
    STORAGE,
    TENANT,
    Arrange,
    agent,
    both,
    dark,
    fresh,
    maintained,
    nova,
    off_read,
    plane,
    record,
    sees,
    silent,
    storage,
    views,
)
from tests.core.small_cloud import CEPH

from ninelives.core import states as at
from ninelives.core.cluster import PowerSeen, StorageView
from ninelives.core.draft import Draft
from ninelives.core.model import BackendId, Health, HostId, Power, Sign
from ninelives.core.policy import CAREFUL
from ninelives.core.rules import DECISIVE, TABLE, judge, may_fence, table
from ninelives.core.states import Class

# What can be seen of c1.


def ordered(draft: Draft) -> None:
    draft.put_control(replace(draft.control, fence_ordered=((C1, "ada"),)))


def weak_for(seconds: float) -> Arrange:
    weak = plane(Sign.WEAK, MGMT, STORAGE, TENANT)
    return both(weak, sees(strong_until=NOW - seconds))


off_twice = off_read(NOW - 4, NOW)
froze = views(own_fault="froze")
canary = views(bad_canaries={"nova": NOW})
lies = off_read(NOW - 20, NOW)
new_boot = sees(strong_boot=NEW)
kdump = sees(kdump_since=NOW)
group = record(group="rack:r1@1.0")
sick = views(sick_backends=frozenset({CEPH}))
vantage = silent(MGMT, STORAGE, TENANT, by=("c2", "c3"))
unseen = plane(Sign.UNKNOWN, MGMT, STORAGE, TENANT, by=("k1", "c4"))

# The row, what makes it match, and the same less one thing: then another row answers, or none.
ROWS: tuple[tuple[str, Class, Arrange, Arrange], ...] = (
    ("R0", Class.OWN_FAULT, both(dark, froze), dark),
    ("R4a", Class.OOB_LIES, lies, off_read(NOW - 5, NOW)),
    ("R5", Class.DEAD_POWER, both(dark, off_twice), both(dark, off_read(NOW - 1.9, NOW))),
    ("R7", Class.REBOOTED, new_boot, sees(strong_boot=OLD)),
    ("order", Class.ORDERED, ordered, lambda draft: None),
    ("R1", Class.PLANNED, both(dark, maintained()), dark),
    ("R2", Class.CONTROL_PLANE, both(dark, canary), dark),
    ("R3", Class.GROUP, both(dark, group), dark),
    ("R4", Class.VANTAGE, both(vantage, unseen), dark),
    ("R6", Class.DEAD_PANIC, both(silent(MGMT, STORAGE, TENANT), kdump), dark),
    ("R8", Class.DEAD_OR_FROZEN, silent(MGMT, STORAGE), silent(MGMT)),
    ("R8a", Class.HUNG, weak_for(60), weak_for(59)),
    ("R9", Class.ISOLATED, both(dark, storage(watched=True)), both(dark, storage(watched=False))),
    ("R10", Class.MANAGEMENT_ONLY, silent(MGMT), silent(MGMT, TENANT)),
    ("R11", Class.STORAGE_LOST, agent(storage_lost=True), agent()),
    ("R12", Class.BACKEND, both(silent(STORAGE), sick), silent(STORAGE)),
    ("R13", Class.TENANT_LOST, silent(TENANT), both(silent(TENANT), plane(Sign.UNKNOWN, MGMT))),
    ("R14", Class.LIBVIRT_HUNG, agent(libvirt=Health.HUNG), agent()),
    ("R15", Class.NOVA_COMPUTE, agent(compute=Health.DOWN), agent()),
    ("R16", Class.AGENT_ONLY, both(weak_for(9), storage(watched=True)), weak_for(9)),
    ("R18", Class.GRAY, agent(is_slow=True), agent()),
    ("R19", Class.UNKNOWN, both(silent(TENANT), plane(Sign.UNKNOWN, MGMT)), silent(TENANT)),
)


@pytest.mark.parametrize(("rule", "cls", "arrange", "_near"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_matches_first(rule: str, cls: Class, arrange: Arrange, _near: Arrange) -> None:
    draft = fresh()
    arrange(draft)

    assert judge(draft, C1) == (cls, rule)


@pytest.mark.parametrize(("rule", "_cls", "_make", "near"), ROWS, ids=[row[0] for row in ROWS])
def test_a_near_miss_does_not(rule: str, _cls: Class, _make: Arrange, near: Arrange) -> None:
    draft = fresh()
    near(draft)

    assert judge(draft, C1).rule != rule


def test_every_row_of_the_table_is_tried_here_or_below() -> None:
    tried = {rule for rule, *_ in ROWS} | {"R8b"}

    assert tried >= {row.rule for row in (*DECISIVE, *TABLE)}


def test_a_healthy_host_has_no_class() -> None:
    assert judge(fresh(), C1) == (Class.FINE, "")


def test_the_only_plane_there_is_matches_r8b_and_a_second_one_does_not() -> None:
    one, two = fresh(planes=(MGMT,)), fresh(planes=(MGMT, STORAGE))
    silent(MGMT)(one)
    silent(MGMT)(two)

    assert judge(one, C1) == (Class.SINGLE_PLANE, "R8b")
    assert judge(two, C1).rule == "R10"


# Pass 1 wins over R1 to R4; R0 wins over all.

DECISIVE_EVIDENCE = (
    ("R5", both(dark, off_twice)),
    ("R7", new_boot),
    ("R4a", lies),
    ("order", both(dark, ordered)),
)
HOLDING = (
    ("R1", maintained()),
    ("R1 by hand", nova(disabled=True)),
    ("R2", canary),
    ("R3", group),
)


@pytest.mark.parametrize(("rule", "evidence"), DECISIVE_EVIDENCE, ids=lambda value: str(value)[:5])
@pytest.mark.parametrize(("_name", "hold"), HOLDING, ids=lambda value: str(value)[:10])
def test_decisive_evidence_is_never_held_by_r1_to_r4(
    rule: str, evidence: Arrange, _name: str, hold: Arrange
) -> None:
    draft = fresh()
    both(evidence, hold)(draft)

    assert judge(draft, C1).rule == rule


def test_decisive_evidence_needs_no_witness_to_qualify() -> None:
    draft = fresh()
    both(vantage, unseen, off_twice)(draft)

    assert judge(draft, C1).rule == "R5"


@pytest.mark.parametrize("rule", [row[0] for row in ROWS])
def test_r0_wins_over_every_row(rule: str) -> None:
    draft = fresh()
    next(row for row in ROWS if row[0] == rule)[2](draft)
    froze(draft)

    assert judge(draft, C1) == (Class.OWN_FAULT, "R0")


def test_after_our_own_fault_a_full_fresh_window_is_waited_for() -> None:
    policy = fresh().cluster.policy
    window = policy.silence_s + policy.confirm_s
    early, late = fresh(), fresh()
    both(dark, views(fault_ended_at=NOW - window + 0.1))(early)
    both(dark, views(fault_ended_at=NOW - window))(late)

    assert judge(early, C1).rule == "R0"
    assert judge(late, C1).rule == "R8"


# What each row asks, in more than one way.


@pytest.mark.parametrize(
    ("arrange", "rule"),
    [
        (both(dark, nova(disabled=True)), "R1"),
        (both(dark, nova(forced_down=True)), "R1"),
        (both(dark, nova(disabled=True, is_ours=True)), "R8"),
        (both(dark, views(canaries_bad_until=NOW - 1)), "R2"),
        (both(dark, views(canaries_bad_until=NOW - 5)), "R8"),
    ],
)
def test_whose_disable_it_is_and_how_long_ago_the_canaries_healed(
    arrange: Arrange, rule: str
) -> None:
    draft = fresh()
    arrange(draft)

    assert judge(draft, C1).rule == rule


@pytest.mark.parametrize(
    "spoiler",
    [
        plane(Sign.STRONG, MGMT, by=("k1",)),  # a plane is up
        sees(strong_at=NOW - 3),  # it lived between the two reads
        sees(power={ROAD: PowerSeen(Power.ON, NOW)}),  # a device reads on by now
        sees(power={ROAD: PowerSeen(Power.UNREADABLE, NOW)}),  # nobody knows by now
        maintained(is_power_job=True),  # it was announced
    ],
    ids=["up", "lived", "on", "unreadable", "announced"],
)
def test_off_read_twice_is_no_death_where_anything_speaks_against_it(spoiler: Arrange) -> None:
    draft = fresh()
    both(dark, off_twice, spoiler)(draft)

    assert judge(draft, C1).rule != "R5"


def test_maintenance_alone_does_not_keep_a_dead_host_from_its_proof() -> None:
    draft = fresh()
    both(dark, off_twice, maintained())(draft)

    assert judge(draft, C1).rule == "R5"


@pytest.mark.parametrize(
    ("corroboration", "rule"),
    [
        (sees(power={ROAD: PowerSeen(Power.OFF, NOW)}), "R8"),
        (sees(is_lost_to_pacemaker=True), "R8"),
        (storage(watched=False), "R8"),
        (storage(watched=None), "R13"),
        (sees(power={ROAD: PowerSeen(Power.ON, NOW)}), "R13"),
    ],
    ids=["bmc off", "pacemaker", "no watcher", "unknown watcher", "bmc on"],
)
def test_one_plane_down_needs_a_corroboration(corroboration: Arrange, rule: str) -> None:
    draft = fresh()
    weak = plane(Sign.WEAK, MGMT, STORAGE)
    both(weak, silent(TENANT), corroboration)(draft)

    assert judge(draft, C1).rule == rule


def test_planes_on_one_wire_count_as_one() -> None:
    draft = fresh(shared_fate=(frozenset({MGMT, TENANT}),))
    silent(MGMT, TENANT)(draft)

    assert judge(draft, C1).rule == "R19"


def test_two_wires_count_as_two() -> None:
    draft = fresh(shared_fate=(frozenset({MGMT, TENANT}),))
    both(silent(MGMT, TENANT), silent(STORAGE))(draft)

    assert judge(draft, C1).rule == "R8"


def test_a_hung_kernel_that_another_strong_sign_shows_alive_is_only_an_agent() -> None:
    draft = fresh()
    both(weak_for(60), nova(has_advanced=True))(draft)

    assert judge(draft, C1).rule == "R16"


def test_without_an_agent_nobody_misses_one() -> None:
    draft = fresh(has_agent=False)
    both(weak_for(9), storage(watched=True))(draft)

    assert judge(draft, C1).rule != "R16"


def test_what_an_agent_said_before_it_fell_silent_is_not_believed() -> None:
    draft = fresh()
    both(agent(libvirt=Health.HUNG), weak_for(9))(draft)

    assert judge(draft, C1).rule != "R14"


def test_the_whole_table_is_shown_also_after_the_row_that_matched() -> None:
    draft = fresh()
    both(dark, off_twice, canary, maintained())(draft)

    holds = {answer.rule for answer in table(draft, C1) if answer.holds}

    assert holds >= {"R5", "R1", "R2", "R8"}
    assert [answer.rule for answer in table(draft, C1)] == [
        "R0",
        *(row.rule for row in (*DECISIVE, *TABLE)),
    ]


# Which class leads to a fence.


@pytest.mark.parametrize(
    "cls",
    [Class.DEAD_POWER, Class.DEAD_PANIC, Class.DEAD_OR_FROZEN, Class.HUNG, Class.ORDERED],
)
def test_these_classes_fence(cls: Class) -> None:
    assert may_fence(fresh(), C1, cls)


@pytest.mark.parametrize(
    "cls",
    [
        *(Class.FINE, Class.OWN_FAULT, Class.PLANNED, Class.CONTROL_PLANE, Class.VANTAGE),
        *(Class.OOB_LIES, Class.REBOOTED, Class.MANAGEMENT_ONLY, Class.BACKEND, Class.TENANT_LOST),
        *(Class.LIBVIRT_HUNG, Class.NOVA_COMPUTE, Class.AGENT_ONLY, Class.GUEST, Class.GRAY),
        Class.UNKNOWN,
    ],
)
def test_these_classes_never_fence(cls: Class) -> None:
    assert not may_fence(fresh(), C1, cls)


def test_policy_decides_about_a_single_plane_and_about_isolation() -> None:
    draft = fresh()
    assert may_fence(draft, C1, Class.SINGLE_PLANE)
    assert may_fence(draft, C1, Class.ISOLATED)

    draft.cluster.policy = replace(CAREFUL, isolated_fences=False)
    assert not may_fence(draft, C1, Class.SINGLE_PLANE)
    assert not may_fence(draft, C1, Class.ISOLATED)


def test_lost_storage_fences_only_after_its_repair_window() -> None:
    early, late = fresh(), fresh()
    window = early.cluster.policy.storage_repair_s
    sees(storage_lost_since=NOW - window + 1)(early)
    sees(storage_lost_since=NOW - window)(late)

    assert not may_fence(early, C1, Class.STORAGE_LOST)
    assert may_fence(late, C1, Class.STORAGE_LOST)


@pytest.mark.parametrize(("second", "is_dead"), [(False, True), (True, False), (None, False)])
def test_a_group_is_dead_where_no_member_writes(second: bool | None, is_dead: bool) -> None:
    draft = fresh()
    for name, is_watched in (("c1", False), ("c2", second)):
        host = replace(draft.host(HostId(name)), state=suspect(), group="g")
        draft.put_host(host)
        view = {BackendId("ceph"): StorageView(is_watched, None, NOW)}
        draft.put_sights(draft.sights(HostId(name))._replace(storage=view))

    assert may_fence(draft, C1, Class.GROUP) is is_dead


def suspect() -> at.Suspect:
    return at.Suspect(NOW, Class.UNKNOWN, NOW)
