"""Answers that overtake each other: what a newer question saw is not taken back by an older one."""

from dataclasses import replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import BackendId, HostId, Power, RoadId, ServerId, ServerSeen, VmState
from ninelives.engine.looks import KEPT_MAX, Looks

C1, C2, WEB, MAIL = HostId("c1"), HostId("c2"), ServerId("web"), ServerId("mail")
BEFORE = ServerSeen(WEB, C1, VmState.ERROR, None, is_running=False)
AFTER = replace(BEFORE, host=C2, vm_state=VmState.ACTIVE, is_running=True)
OTHER = ServerSeen(MAIL, C1, VmState.ACTIVE, None, is_running=True)
LIST, WATCH = do.ListServers(C1, 1, 0), do.Watch(C1, 1, (WEB,))


def asked_twice() -> tuple[Looks, int, int]:
    looks = Looks()
    return looks, looks.ask(), looks.ask()


def test_answers_in_order_are_told_as_they_are() -> None:
    looks, first, second = asked_twice()
    old, new = on.Listed(LIST, (BEFORE,), is_complete=True), on.Watched(WATCH, (AFTER,))

    assert looks.told(first, old) == old
    assert looks.told(second, new) == new
    assert looks.told(second, new) == new  # twice: it says nothing else


def test_a_list_that_comes_late_tells_of_a_server_what_a_newer_look_saw_and_keeps_the_others() -> (
    None
):
    looks, first, second = asked_twice()
    looks.told(second, on.Watched(WATCH, (AFTER,)))

    late = looks.told(first, on.Listed(LIST, (BEFORE, OTHER), is_complete=True))

    assert late == on.Listed(LIST, (AFTER, OTHER), is_complete=True)


def test_a_domain_seen_absent_before_it_was_seen_there_is_there() -> None:
    looks, first, second = asked_twice()
    look = do.LookForDomain(WEB, (C1, C2), 1)
    looks.told(second, on.DomainsSeen(replace(look, hosts=(C2,)), ((C2, True),)))

    late = looks.told(first, on.DomainsSeen(look, ((C1, False), (C2, False))))

    assert late == on.DomainsSeen(look, ((C1, False), (C2, True)))


def test_a_device_read_before_the_last_reading_says_nothing_any_more() -> None:
    looks, first, second = asked_twice()
    road, backend = RoadId("c1-bmc"), BackendId("ceph")
    looks.told(second, on.PowerRead(C1, road, Power.ON))
    looks.told(second, on.StorageSeen(C1, backend, watched=True, revoked=False))

    assert looks.told(first, on.PowerRead(C1, road, Power.OFF)) is None
    assert looks.told(first, on.PowerRead(C2, road, Power.OFF)) is not None
    assert looks.told(first, on.StorageSeen(C1, backend, watched=False, revoked=True)) is None


def test_no_more_than_a_bounded_number_of_servers_is_remembered() -> None:
    looks = Looks()
    for number in range(KEPT_MAX + 10):
        server = replace(BEFORE, id=ServerId(f"s{number}"))
        looks.told(looks.ask(), on.Watched(WATCH, (server,)))

    assert len(looks.servers) == KEPT_MAX
    assert ServerId("s0") not in looks.servers
