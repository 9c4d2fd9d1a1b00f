"""The source that watches Nova, as the engine runs it: look, tell, wait, for ever."""

import asyncio

from tests import virtual_loop

from ninelives.adapters.nova.services import Services
from ninelives.adapters.nova.views import Names
from ninelives.adapters.nova.watch import NovaWatch, Watched
from ninelives.adapters.nova.wire import Lost, Reply
from ninelives.core.events import CanarySeen, Event, NovaSeen
from ninelives.core.model import HostId

from .nova_scripts import ScriptedWire, Somebody, reply, session

LIST, TOKEN = "GET /compute/v2.1/os-services", "GET /identity/v3/auth/tokens"


def services(state: str) -> Reply:
    row = {
        "id": "1",
        "host": "c1",
        "binary": "nova-compute",
        "zone": "nova",
        "status": "enabled",
        "state": state,
        "forced_down": False,
        "disabled_reason": None,
        "updated_at": "2026-11-22T18:00:00.000000",
    }
    return reply(200, {"services": [row]})


def told_within(wire: ScriptedWire, wait_s: float) -> list[tuple[float, Event]]:
    told: list[tuple[float, Event]] = []

    async def tell(event: Event) -> None:
        told.append((asyncio.get_running_loop().time(), event))

    async def story() -> None:
        identity = Somebody()
        seen = Services(session(wire, identity), Names(), frozenset())
        watched = Watched(frozenset(), lambda _: 30.0)
        watch = NovaWatch(seen, identity, wire, Names(), watched)
        try:
            async with asyncio.timeout(wait_s):
                await watch.observe(tell)
        except TimeoutError:
            return

    virtual_loop.run(story())
    return told


def test_what_changes_is_told_at_the_next_look() -> None:
    wire = ScriptedWire({LIST: [services("up"), services("down")], TOKEN: [reply(200, {})]})

    told = told_within(wire, 11.0)

    assert told == [(5.0, NovaSeen(HostId("c1"), False, False, False, False, True))]
    assert len(wire.asked) == 1 + 3 * 2, "the version once, and two questions a look"


def test_an_api_that_is_away_is_told_and_so_is_its_return() -> None:
    answers = [services("up"), Lost("reset"), services("up")]
    wire = ScriptedWire({LIST: answers, TOKEN: [reply(200, {})]})

    told = told_within(wire, 11.0)

    assert told == [(5.0, CanarySeen("nova", False)), (10.0, CanarySeen("nova", True))]


def test_a_keystone_that_is_away_is_told() -> None:
    wire = ScriptedWire({LIST: [services("up")], TOKEN: [reply(503), reply(200, {})]})

    told = told_within(wire, 6.0)

    assert told == [(0.0, CanarySeen("keystone", False)), (5.0, CanarySeen("keystone", True))]


def test_a_keystone_that_knows_our_token_no_more_gives_another_one() -> None:
    wire = ScriptedWire({LIST: [services("up")], TOKEN: [reply(404), reply(200, {})]})

    told = told_within(wire, 6.0)

    assert told == []
    assert wire.asked[-1].headers["X-Subject-Token"] == "token-2"
