"""The real loop, perform, mind and SQLite in virtual time, against stand-ins behind the ports."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests import virtual_loop
from tests.engine.play import BEGAN, LEASE_S, MARGIN_S, SETTING, SETTLED_S, Play, served
from tests.engine.stand_ins import HOSTS, ME

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.actions import HandOver
from ninelives.core.cluster import Cluster, Decision, Views
from ninelives.core.decide import decide
from ninelives.core.model import ServerId, VmState
from ninelives.engine import journal
from ninelives.engine.clock import SystemClock
from ninelives.engine.errors import GuardLost
from ninelives.engine.loop import Tell, lead, serve, stand_by
from ninelives.engine.node import Ready, lawless
from ninelives.engine.replay import first_difference
from ninelives.engine.writer import Writer
from ninelives.sim.minds import nothing_against

PATIENCE_S = 30.0  # of a test that runs in true time: long enough for any machine
C1, C2, C3 = HOSTS


@pytest.fixture
def store(tmp_path: Path) -> Generator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def power_loss(store: SqlStore, seed: int) -> Play:
    play = Play(store, seed)
    play.run(SETTLED_S + 150.0, (SETTLED_S, partial(play.world.cut_power, C1)))
    return play


@pytest.mark.parametrize("seed", range(3))
def test_a_power_loss_is_seen_proved_and_healed(store: SqlStore, seed: int) -> None:
    play = power_loss(store, seed)

    after, servers = play.after(), play.world.servers
    assert isinstance(after.hosts[C1].state, at.Vacated), play.notes
    for name in ("s1", "s2"):
        assert servers[ServerId(name)].host in (C2, C3)
        assert servers[ServerId(name)].vm_state is VmState.ACTIVE
    sends = play.world.requests("nova.evacuate")
    assert sorted(about.split()[0] for _, about in sends) == ["s1", "s2"]
    assert play.world.requests("power.off") == [("power.off", C1)]
    assert not play.world.requests("power.on", "nova.stop", "nova.reboot")


def test_the_proof_comes_before_nova_hears_of_it(store: SqlStore) -> None:
    play = power_loss(store, 0)

    order = [what for what, _ in play.world.requests("power.off", "nova.force_down")]
    first_evacuate = play.world.requests("power.off", "nova.force_down", "nova.evacuate")
    assert order[0] == "power.off"
    assert [what for what, _ in first_evacuate].index("nova.evacuate") >= 2


def test_a_server_is_read_again_directly_before_it_is_sent(store: SqlStore) -> None:
    play = power_loss(store, 0)

    asked = [(what, about.split()[0]) for _, what, about in play.world.asked]
    for name in ("s1", "s2"):
        sent = asked.index(("nova.evacuate", name))
        assert ("nova.show", name) in asked[:sent]


def test_the_same_seed_gives_the_same_day(tmp_path: Path) -> None:
    days: list[list[tuple[float, str, str]]] = []
    for number, seed in enumerate((1, 1, 2)):
        opened = open_store(f"sqlite:///{tmp_path}/{number}.db")
        days.append(power_loss(opened, seed).world.asked)
        opened.close()

    assert days[0] == days[1]
    assert days[0] != days[2]


def test_the_journal_of_that_day_replays(store: SqlStore) -> None:
    power_loss(store, 0)

    assert first_difference(journal.rows(store), decide) is None


def test_every_decision_is_published_once_and_in_order(store: SqlStore) -> None:
    play = power_loss(store, 0)

    assert play.revisions == list(range(1, len(play.revisions) + 1))
    assert store.identity().revision - len(play.revisions) in range(5)


# --------------------------------------------------------------------------------- last checks


def test_who_lost_the_lease_sends_nothing_more(store: SqlStore) -> None:
    """Another controller takes the lease between the commit and the send."""
    play, usurped = Play(store), list[float]()

    def usurp(what: str, about: str) -> None:
        if what == "nova.show" and not usurped:
            assert store.take(store.lease(), "ctl-b/1")
            usurped.append(play.world.now())

    play.world.before = usurp
    play.run(SETTLED_S + 150.0, (SETTLED_S, partial(play.world.cut_power, C1)))

    # The other one never beats, so that ours leads again in the end; and not an instant before.
    sends = [when for when, what, _ in play.world.asked if what == "nova.evacuate"]
    assert len(sends) == 2
    assert min(sends) >= usurped[0] + LEASE_S + MARGIN_S
    assert store.lease().term == 3


def test_a_server_that_moved_meanwhile_is_not_sent(store: SqlStore) -> None:
    play = Play(store)

    def move(what: str, about: str) -> None:
        seen = play.world.servers[ServerId("s1")]
        if what == "nova.show" and about == "s1" and seen.host == C1:
            play.world.servers[seen.id] = replace(seen, host=C3)

    play.world.before = move
    play.run(SETTLED_S + 100.0, (SETTLED_S, partial(play.world.cut_power, C1)))

    assert [about[:2] for _, about in play.world.requests("nova.evacuate")] == ["s2"]


def test_disarmed_by_another_controller_means_no_send_at_once(store: SqlStore) -> None:
    play = Play(store)

    def disarm(what: str, about: str) -> None:
        if what == "nova.show":
            store.set_disarmed("drill")

    play.world.before = disarm
    play.run(SETTLED_S + 100.0, (SETTLED_S, partial(play.world.cut_power, C1)))

    assert not play.world.requests("nova.evacuate")
    assert not play.after().control.is_armed
    assert play.after().control.cause == "drill"


def test_a_deaf_guard_ends_the_term_before_anything_begins(store: SqlStore) -> None:
    play = Play(store)
    play.guard.hears = False

    play.run(60.0)

    assert store.identity().revision == 0
    assert not play.world.asked


def test_a_guard_that_lets_a_deadline_pass_ends_the_process(store: SqlStore) -> None:
    play = Play(store)

    def deaf() -> None:
        play.guard.hears = False

    with pytest.raises(ExceptionGroup) as ended:
        play.run(120.0, (30.0, deaf))

    assert isinstance(ended.value.exceptions[0], GuardLost)


# --------------------------------------------------------------------------------- terms


def test_a_new_leader_sends_nothing_a_second_time(store: SqlStore) -> None:
    """The first is gone in the very moment in which Nova accepts; nobody hears the answer."""
    play = Play(store)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(SETTLED_S, play.world.cut_power, C1)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(served(play.wiring("ctl-a/1"), 1e6))
            play.world.before = lambda what, _: first.cancel() if what == "nova.evacuate" else None
        play.world.before = lambda _what, _about: None
        await served(play.wiring("ctl-b/1"), 900.0)

    virtual_loop.run(main(), 0, BEGAN)

    assert store.lease().term == 2
    begun = [row.event for row in journal.rows(store) if isinstance(row.event, on.TermBegan)]
    assert begun == [
        on.TermBegan(1, ME, is_unclean=False, setting=SETTING),
        on.TermBegan(2, ME, is_unclean=True),
    ]
    sends = [about.split()[0] for _, about in play.world.requests("nova.evacuate")]
    assert sorted(sends) == ["s1", "s2"]
    assert all(s.vm_state is VmState.ACTIVE and s.host != C1 for s in play.world.servers.values())
    assert isinstance(play.after().hosts[C1].state, at.Vacated)
    assert first_difference(journal.rows(store), decide) is None


def test_a_standby_takes_over_only_after_lease_and_margin(store: SqlStore) -> None:
    assert store.take(store.lease(), "ctl-b/1")
    play = Play(store)

    async def main() -> float:
        await stand_by(play.wiring("ctl-a/1"))
        return asyncio.get_running_loop().time() - BEGAN

    took_s = virtual_loop.run(main(), 0, BEGAN)

    assert LEASE_S + MARGIN_S <= took_s < LEASE_S + MARGIN_S + 2.0
    assert store.lease().term == 2


def handing_over(_cluster: Cluster, event: on.Event, _now: float) -> Decision:
    """A mind that wants somebody else to lead as soon as it does."""
    assert isinstance(event, on.TermBegan)
    hands = (HandOver("drill", event.term),)
    return Decision({}, {}, {}, None, {}, Views(event.term), {}, {}, hands, ())


def test_who_hands_over_lets_go_last_of_all_and_rests(store: SqlStore) -> None:
    play = Play(store)
    wiring = replace(
        play.wiring("ctl-a/1"),
        decide=handing_over,
        laws=lawless,
        objection=nothing_against,
        sources=(),
    )
    seen: list[tuple[float, str, float | None]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for after_s in (2.0, 59.0, 65.0):
            loop.call_later(after_s, lambda: seen.append((loop.time(), *told())))
        await served(wiring, 70.0)

    def told() -> tuple[str, float | None]:
        return store.lease().holder, play.guard.until

    virtual_loop.run(main(), 0, BEGAN)

    assert [holder for _, holder, _ in seen] == ["", "", ""]
    assert all(until is None for _, _, until in seen)
    assert store.lease().term == 2, "it led again, after its rest, as nobody else wanted to"
    begun = [row.event for row in journal.rows(store)]
    assert begun == [on.TermBegan(1, ME, setting=SETTING), on.TermBegan(2, ME, is_unclean=True)]


def test_a_standby_takes_at_once_what_was_let_go(store: SqlStore) -> None:
    row = store.take(store.lease(), "ctl-b/1")
    assert row is not None
    play = Play(store)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(5.0, store.release, row)
        await stand_by(play.wiring("ctl-a/1"))
        return loop.time() - BEGAN

    took_s = virtual_loop.run(main(), 0, BEGAN)

    assert 5.0 <= took_s <= 6.5
    assert store.lease().holder == "ctl-a/1"


def test_the_true_loop_clock_and_writer_do_the_same(store: SqlStore) -> None:
    """Threads and time as they are: a term begins, is durable, published, and ends when told."""
    play, seen = Play(store), list[Ready]()

    async def main() -> None:
        begun, heard = asyncio.Event(), asyncio.Event()

        def published(ready: Ready) -> None:
            seen.append(ready)
            (heard if isinstance(ready.event, on.CanarySeen) else begun).set()

        async def source(tell: Tell) -> None:
            await begun.wait()
            await tell(on.CanarySeen("nova", is_ok=True))

        wiring = replace(
            play.wiring("ctl-a/1"), open_writer=Writer, published=published, sources=(source,)
        )
        wiring = replace(wiring, ports=replace(wiring.ports, clock=SystemClock()))
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            leading = tasks.create_task(serve(wiring))
            await heard.wait()
            leading.cancel()

    asyncio.run(main(), debug=True)  # also refuses what is called from the wrong thread

    assert seen[0].event == on.TermBegan(1, ME, setting=SETTING)
    assert store.identity().revision >= 2
    assert play.guard.rests == 1
    assert abs(next(journal.rows(store)).wall - SystemClock().wall()) < PATIENCE_S


def test_a_lost_lease_ends_the_term_and_lets_the_guard_rest(store: SqlStore) -> None:
    play = Play(store)

    def usurp() -> None:
        assert store.take(store.lease(), "ctl-b/1")

    async def main() -> None:
        hold = await stand_by(play.wiring("ctl-a/1"))
        assert hold is not None
        asyncio.get_running_loop().call_later(20.0, usurp)
        await lead(play.wiring("ctl-a/1"), hold)

    with pytest.raises(ExceptionGroup) as ended:
        virtual_loop.run(main(), 0, BEGAN)

    assert "another controller leads" in str(ended.value.exceptions[0])
    assert play.guard.rests == 1


def test_an_own_freeze_is_folded_before_what_it_made_us_miss(store: SqlStore) -> None:
    """Nobody ran for ten seconds: that is our fault, and comes before the overdue wake."""
    play = Play(store)

    def freeze() -> None:
        play.world.jump_s = 10.0

    play.run(60.0, (30.0, freeze))

    events = [row.event for row in journal.rows(store)]
    names = [type(event).__name__ for event in events]
    assert names.count("OwnFault") == 2
    fault = names.index("OwnFault")
    assert all(row.at < 1035.0 for row in list(journal.rows(store))[:fault])
