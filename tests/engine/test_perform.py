"""Each action reaches its one port, and whatever comes back is an event that says no more."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import get_args

import pytest
from tests import virtual_loop
from tests.engine.stand_ins import (
    CEPH,
    HOSTS,
    SITE,
    Agents,
    Bmcs,
    Ceph,
    Nova,
    Pager,
    QuietGuard,
    World,
)

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Control
from ninelives.core.draft import restored
from ninelives.core.model import Power, RoadId, ServerId, ServerSeen, Service
from ninelives.core.policy import BALANCED
from ninelives.engine.errors import Garbled, HandedOver, LeaseLost, PortError, Refused, Unreachable
from ninelives.engine.lease import Watch, taken
from ninelives.engine.looks import Looks
from ninelives.engine.office import Office
from ninelives.engine.perform import Desk, perform
from ninelives.engine.ports import Ports
from ninelives.sim.memory_store import MemoryStore

C1, C2, _ = HOSTS
S1 = ServerId("s1")
BMC = RoadId("bmc-c1")
HAND_OVER = do.HandOver("vantage", 1)  # reaches no port: it ends the term
ORDERS: dict[do.Absolute | do.Send | do.Tell, tuple[str, str]] = {
    do.PowerOff(C1, BMC, 1, 1): ("power.off", "c1"),
    do.PowerOn(C1, 1, 1): ("power.on", "c1"),
    do.Revoke(C1, CEPH, 1): ("storage.revoke", "c1"),
    do.LiftRevocation(C1, CEPH, 1): ("storage.lift", "c1"),
    do.Disable(C1, 1): ("nova.disable", "c1"),
    do.Enable(C1, 1): ("nova.enable", "c1"),
    do.Reserve(C1, enabled=True): ("nova.reserve", "c1"),
    do.ForceDown(C1, 1): ("nova.force_down", "c1"),
    do.ForceUp(C1, 1, 1): ("nova.force_up", "c1"),
    do.StartCompute(C1, 1, None, 1): ("agent.compute", "c1"),
    do.OpenGate(C1, 1, None): ("agent.gate", "c1"),
    do.Restart(C1, 1, Service.LIBVIRT, 1): ("agent.restart", "c1"),
    do.StopServer(S1, 1): ("nova.stop", "s1"),
    do.Evacuate(S1, C1, C2, 1, 1): ("nova.evacuate", "s1 to c2"),
    do.ResetState(S1, C1, 1, 1): ("nova.reset", "s1"),
    do.StartServer(S1, C1, 1, 1): ("nova.start", "s1"),
    do.HardReboot(S1, C1, 1, 1): ("nova.reboot", "s1"),
    do.LiveMigrate(S1, C1, 1, 1): ("nova.migrate", "s1"),
    do.Tell("c1", "host.held", 1): ("told", "c1 host.held"),
}
READS: dict[do.Read, on.Event | None] = {
    do.ReadPower(C1, 1): on.PowerRead(C1, BMC, Power.UNREADABLE),
    do.ReadStorage(C1, 1): on.StorageSeen(C1, CEPH, watched=None, revoked=None),
    do.AskAttestation(C1, 1): None,
    do.AskPromises(C1, 1): None,
    do.ListServers(C1, 1, 0): on.Listed(do.ListServers(C1, 1, 0), (), is_complete=False),
    do.Watch(C1, 1, (S1,)): None,
    do.AskTargets(S1, 1): None,
    do.LookForDomain(S1, (C1, C2), 1): on.DomainsSeen(
        do.LookForDomain(S1, (C1, C2), 1), ((C1, None), (C2, None))
    ),
}


class Caller:
    """One desk in a loop of its own, and what was reported to it."""

    def __init__(self) -> None:
        self.world, self.heard = World(Random(0)), list[on.Event]()
        self.world.add_server("s1", C1)
        self.says = ""
        self.ended_at = 0.0
        self.seen: list[ServerSeen | None] = []

    def perform(self, action: do.Action) -> list[on.Event]:
        virtual_loop.run(self._perform(action), 0, 1000.0)
        return self.heard

    async def _perform(self, action: do.Action) -> None:
        world, store, guard = self.world, MemoryStore(), QuietGuard()
        hold = taken(store, Watch(store.lease(), 0.0), "me", world.now, 15.0, 3.0)
        assert hold is not None
        ports = Ports(
            store, world, guard, Bmcs(world), Ceph(world), Nova(world), Agents(world),
            Pager(world),
        )  # fmt: skip
        cluster = restored(SITE, BALANCED, Control(), (), (), ())
        office = Office(store, world, guard, hold)
        await perform(
            Desk(ports, office, cluster, self._object, self._report, Looks()), action, 1000.0
        )
        self.ended_at = world.now()

    def _object(
        self, cluster: Cluster, action: do.Action, now: float, seen: ServerSeen | None
    ) -> str:
        self.seen.append(seen)
        return self.says

    async def _report(self, event: on.Event) -> None:
        self.heard.append(event)


def fails(how: Exception) -> Callable[[str, str], None]:
    def before(what: str, about: str) -> None:
        if what != "nova.show":
            raise how

    return before


def test_every_action_there_is_is_tried_here() -> None:
    named = {type(action) for action in (*ORDERS, *READS, HAND_OVER)}

    assert named == {*get_args(do.Read), *get_args(do.Absolute), *get_args(do.Send), do.Tell}


def test_handing_over_reaches_nobody_and_ends_the_term() -> None:
    desk = Caller()

    with pytest.raises(HandedOver, match="vantage"):
        desk.perform(HAND_OVER)

    assert not desk.world.asked
    assert not desk.heard


@pytest.mark.parametrize("action", ORDERS, ids=lambda action: type(action).__name__)
def test_an_order_reaches_its_port_once_and_is_answered_whole(
    action: do.Absolute | do.Send | do.Tell,
) -> None:
    desk = Caller()

    heard = desk.perform(action)

    asked = [(what, about) for _, what, about in desk.world.asked if what != "nova.show"]
    assert asked == [ORDERS[action]]
    assert heard == [on.Replied(action, on.Outcome.DONE)]


FAILURES: list[tuple[Exception, on.Outcome, str]] = [
    (Unreachable("no route"), on.Outcome.UNKNOWN, "unreachable"),
    (Refused("409"), on.Outcome.REFUSED, "refused"),
    (Garbled("<html>"), on.Outcome.UNKNOWN, "garbled"),
    (PortError("odd"), on.Outcome.UNKNOWN, "failed"),
    (KeyError("id"), on.Outcome.UNKNOWN, "bug"),
    (AssertionError("ours"), on.Outcome.UNKNOWN, "bug"),
]


@pytest.mark.parametrize(("how", "outcome", "reason"), FAILURES, ids=repr)
@pytest.mark.parametrize(
    "action", [do.PowerOff(C1, BMC, 1, 1), do.Evacuate(S1, C1, C2, 1, 1), do.Tell("c1", "x", 1)]
)
def test_an_order_without_a_clear_answer_is_unknown(
    action: do.Absolute | do.Send | do.Tell, how: Exception, outcome: on.Outcome, reason: str
) -> None:
    desk = Caller()
    desk.world.before = fails(how)

    (heard,) = desk.perform(action)

    assert isinstance(heard, on.Replied)
    assert (heard.action, heard.outcome, heard.reason) == (action, outcome, reason)


def test_an_answer_that_does_not_come_is_unknown_in_time() -> None:
    desk, off = Caller(), do.PowerOff(C1, BMC, 1, 1)
    desk.world.stuck_s = 1e6

    assert desk.perform(off) == [on.Replied(off, on.Outcome.UNKNOWN, "timeout")]
    assert desk.ended_at == pytest.approx(1000.0 + BALANCED.off_timeout_s, abs=1.0)


# Every stand-in of a read fails alike: not reached, garbled, or by a bug of its own.
@pytest.mark.parametrize("how", [Unreachable("x"), Garbled("x"), Refused("x"), KeyError("x")])
@pytest.mark.parametrize("action", READS, ids=lambda action: type(action).__name__)
def test_what_cannot_be_read_is_unknown_and_never_down(action: do.Read, how: Exception) -> None:
    desk = Caller()
    desk.world.before = fails(how)
    if isinstance(action, do.Watch):
        desk.world.before = raising(how)

    heard = desk.perform(action)

    expected = READS[action]
    assert heard == ([] if expected is None else [expected])


def raising(how: Exception) -> Callable[[str, str], None]:
    def before(what: str, about: str) -> None:
        raise how

    return before


def test_what_can_be_read_is_told() -> None:
    desk = Caller()
    desk.world.powered[C1] = False
    (s1,) = desk.world.servers.values()

    heard = [desk.perform(action)[-1] for action in READS if type(action) is not do.AskAttestation]

    assert heard[0] == on.PowerRead(C1, BMC, Power.OFF)
    assert heard[1] == on.StorageSeen(C1, CEPH, watched=False, revoked=False)
    assert isinstance(heard[2], on.Promised)
    assert heard[3] == on.Listed(do.ListServers(C1, 1, 0), (s1,), is_complete=True)
    assert heard[4] == on.Watched(do.Watch(C1, 1, (S1,)), (s1,))
    assert isinstance(heard[5], on.TargetsSeen)
    assert heard[6] == on.DomainsSeen(do.LookForDomain(S1, (C1, C2), 1), ((C1, None), (C2, False)))


# --------------------------------------------------------------------------------- last check


ABOUT_SERVERS = [order for order in ORDERS if hasattr(order, "server")]


@pytest.mark.parametrize("action", ABOUT_SERVERS, ids=lambda action: type(action).__name__)
def test_an_order_about_a_server_is_judged_by_how_it_is_now(
    action: do.Absolute | do.Send,
) -> None:
    desk = Caller()
    now = desk.world.servers[S1]

    desk.perform(action)

    assert desk.seen == [now]
    assert next(what for _, what, _ in desk.world.asked) == "nova.show"


def unreachable(world: World) -> None:
    world.before = raising(Unreachable("no route"))


def gone(world: World) -> None:
    world.servers.clear()


def another(world: World) -> None:
    world.servers[S1] = replace(world.servers[S1], id=ServerId("s2"))


@pytest.mark.parametrize("trouble", [unreachable, gone, another])
@pytest.mark.parametrize("action", ABOUT_SERVERS, ids=lambda action: type(action).__name__)
def test_a_server_that_cannot_be_read_is_left_alone(
    action: do.Absolute | do.Send, trouble: Callable[[World], None]
) -> None:
    desk = Caller()
    trouble(desk.world)

    assert desk.perform(action) == [on.Replied(action, on.Outcome.NOT_SENT, "unread")]
    assert {what for _, what, _ in desk.world.asked} == {"nova.show"}


@pytest.mark.parametrize("action", ORDERS, ids=lambda action: type(action).__name__)
def test_what_is_objected_to_is_not_sent(action: do.Absolute | do.Send | do.Tell) -> None:
    desk = Caller()
    desk.says = "storm"

    heard = desk.perform(action)

    if isinstance(action, do.Tell):
        assert heard == [on.Replied(action, on.Outcome.DONE)]
    else:
        assert heard == [on.Replied(action, on.Outcome.NOT_SENT, "storm")]
        assert {what for _, what, _ in desk.world.asked} <= {"nova.show"}


def test_a_lost_lease_is_no_answer_but_the_end() -> None:
    desk = Caller()
    desk.world.before = fails(LeaseLost("gone"))

    with pytest.raises(LeaseLost):
        desk.perform(do.Disable(C1, 1))
    assert not desk.heard


def test_a_host_without_devices_has_nothing_to_read() -> None:
    desk = Caller()

    assert desk.perform(do.LookForDomain(S1, (), 1)) == [
        on.DomainsSeen(do.LookForDomain(S1, (), 1), ())
    ]
