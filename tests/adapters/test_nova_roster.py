"""Servers and their records as Nova shows them: what a list leaves out is not believed away."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from tests import virtual_loop

from ninelives.adapters.nova.roster import Roster
from ninelives.adapters.nova.services import Roll, Services
from ninelives.adapters.nova.session import PAGE_ROWS
from ninelives.adapters.nova.shared import together
from ninelives.adapters.nova.views import Names, Surroundings, service_row
from ninelives.adapters.nova.wire import Reply, Request
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.engine.errors import Garbled, Unreachable

from .nova_scripts import DATE, ScriptedWire, reply, session

Value = TypeVar("Value")
IDS = [ServerId(name) for name in ("a", "b", "c", "d")]
V = "/compute/v2.1"
NOT_FOUND = {"itemNotFound": {"message": "Instance a could not be found."}}


BEGAN = datetime(2026, 11, 22, 18, tzinfo=UTC)


def server(name: str, host: str = "c1", updated_s: int = -600) -> Any:
    return {
        "id": name,
        "tenant_id": "p",
        "metadata": {},
        "image": "",
        "flavor": {},
        "updated": (BEGAN + timedelta(seconds=updated_s)).isoformat(),
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [],
        "locked": False,
    }


def record(name: str, number: int, status: str, created: str = "18:00:00") -> Any:
    return {
        "id": number,
        "uuid": f"m{number}",
        "instance_uuid": name,
        "migration_type": "evacuation",
        "source_compute": "c1",
        "dest_compute": None,
        "status": status,
        "created_at": f"2026-11-22T{created}.000000",
    }


def listed(*rows: Any, second: int = 0) -> Reply:
    return reply(
        200,
        {"servers": list(rows)},
        date=format_datetime(BEGAN + timedelta(seconds=second), usegmt=True),
    )


def moves(*rows: Any) -> Reply:
    return reply(200, {"migrations": list(rows)})


def wire(changed: list[Reply], records: list[Reply], servers: list[ServerId] = IDS) -> ScriptedWire:
    """Servers that are each shown once, and what the lists say from then on."""
    told: dict[str, list[Any]] = {f"GET {V}/servers/detail": changed}
    told[f"GET {V}/os-migrations"] = [*[moves()] * len(servers), *records]
    for name in servers:
        told[f"GET {V}/servers/{name}"] = [reply(200, {"server": server(name)}, date=DATE)]
        told[f"GET {V}/servers/{name}/os-instance-actions"] = [reply(200, {"instanceActions": []})]
    return ScriptedWire(told)


def play(told: ScriptedWire, story: Callable[[Roster], Awaitable[Value]]) -> Value:
    async def run() -> Value:
        return await story(Roster(session(told), Surroundings()))

    return virtual_loop.run(run())


async def second_look(roster: Roster) -> dict[str, ServerSeen]:
    await roster.show(IDS)
    return {seen.id: seen for seen in await roster.show(IDS)}


def test_many_are_listed_after_the_first_look() -> None:
    told = wire([listed(server("b", "c2", 30), second=31)], [moves()])

    seen = play(told, second_look)

    assert [seen[name].host for name in IDS] == ["c1", "c2", "c1", "c1"]
    assert len([each for each in told.asked if "/servers/detail" in each.url]) == 1


def test_a_record_that_never_changed_is_found_among_the_newest() -> None:
    # `changes-since` compares `updated_at`, which is NULL for it: no list of changes has it.
    told = wire([listed(second=31)], [moves(record("c", 7, "accepted", "18:00:20"))])

    seen = play(told, second_look)

    assert [move.status for move in seen["c"].records] == ["accepted"]


def test_more_new_records_than_a_page_holds_are_all_read() -> None:
    page = [record("x", 100 + n, "accepted", "18:00:25") for n in range(PAGE_ROWS)]
    told = wire([listed(second=31)], [moves(*page), moves(*page, record("d", 7, "accepted"))])

    seen = play(told, second_look)

    assert [move.id for move in seen["d"].records] == [7]


def test_records_that_were_all_read_once_are_not_all_read_again() -> None:
    async def third_look(roster: Roster) -> int:
        await second_look(roster)
        before = len(told.asked)
        await roster.show(IDS)
        return sum("/os-migrations" in each.url for each in told.asked[before:])

    page = [record("x", 100 + n, "done", "18:00:25") for n in range(PAGE_ROWS)]
    told = wire([listed(second=60), listed(second=62)], [moves(*page)])

    assert play(told, third_look) == 1


def test_an_open_record_that_is_not_among_the_newest_is_looked_for_among_the_changed() -> None:
    async def third_look(roster: Roster) -> dict[str, ServerSeen]:
        await second_look(roster)
        return {seen.id: seen for seen in await roster.show(IDS)}

    first = moves(record("c", 7, "accepted", "18:00:20"))
    told = wire(
        [listed(second=31), listed(second=33)], [first, moves(), moves(record("c", 7, "done"))]
    )

    seen = play(told, third_look)

    assert [move.status for move in seen["c"].records] == ["done"]


def test_a_long_list_that_was_overtaken_by_a_direct_look_says_nothing_new() -> None:
    told = wire([listed(server("b", "c1", 20), second=31)], [moves()])
    told.told[f"GET {V}/servers/b"] = [reply(200, {"server": server("b", "c2", 30)}, date=DATE)]

    seen = play(told, second_look)

    assert seen["b"].host == "c2"


def test_after_a_long_pause_each_is_asked_for_anew() -> None:
    told = wire([listed(second=3000)], [moves()])
    for name in IDS:
        told.told[f"GET {V}/servers/{name}"].append(reply(200, {"server": server(name, "c9")}))

    seen = play(told, second_look)

    assert {each.host for each in seen.values()} == {"c9"}


def test_many_of_whom_nothing_is_known_yet_are_asked_for_each() -> None:
    async def story(roster: Roster) -> tuple[ServerSeen, ...]:
        await roster.on_host(HostId("c1"))
        return await roster.show(IDS)

    told = wire([listed(second=0), listed(second=2)], [moves(), moves()])

    seen = play(told, story)

    assert [each.host for each in seen] == ["c1"] * 4


def test_a_nova_that_does_not_tell_its_time_is_asked_for_each() -> None:
    undated = Reply(200, {}, listed(server("b", "c2")).body)
    told = wire([undated], [moves()])

    seen = play(told, second_look)

    assert seen["b"].host == "c1", "what each was asked for itself counts"


def test_only_novas_own_words_make_a_server_deleted() -> None:
    gone = ScriptedWire({f"GET {V}/servers/a": [reply(404, NOT_FOUND)]})
    proxy = ScriptedWire({f"GET {V}/servers/a": [Reply(404, {}, b"<html>no backend</html>")]})

    [seen] = play(gone, lambda roster: roster.show([IDS[0]]))
    with pytest.raises(Unreachable):
        play(proxy, lambda roster: roster.show([IDS[0]]))

    assert seen.vm_state is VmState.DELETED


def test_a_server_in_a_cell_that_is_down_is_unreadable_not_gone() -> None:
    minimal = {"server": {"id": "a", "status": "UNKNOWN", "tenant_id": "p"}}
    told = wire([], [])
    told.told[f"GET {V}/servers/a"] = [reply(200, minimal)]

    with pytest.raises(Garbled):
        play(told, lambda roster: roster.show([IDS[0]]))


# Many that are read afresh at once.


def checked_together(told: ScriptedWire, *checked: str) -> tuple[dict[str, ServerSeen], list[str]]:
    """Know all, then check some at the same moment: how they are, and what was asked for that."""

    async def story(roster: Roster) -> list[str]:
        await roster.show(IDS)
        before = len(told.asked)

        async def check(name: str) -> None:
            [found[name]] = await roster.show((ServerId(name),))

        await together(map(check, checked))
        return [urlsplit(each.url).path.removeprefix(V) for each in told.asked[before:]]

    found = dict[str, ServerSeen]()
    return found, play(told, story)


def test_who_just_changed_is_checked_by_the_list_of_changes_and_his_users_last_word() -> None:
    stopped = {"action": "stop", "user_id": "u", "start_time": "2026-11-22T18:00:29.000000"}
    rows = [server(name, "c2", 30) for name in "abc"]
    told = wire([listed(*rows, second=31)], [moves()])
    told.told[f"GET {V}/servers/b/os-instance-actions"].append(
        reply(200, {"instanceActions": [stopped]})
    )

    found, asked = checked_together(told, "a", "b", "c")

    assert {seen.host for seen in found.values()} == {"c2"}
    assert found["b"].user_action == "stop"
    assert asked[-5:-3] == ["/servers/detail", "/os-migrations"]
    assert sorted(asked[-3:]) == [f"/servers/{name}/os-instance-actions" for name in "abc"]


def test_who_is_on_no_list_is_read_itself() -> None:
    # A database that forgot its last change shows him as he was before, which no list says.
    told = wire([listed(server("a", "c2", 30), server("b", "c2", 30), second=31)], [moves()])
    told.told[f"GET {V}/servers/c"].append(reply(200, {"server": server("c", "c9", -5)}))

    found, asked = checked_together(told, "a", "b", "c")

    assert [found[name].host for name in "abc"] == ["c2", "c2", "c9"]
    assert asked.count("/os-migrations") == 1, "its records are among those of all"


def test_who_cannot_be_read_keeps_nobody_else_from_being_read() -> None:
    minimal = {"id": "c", "status": "UNKNOWN", "tenant_id": "p"}
    rows = [server(name, "c2", 30) for name in "ab"]
    told = wire([listed(*rows, minimal, second=31)], [moves()])
    told.told[f"GET {V}/servers/b/os-instance-actions"].append(reply(503))
    told.told[f"GET {V}/servers/d"].append(reply(500))

    async def story(roster: Roster) -> list[ServerSeen | BaseException]:
        await roster.show(IDS)
        checks = [roster.show((each,)) for each in IDS]
        found = await asyncio.gather(*checks, return_exceptions=True)
        return [each if isinstance(each, BaseException) else each[0] for each in found]

    seen = play(told, story)

    assert [type(each) for each in seen] == [ServerSeen, Unreachable, Garbled, Unreachable]


def test_who_rests_together_on_a_host_is_checked_by_a_list_of_it() -> None:
    rows = [server(name, "c1") for name in "abcd"]
    told = wire([listed(*rows, second=31)], [moves(record("c", 7, "accepted", "18:00:20"))])

    found, asked = checked_together(told, "b", "c", "d")

    hosts = [parse_qs(urlsplit(each.url).query).get("host") for each in told.asked]
    assert hosts.count(["c1"]) == 1
    assert asked.count("/servers/detail") == 1
    assert [each.status for each in found["c"].records] == ["accepted"]


class SlowLists(ScriptedWire):
    """Lists take their time; whoever is asked for directly answers at once."""

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        if "/servers/detail" in request.url:
            await asyncio.sleep(10.0)
        return await super().exchange(request, deadline_s)


def test_a_list_that_is_too_slow_for_who_waits_is_not_tried_again() -> None:
    async def story(roster: Roster) -> list[str]:
        for first in range(0, 9, 3):
            await roster.show(many[first : first + 3])
        said: list[str] = []

        async def check(server: ServerId) -> None:
            try:
                async with asyncio.timeout(5.0):
                    await roster.show((server,))
                said.append("read")
            except TimeoutError:
                said.append("unread")

        for _ in range(3):
            await together(map(check, many))
        return said

    many = [ServerId(f"s{number}") for number in range(9)]
    told = SlowLists(wire([listed(*map(server, many))], [moves()], many).told)

    said = play(told, story)

    assert "unread" in said[:9]
    assert said[-9:] == ["read"] * 9


# Whether a list is whole.


def whole(version: str, *shown: Any) -> bool:
    told = ScriptedWire(
        {f"GET {V}/": [reply(200, {"version": {"version": version, "min_version": "2.1"}})]}
    )
    services = Services(session(told), Names(), frozenset({HostId("c1"), HostId("c2")}))
    return virtual_loop.run(services.is_whole(Roll(tuple(map(service_row, shown)), None)))


def compute(host: str, status: str = "enabled") -> Any:
    known = {} if status == "UNKNOWN" else {"id": host, "forced_down": False}
    return {"binary": "nova-compute", "host": host, "status": status, **known}


def test_a_cell_that_is_down_makes_a_list_incomplete() -> None:
    assert whole("2.96", compute("c1"), compute("c2"))
    assert not whole("2.96", compute("c1"), compute("c2"), compute("c9", "UNKNOWN"))


def test_before_nova_told_of_such_cells_a_host_is_missing() -> None:
    assert whole("2.60", compute("c1"), compute("c2"))
    assert not whole("2.60", compute("c1"))
