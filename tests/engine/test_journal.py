"""What a decision leaves in the store is what a later leader starts from, and what replays."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.engine import toy

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Decision, Entry, Note
from ninelives.core.model import HostId, RoadId, SegmentId, ServerId
from ninelives.core.policy import BALANCED, CAREFUL, FAST
from ninelives.core.setting import Setting
from ninelives.engine import journal, ports
from ninelives.engine.codec import CONTROL, EVENT, HOST, OUTBOX, decode, encode
from ninelives.engine.errors import CodecError, NinelivesError
from ninelives.engine.journal import Row, began
from ninelives.engine.node import Decide, Node, lawless
from ninelives.engine.replay import first_difference, state_at, steps
from ninelives.engine.writer import merged
from ninelives.sim.memory_store import MemoryStore

SETTING = Setting(toy.SITE, BALANCED)
C1, C2 = HostId("c1"), HostId("c2")
SHOT = do.PowerOff(C1, RoadId("bmc-c1"), 1, 1)
LIST = do.ListServers(C1, 1, 0)
EVACUATE = do.Evacuate(ServerId("s1"), C1, C2, 1, 1)
STORY: tuple[on.Event, ...] = (
    toy.silent(C1),
    on.Replied(SHOT, on.Outcome.DONE),
    on.Listed(LIST, (toy.server("s1", C1), toy.server("s2", C1)), is_complete=True),
    on.Replied(EVACUATE, on.Outcome.DONE),
    on.Armed("alice", is_armed=False, cause="drill"),
    on.Woke("rest"),
)


class Leaders:
    """Terms of leaders, one after the other, over one store."""

    def __init__(self, decide: Decide = toy.decide) -> None:
        self.store = MemoryStore()
        self.decide = decide

    def lead(self, *events: on.Event, began_at: float = 100.0, setting: Setting = SETTING) -> Node:
        """Lead for one term, in which `events` happen a second apart."""
        row = self.store.take(self.store.lease(), "somebody")
        assert row is not None
        stored = self.store.load()
        cluster, first = journal.restored(stored, setting), began(row.term, toy.ME, setting, stored)
        node = Node(cluster, self.decide, self.store.identity().revision, lawless)
        for second, event in enumerate((first, *events)):
            ready = node.offer(event, began_at + second)
            written = self.store.commit(journal.batch_of(ready, 1e9 + second))
            assert isinstance(written, ports.Committed)
        return node

    def rows(self) -> list[Row]:
        return list(journal.rows(self.store))


def told() -> Leaders:
    leaders = Leaders()
    leaders.lead(*STORY)
    leaders.lead(toy.silent(C2), began_at=7.0)  # another machine, whose clock began later
    return leaders


# --------------------------------------------------------------------------------- records


def test_a_new_leader_starts_from_every_record_of_the_old() -> None:
    leaders = Leaders()
    old = leaders.lead(*STORY).cluster

    new = journal.restored(leaders.store.load(), SETTING)

    assert (new.control, new.hosts, new.moves, new.outbox, new.moves_of) == (
        old.control,
        old.hosts,
        old.moves,
        old.outbox,
        {C1: {ServerId("s2"): None}},
    )
    assert new.counts == {key: count for key, count in old.counts.items() if count}
    assert set(new.moves) == {"s2"}
    assert {type(action).__name__ for action in new.outbox} == {"ForceDown", "Evacuate"}
    assert new.control == Control(is_armed=False, cause="drill")


def test_what_was_only_seen_is_not_inherited() -> None:
    leaders = Leaders()
    old = leaders.lead(*STORY).cluster

    new = journal.restored(leaders.store.load(), SETTING)

    assert old.views.term == 1
    assert (new.views.term, new.sights, new.wakes, new.now) == (0, {}, {}, 0.0)


def test_records_come_in_an_order_of_their_own() -> None:
    """Databases return rows as they like; what a leader does may not depend on it."""
    stored = dict(Leaders().store.load()) | {
        f"host/c{number}": encode(HOST, at.Host(HostId(f"c{number}"))) for number in range(20)
    }
    later = Entry(EVACUATE, term=2, at=1.0, retry_at=9.0)
    earlier = Entry(SHOT, term=1, at=5.0, retry_at=9.0)
    for entry in (later, earlier):
        stored[journal.outbox_key(entry.action)] = encode(OUTBOX, entry)

    there = journal.read_records(stored)
    back = journal.read_records(dict(reversed(stored.items())))

    assert there == back
    assert there.outbox == (earlier, later)


@pytest.mark.parametrize(
    ("key", "body", "says"),
    [
        ("hosts/c1", encode(HOST, at.Host(C1)), "unknown record 'hosts/c1'"),
        ("", b"", "unknown record"),
        ("host/c2", encode(HOST, at.Host(C1)), "record 'host/c2' holds 'host/c1'"),
        ("move/s1", encode(HOST, at.Host(C1)), "cannot read this move: found 'host'"),
        ("control", encode(CONTROL, Control())[:-1], "not JSON"),
        ("outbox/PowerOff/1", encode(OUTBOX, Entry(SHOT, 1, 1.0, 2.0)), "holds 'outbox/PowerOff/"),
    ],
)
def test_a_record_that_is_not_understood_keeps_a_leader_from_leading(
    key: str, body: bytes, says: str
) -> None:
    with pytest.raises(CodecError, match=says):
        journal.restored({key: body}, SETTING)


def test_requests_that_differ_in_anything_have_keys_of_their_own() -> None:
    long = do.Tell("c1", "host.held", 1, "x" * 10_000)
    requests: list[do.Action] = [
        SHOT,
        replace(SHOT, attempt=2),
        replace(SHOT, epoch=2),
        EVACUATE,
        long,
    ]

    keys = [journal.outbox_key(request) for request in requests]

    assert len(set(keys)) == len(requests)
    assert max(map(len, keys)) <= 40


def test_a_group_of_decisions_leaves_what_the_last_of_them_said() -> None:
    leaders = Leaders()
    node = Node(journal.restored({}, SETTING), toy.decide, 0, lawless)
    events = (began(1, toy.ME, SETTING, {}), *STORY)
    batches = [journal.batch_of(node.offer(event, 1.0), 0.0) for event in events]
    leaders.store.take(leaders.store.lease(), "somebody")

    leaders.store.commit(merged(batches))

    one_by_one = Leaders()
    one_by_one.lead(*STORY)
    assert leaders.store.load().keys() == one_by_one.store.load().keys()
    assert [row.notes for row in leaders.rows()] == [row.notes for row in one_by_one.rows()]


# --------------------------------------------------------------------------------- rows


def test_the_journal_is_read_back_page_by_page() -> None:
    leaders = told()

    rows = list(journal.rows(leaders.store, page_rows=2))

    assert [row.revision for row in rows] == list(range(1, 10))
    assert [row.event for row in rows[1:7]] == list(STORY)
    assert (rows[1].term, rows[1].at, rows[1].wall) == (1, 101.0, 1e9 + 1)
    assert rows[1].notes == (Note("c1", "host.fencing", "silent"),)
    assert (rows[-1].term, rows[-1].at) == (2, 8.0)
    assert [row.revision for row in journal.rows(leaders.store, after=7)] == [8, 9]


# --------------------------------------------------------------------------------- replay


def test_the_journal_replays_to_the_same_decisions_over_two_terms() -> None:
    assert first_difference(told().rows(), toy.decide) is None


def test_the_journal_says_under_which_configuration_each_term_decided() -> None:
    other = Setting(toy.SITE, CAREFUL, {SegmentId("default"): FAST})
    leaders = Leaders(by_policy)
    for setting in (SETTING, SETTING, other, SETTING):
        leaders.lead(toy.silent(C1), on.Woke("rest"), setting=setting)
    begun = [row.event for row in leaders.rows() if isinstance(row.event, on.TermBegan)]

    assert [event.setting for event in begun] == [SETTING, None, other, SETTING]
    assert first_difference(leaders.rows(), by_policy) is None
    assert journal.stored_setting(leaders.store.load()) == SETTING
    assert state_at(leaders.rows(), by_policy, 9).segment_policies == other.segment_policies
    found = first_difference(leaders.rows(), by_policy, instead=other)
    assert found is not None, "under another configuration it would have been decided otherwise"


def by_policy(cluster: Cluster, what: on.Event, now: float) -> Decision:
    """Decide as ever, and wait as long as the configuration says."""
    decision = toy.decide(cluster, what, now)
    silence_s = cluster.policy_of(C1).silence_s
    return decision._replace(wakes={**decision.wakes, "silence": now + silence_s})


def test_a_journal_of_an_older_ninelives_says_what_it_lacks() -> None:
    old = b'{"v":1,"event":{"TermBegan":{"term":1,"leader":"ctl-a","is_unclean":false}}}'
    first, *others = told().rows()

    event = decode(EVENT, old)

    assert event == on.TermBegan(1, toy.ME)
    with pytest.raises(NinelivesError, match="does not say under which configuration"):
        first_difference([first._replace(event=event), *others], toy.decide)
    assert (
        first_difference([first._replace(event=event), *others], toy.decide, instead=SETTING)
        is None
    )


def test_a_replay_may_begin_with_any_term() -> None:
    leaders = Leaders()
    leaders.lead(*STORY)
    stored = dict(leaders.store.load())
    leaders.lead(toy.silent(C2), began_at=7.0)
    rows = list(journal.rows(leaders.store, after=7))

    assert first_difference(rows, toy.decide, stored) is None
    assert state_at(rows, toy.decide, 9, stored).control.cause == "drill"


def test_a_replay_from_within_a_term_or_with_a_gap_is_refused() -> None:
    rows = told().rows()

    for damaged in (rows[1:], rows[:3] + rows[4:]):
        with pytest.raises(NinelivesError, match="cannot be replayed from revision"):
            first_difference(damaged, toy.decide)


def changed(event: type, change: Callable[[Decision], Decision]) -> Decide:
    """Decide as ever, but otherwise about one kind of event."""

    def decide(cluster: Cluster, what: on.Event, now: float) -> Decision:
        decision = toy.decide(cluster, what, now)
        return change(decision) if isinstance(what, event) else decision

    return decide


def no_records(decision: Decision) -> Decision:
    return decision._replace(hosts={})


def kept_requests(decision: Decision) -> Decision:
    return decision._replace(
        outbox={key: entry for key, entry in decision.outbox.items() if entry is not None}
    )


@pytest.mark.parametrize(
    ("decide", "revision", "part"),
    [
        (changed(on.Sighted, lambda d: d._replace(notes=())), 2, "notes"),
        (changed(on.Sighted, no_records), 2, "records"),
        (changed(on.Replied, kept_requests), 3, "records"),
        (changed(on.Replied, lambda d: d._replace(actions=d.actions[::-1])), 3, "actions"),
        (changed(on.Replied, lambda d: d._replace(actions=d.actions[:1])), 3, "actions"),
        (changed(on.TermBegan, lambda d: d._replace(wakes={"rest": 131.0})), 1, "wakes"),
        (changed(on.Armed, lambda d: d._replace(control=None)), 6, "records"),
    ],
)
def test_the_first_other_decision_is_found_and_its_part_named(
    decide: Decide, revision: int, part: str
) -> None:
    found = first_difference(told().rows(), decide)

    assert found is not None
    assert (found.row.revision, found.part) == (revision, part)
    assert found.written != found.decided
    assert f"revision {revision}" in str(found)


def test_a_difference_shows_both_sides() -> None:
    shy = changed(on.Sighted, lambda decision: decision._replace(notes=()))

    found = first_difference(told().rows(), shy)

    assert found is not None
    assert "host.fencing" in found.written
    assert found.decided == "none"


def test_a_replay_sees_the_state_as_it_was() -> None:
    rows = told().rows()

    then = [state_at(rows, toy.decide, revision) for revision in (1, 2, 3, 9)]

    states = [type(cluster.hosts[C1].state).__name__ for cluster in then]
    assert states == ["Unknown", "Fencing", "Fenced", "Fenced"]
    assert [cluster.views.term for cluster in then] == [1, 1, 1, 2]
    assert set(then[-1].moves) == {"s2"}
    assert len(list(steps(rows, toy.decide))) == 9


def test_a_revision_that_never_was_is_an_error() -> None:
    with pytest.raises(NinelivesError, match="no revision 10"):
        state_at(told().rows(), toy.decide, 10)
