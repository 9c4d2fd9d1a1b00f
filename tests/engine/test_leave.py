"""A controller that is told to leave: it lets go in good order, and the next one goes on."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
from tests import virtual_loop
from tests.engine.play import BEGAN, LEASE_S, SETTLED_S, Play
from tests.engine.stand_ins import HOSTS

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster
from ninelives.core.decide import decide
from ninelives.core.model import Mode, VmState
from ninelives.engine import journal
from ninelives.engine.loop import Wiring, serve
from ninelives.engine.replay import first_difference

C1, C2, C3 = HOSTS


@pytest.fixture
def store(tmp_path: Path) -> Generator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


async def ended_s(wiring: Wiring, leave_after_s: float) -> float:
    """Serve until told to leave; return how long that took from then on."""
    loop = asyncio.get_running_loop()
    told_at = loop.time() + leave_after_s
    loop.call_later(leave_after_s, wiring.leave.set)
    await serve(wiring)
    return loop.time() - told_at


def test_a_leader_that_leaves_lets_go_of_the_lease(store: SqlStore) -> None:
    play = Play(store)

    took_s = virtual_loop.run(ended_s(play.wiring("ctl-a/1"), 60.0), 0, BEGAN)

    assert store.lease().holder == ""
    assert play.guard.until is None
    assert took_s < 2.0


def test_a_standby_leaves_without_having_led(store: SqlStore) -> None:
    assert store.take(store.lease(), "ctl-b/1")
    play = Play(store)

    took_s = virtual_loop.run(ended_s(play.wiring("ctl-a/1"), 5.0), 0, BEGAN)

    assert took_s < 2.0
    assert store.lease() == ("ctl-b/1", 1, store.lease().beat)


def test_who_leaves_waits_for_the_answer_to_what_is_out(store: SqlStore) -> None:
    """Told to leave at the very evacuate: it is answered, and the next one need not look it up."""
    play = Play(store)

    async def main() -> None:
        first, second = play.wiring("ctl-a/1"), play.wiring("ctl-b/1")
        loop = asyncio.get_running_loop()
        loop.call_later(SETTLED_S, play.world.cut_power, C1)
        play.world.before = lambda what, _: first.leave.set() if what == "nova.evacuate" else None
        await serve(first)
        play.world.before = lambda _what, _about: None
        assert loop.time() < BEGAN + SETTLED_S + 60.0
        await ended_s(second, 200.0)

    virtual_loop.run(main(), 0, BEGAN)

    sends = [about.split()[0] for _, about in play.world.requests("nova.evacuate")]
    assert sorted(sends) == ["s1", "s2"]
    assert all(s.vm_state is VmState.ACTIVE and s.host != C1 for s in play.world.servers.values())
    assert isinstance(play.after().hosts[C1].state, at.Vacated)
    answers = [row.event for row in journal.rows(store) if isinstance(row.event, on.Replied)]
    assert not any(reply.outcome is on.Outcome.UNKNOWN for reply in answers)
    assert "failed" not in {what for _, (_, what, *_) in play.notes}
    assert first_difference(journal.rows(store), decide) is None


def test_who_hangs_in_an_answer_leaves_all_the_same(store: SqlStore) -> None:
    play = Play(store)

    async def main() -> float:
        wiring = play.wiring("ctl-a/1")
        asyncio.get_running_loop().call_later(SETTLED_S, play.world.cut_power, C1)

        def hang(what: str, _about: str) -> None:
            if what == "power.off":
                play.world.stuck_s = 1e6
                wiring.leave.set()

        play.world.before = hang
        await serve(wiring)
        return asyncio.get_running_loop().time()

    virtual_loop.run(main(), 0, BEGAN)

    assert store.lease().holder == ""


def test_a_term_opens_with_what_it_is_told_first(store: SqlStore) -> None:
    """The mode stands before anything left over from an earlier term could go out."""
    play = Play(store)
    seen: list[Mode] = []

    def opening(cluster: Cluster) -> tuple[on.Event, ...]:
        seen.append(cluster.control.mode)
        return (on.ModeSet("the configuration", Mode.OBSERVE),)

    wiring = replace(play.wiring("ctl-a/1"), opening=opening)

    async def main() -> None:
        asyncio.get_running_loop().call_later(SETTLED_S, play.world.cut_power, C1)
        await ended_s(wiring, SETTLED_S + 2 * LEASE_S + 60.0)

    virtual_loop.run(main(), 0, BEGAN)

    events = [row.event for row in journal.rows(store)]
    assert isinstance(events[0], on.TermBegan)
    assert isinstance(events[1], on.ModeSet)
    assert seen == [Mode.ACT]
    assert not play.world.requests("power.off", "nova.evacuate", "nova.force_down", "nova.disable")
    assert any(note.what == "brake.held" or "mode" in note for _, note in play.notes)
