"""The real adapter and the stand-in in one process and in virtual time."""

import asyncio
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from tests import virtual_loop

from ninelives.adapters.nova.compute import NovaCompute, Site
from ninelives.adapters.nova.wire import Request
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, ServerId
from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.nova_services import service_uuid
from ninelives.sim.cloud.stand_in import StandIn

from .in_process import AdminIdentity, InProcessWire, cloud_in_this_loop, scope_of

SERVERS = 60
LOOKS_MAX = 300
DEAD, TARGETS = HostId("c1"), [HostId(f"c{number}") for number in range(2, 6)]


async def recover(plan: Plan) -> tuple[StandIn, float]:
    """Fence a host by hand and send all of its servers elsewhere; returns when all had arrived."""
    app = cloud_in_this_loop(plan)
    compute = NovaCompute(InProcessWire(app), AdminIdentity(app), Site())
    began = asyncio.get_running_loop().time()
    app.stand_in.power_off(DEAD)
    assert (await compute.force_down(DEAD)).outcome is Outcome.DONE
    assert (await compute.disable(DEAD, 1)).outcome is Outcome.DONE
    servers, is_whole = await compute.list_servers(DEAD)
    assert is_whole
    for number, server in enumerate(servers):
        target = TARGETS[number % len(TARGETS)]
        assert (await compute.evacuate(ServerId(server.id), target)).outcome is Outcome.DONE
    for _ in range(LOOKS_MAX):
        if all(app.stand_in.nova.servers[each.id].host != DEAD for each in servers):
            break
        await asyncio.sleep(1.0)
    return app.stand_in, asyncio.get_running_loop().time() - began


def test_a_minute_of_recovery_takes_a_moment_and_every_server_runs_elsewhere_once() -> None:
    plan = Plan(hosts=5, servers=SERVERS, spawn_s=5.0)

    stand_in, took_s = virtual_loop.run(recover(plan))

    hosts = {server.host for server in stand_in.nova.servers.values()}
    assert hosts == {"c2", "c3", "c4", "c5"}
    assert stand_in.ran_twice == {}
    assert 5.0 < took_s < 60.0


def test_the_same_seed_gives_the_same_run() -> None:
    plan = replace(Plan(hosts=5, servers=20), spawn_s=1.0)

    first, second = (virtual_loop.run(recover(plan), seed=7) for _ in range(2))

    assert first[1] == second[1]
    assert first[0].nova.migrations == second[0].nova.migrations


def test_a_caller_that_dies_in_the_middle_of_its_request_is_answered_by_nobody() -> None:
    """A controller that is killed: that is no fault of the cloud's."""
    assert virtual_loop.run(half_a_force_down()) == []


async def half_a_force_down() -> list[object]:
    app, said = cloud_in_this_loop(Plan(hosts=1)), list[object]()
    url = f"http://stand-in/compute/v2.1/os-services/{service_uuid(DEAD)}"
    headers = {**await AdminIdentity(app).headers(), "X-OpenStack-Nova-API-Version": "2.53"}
    halves = iter(
        (
            {"type": "http.request", "body": b'{"forced_down": true}', "more_body": True},
            {"type": "http.disconnect"},
        )
    )

    async def receive() -> MutableMapping[str, Any]:
        return next(halves)

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await app(scope_of(Request("PUT", url, headers)), receive, send)
    return said
