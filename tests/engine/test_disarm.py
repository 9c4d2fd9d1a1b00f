"""A bug of ours: nothing of it happens, everybody is disarmed, and nobody forgets it."""

import logging
import sqlite3
from collections.abc import Generator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests import virtual_loop
from tests.engine.play import BEGAN, SETTING, SETTLED_S, Play
from tests.engine.stand_ins import HOSTS

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.app.exits import Exit, Told
from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.invariants import Broken, check
from ninelives.core.model import Power, ServerId
from ninelives.engine import journal
from ninelives.engine.adopt import adopted_store
from ninelives.engine.clerk import Clerk
from ninelives.engine.disarm import unfinished
from ninelives.engine.errors import InvariantBroken, StoreUnavailable, first_of
from ninelives.engine.high_water import HighWater, read_high_water, write_high_water
from ninelives.engine.replay import first_difference

C1, C2, _ = HOSTS
EFFECTS = ("nova.evacuate", "nova.force_down", "nova.disable", "power.off", "storage.revoke")


@pytest.fixture
def store(tmp_path: Path) -> Generator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def reckless(cluster: Cluster, event: on.Event, now: float) -> Decision:
    """Send a server away as soon as its host reads off: no proof, no plan."""
    decision = decide(cluster, event, now)
    if not _is_off(event):
        return decision
    send = do.Evacuate(ServerId("s1"), C1, C2, epoch=1, attempt=1)
    return decision._replace(actions=(*decision.actions, send))


def stumbling(cluster: Cluster, event: on.Event, now: float) -> Decision:
    if _is_off(event):
        raise AssertionError("a planted bug")
    return decide(cluster, event, now)


def _is_off(event: on.Event) -> bool:
    return isinstance(event, on.PowerRead) and event.power is Power.OFF


def lose_power(play: Play) -> None:
    play.run(SETTLED_S + 150.0, (SETTLED_S, partial(play.world.cut_power, C1)))


def broken(store: SqlStore) -> Play:
    """Play a power loss to the bug."""
    play = Play(store, mind=reckless)
    with pytest.raises(ExceptionGroup) as ended:
        lose_power(play)
    assert isinstance(first_of(ended.value), InvariantBroken)
    return play


def test_nothing_of_a_decision_that_breaks_a_law_is_committed_or_sent(store: SqlStore) -> None:
    play = broken(store)

    rows = list(journal.rows(store))
    assert not play.world.requests(*EFFECTS)
    assert not [row for row in rows if _is_off(row.event)]
    assert not play.after().moves
    assert play.guard.rests == 1


def test_it_disarms_in_the_store_on_the_disk_and_in_the_last_row(store: SqlStore) -> None:
    play = broken(store)

    *_, last = journal.rows(store)
    mark = read_high_water(play.memory.mark)
    assert mark is not None
    assert mark.disarmed == store.disarmed() == play.after().control.cause
    assert last.event == on.Armed("ninelives", is_armed=False, cause=mark.disarmed or "")
    assert "PowerRead: law I2 would break: s1" in (mark.disarmed or "")
    assert not play.after().control.is_armed
    assert first_difference(journal.rows(store), decide) is None


def test_the_end_of_it_is_exit_code_70() -> None:
    law = Broken("I1", "s1", "two sends at once")
    group = ExceptionGroup("", [ExceptionGroup("", [InvariantBroken((law,))])])

    with pytest.raises(SystemExit) as ended, Told():
        raise group

    assert ended.value.code == Exit.BUG


def test_another_leader_honours_what_the_store_says(store: SqlStore) -> None:
    broken(store)
    other = Play(store)

    lose_power(other)

    assert not other.world.requests(*EFFECTS)
    assert not other.after().control.is_armed


def test_a_leader_honours_its_own_disk_whatever_the_store_says(store: SqlStore) -> None:
    play = Play(store)
    write_high_water(play.memory.mark, HighWater(store.identity().store_id, 0, 0, "drill"))

    lose_power(play)

    assert not play.world.requests(*EFFECTS)
    assert play.after().control.cause == "drill"


def test_a_store_that_went_back_disarms(store: SqlStore) -> None:
    play = Play(store)
    write_high_water(play.memory.mark, HighWater(store.identity().store_id, 900, 1))

    lose_power(play)

    assert not play.world.requests(*EFFECTS)
    assert play.after().control.cause == "store_behind"


