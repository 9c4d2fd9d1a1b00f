"""A live migration is followed to its end beyond the episode in which it was sent.

World 983 of seed day9: a host was held for seconds, again and again, and Nova forgot its records.
"""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import migrating, repair, terms
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.episode import begin, end, move_to
from ninelives.core.guests import guest_seen, guest_window_over
from ninelives.core.model import (
    Health,
    HostId,
    MoveRecord,
    ServerId,
    ServerSeen,
    VmState,
    WitnessId,
)
from ninelives.core.protection import Promise, Remedy
from ninelives.core.states import Class

WEB, C2 = ServerId("web"), HostId("c2")
HERE = ServerSeen(WEB, C1, VmState.ACTIVE, None, True, disks=(CEPH,))
SETTLE_S = fresh().cluster.policy.nova_settle_s
SENT = do.LiveMigrate(WEB, C1, 1, 1)


def with_record(status: str, number: int = 7) -> ServerSeen:
    return replace(HERE, records=(MoveRecord(number, "live-migration", C1, C2, status),))


def left(known: ServerSeen = HERE) -> Draft:
    """c1 lost its tenant network, web was sent away alive, and c1 was well the next moment."""
    draft = fresh()
    record(epoch=1, state=at.Held(NOW, "tenant_lost", Class.TENANT_LOST))(draft)
    repair.drain(draft, C1, Class.TENANT_LOST, (known,))
    assert sent(draft) == 1
    end(draft, C1, "signs_back")
    return draft


def sent(draft: Draft) -> int:
    return sum(isinstance(action, do.LiveMigrate) for action in draft.actions)


def held_again(draft: Draft) -> Draft:
    begin(draft, C1, Class.TENANT_LOST, "R13")
    move_to(draft, C1, at.Held(draft.now, "tenant_lost", Class.TENANT_LOST), "tenant_lost")
    return draft


def test_the_next_episode_sends_no_second_one_beside_it() -> None:
    draft = held_again(left())

    repair.drain(draft, C1, Class.TENANT_LOST, (HERE,))

    assert sent(draft) == 1


def test_what_is_nowhere_to_be_seen_after_its_time_is_sent_again() -> None:
    draft = held_again(left())
    draft.now = NOW + SETTLE_S
    for _ in range(migrating.EMPTY_LOOKS):
        repair.drain(draft, C1, Class.TENANT_LOST, (HERE,))
    assert sent(draft) == 1

    repair.drain(draft, C1, Class.TENANT_LOST, (HERE,))

    assert sent(draft) == 2


def test_early_looks_do_not_count() -> None:
    draft = left()
    draft.now = NOW + SETTLE_S - 1
    for _ in range(5):
        migrating.seen(draft, HERE)

    assert draft.move(WEB) is not None


@pytest.mark.parametrize("status", ["completed", "error"])
def test_its_final_record_ends_it_at_once(status: str) -> None:
    draft = left()
    migrating.seen(draft, with_record(status))

    assert draft.move(WEB) is None


def test_a_server_that_is_gone_is_not_followed() -> None:
    draft = left()
    migrating.seen(draft, replace(HERE, vm_state=VmState.DELETED))

    assert draft.move(WEB) is None


def test_a_final_record_of_an_earlier_one_says_nothing() -> None:
    earlier = with_record("error", 6)
    draft = left(earlier)
    migrating.seen(draft, earlier)

    assert draft.move(WEB) is not None


def test_an_open_record_keeps_it_however_long() -> None:
    draft = left()
    draft.now = NOW + 100 * SETTLE_S
    for _ in range(5):
        migrating.seen(draft, with_record("running"))

    assert draft.move(WEB) is not None


def test_it_is_read_again_while_its_host_is_well() -> None:
    draft = left()
    assert draft.wakes[f"guest/{WEB}"] == NOW + SETTLE_S
    draft.now = NOW + SETTLE_S
    draft.woke(f"guest/{WEB}")

    guest_window_over(draft, WEB)

    assert do.Watch(C1, 1, (WEB,)) in draft.actions
    assert draft.wakes[f"guest/{WEB}"] == NOW + SETTLE_S + draft.policy(C1).vacated_look_s


def test_a_guest_that_may_still_move_is_not_reset() -> None:
    draft = left()
    default = Promise(guest_hangs=Remedy.RESTART)
    draft.cluster.policy = replace(draft.cluster.policy, default=default)
    guest_seen(draft, on.GuestSeen(HERE, C1, Health.HUNG))

    assert not any(isinstance(action, do.HardReboot) for action in draft.actions)


def test_a_new_leader_follows_it_too() -> None:
    before = left()
    draft = fresh()
    draft.cluster.moves[WEB] = before.moves_of(C1)[0]
    draft.now = NOW + 100
    terms.began(draft, on.TermBegan(2, WitnessId("k1")))

    assert draft.move(WEB) is not None
    assert draft.wakes[f"guest/{WEB}"] == draft.now + SETTLE_S


def test_one_that_nova_refuses_after_the_episode_is_over() -> None:
    draft = left()
    move = draft.move(WEB)
    assert move is not None
    repair.migration_replied(draft, move, on.Replied(SENT, on.Outcome.REFUSED, "conflict"))

    assert draft.move(WEB) is None