def test_a_store_copied_back_from_earlier_in_the_same_term_disarms(
    store: SqlStore, tmp_path: Path
) -> None:
    play, copy = Play(store), tmp_path / "copy.db"
    play.run(
        SETTLED_S + 150.0,
        (SETTLED_S - 5.0, partial(copied, tmp_path / "store.db", copy)),
        (SETTLED_S, partial(play.world.cut_power, C1)),
    )
    seen = read_high_water(play.memory.mark)
    assert play.world.requests(*EFFECTS), "the term went on after the copy"
    assert store.lease().term == 1
    assert seen is not None

    with closing(open_store(f"sqlite:///{copy}")) as back:
        for _ in range(4):  # it goes on from where it is, and is soon no longer behind
            again = Play(back)
            again.memory = play.memory
            lose_power(again)

            assert not again.world.requests(*EFFECTS)
            assert again.after().control.cause == "store_behind"
        assert back.identity().revision > seen.revision


def test_after_adoption_nothing_is_sent_before_what_was_under_way_has_settled(
    store: SqlStore,
) -> None:
    lost = Play(store)
    lost.run(30.0)
    write_high_water(lost.memory.mark, HighWater(store.identity().store_id, 900, 9))
    clerk = Clerk("clerk-1", lost.world, decide, check, 30.0)

    async def adopts() -> None:
        assert await adopted_store(store, lost.memory, clerk, "ada")

    virtual_loop.run(adopts(), 0, 5000.0)
    assert store.identity().term == 10
    play = Play(store)
    play.memory = lost.memory
    play.run(900.0, (SETTLED_S, partial(play.world.cut_power, C1)))

    settle_s = SETTING.policy.nova_settle_s
    began_s = next(at for at, note in play.notes if note.what == "term.began")
    sent_s = [at - BEGAN for at, what, _ in play.world.asked if what == "nova.evacuate"]
    shot_s = [at - BEGAN for at, what, _ in play.world.asked if what == "power.off"]
    assert min(shot_s) < began_s + settle_s <= min(sent_s), "power is cut, nothing is started"
    assert len(sent_s) == 2
    assert not play.after().control.is_adopted
    assert min(host.epoch for host in play.after().hosts.values()) >= 900
    assert first_difference(journal.rows(store), decide) is None


def test_a_leader_hears_that_a_person_armed(store: SqlStore) -> None:
    store.set_disarmed("drill")
    play = Play(store)

    play.run(60.0, (30.0, partial(store.set_disarmed, None)))

    armed = [row.event for row in journal.rows(store) if isinstance(row.event, on.Armed)]
    assert [event.is_armed for event in armed] == [False, True]
    assert play.after().control.is_armed


def copied(path: Path, copy: Path) -> None:
    """Copy a store while it is in use, as a backup does."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def test_without_the_store_the_disk_remembers(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Deaf(SqlStore):
        def set_disarmed(self, cause: str | None) -> None:
            raise StoreUnavailable("no answer", "is it there?")

    store.__class__ = Deaf
    play = broken(store)

    mark = read_high_water(play.memory.mark)
    assert mark is not None
    assert "law I2" in (mark.disarmed or "")
    assert "disarm.store" in caplog.messages


def test_a_failed_assertion_disarms_as_well(store: SqlStore) -> None:
    play = Play(store, mind=stumbling)

    with pytest.raises(ExceptionGroup):
        lose_power(play)

    assert store.disarmed() == "a bug of ninelives over PowerRead: a planted bug"


def test_what_it_stumbled_over_is_folded_first_with_effects_off(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    play = Play(store, mind=stumbling)
    with pytest.raises(ExceptionGroup):
        lose_power(play)
    assert _is_off(unfinished(play.memory) or on.Woke("")), "kept"

    for mind in (stumbling, decide):
        assert "bug.gone" not in caplog.messages
        again = Play(store, mind=mind)
        again.memory = play.memory
        again.run(60.0)
        assert "bug.still_there" in caplog.messages

    assert "bug.gone" in caplog.messages
    assert unfinished(play.memory) is None
    assert not play.world.requests(*EFFECTS)
    assert not [row for row in journal.rows(store) if _is_off(row.event)]
