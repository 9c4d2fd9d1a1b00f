"""How much Nova is asked while a full host is brought back: lists, few reads of single servers."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests import virtual_loop

from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.shared import together
from ninelives.adapters.nova.wire import Reply, Request
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.sim.cloud.catalogue import Plan

from .in_process import AdminIdentity, InProcessWire, cloud_in_this_loop

SERVERS = 20
WATCH_S = 2.0
DEAD, TARGETS = HostId("c1"), [HostId(f"c{number}") for number in range(2, 6)]


@dataclass(frozen=True)
class CountingWire(InProcessWire):
    """Counts what goes over it, by its kind."""

    asked: Counter[str] = field(default_factory=Counter[str])

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        path = urlsplit(request.url).path
        kinds = ("os-instance-actions", "os-migrations", "servers/detail", "action", "servers/")
        self.asked[next((kind for kind in kinds if kind in path), "others")] += 1
        return await super().exchange(request, deadline_s)


class Storm:
    """What the engine does with a dead host: it checks, sends, watches, checks and starts."""

    def __init__(self, compute: NovaCompute) -> None:
        self.compute = compute
        self.seen: dict[ServerId, ServerSeen] = {}
        self.moving: set[ServerId] = set()
        self.looked = asyncio.Event()

    async def run(self, servers: list[ServerId]) -> None:
        async with asyncio.TaskGroup() as aside:
            watching = aside.create_task(self.watch())
            await together(self.move(*each) for each in enumerate(servers))
            watching.cancel()

    async def move(self, number: int, server: ServerId) -> None:
        target = TARGETS[number % len(TARGETS)]
        [seen] = await self.compute.show((server,))
        assert seen.host == DEAD
        assert (await self.compute.evacuate(server, target)).outcome is Outcome.DONE
        self.moving.add(server)
        await self.until(server, target, VmState.STOPPED)
        [seen] = await self.compute.show((server,))
        assert seen.host == target
        assert (await self.compute.start(server)).outcome is Outcome.DONE
        await self.until(server, target, VmState.ACTIVE)
        self.moving.remove(server)

    async def until(self, server: ServerId, host: HostId, state: VmState) -> None:
        while True:
            seen = self.seen.get(server)
            if seen and (seen.host, seen.vm_state, seen.task_state) == (host, state, None):
                return
            await self.looked.wait()

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            shown = await self.compute.show(tuple(sorted(self.moving)))
            self.seen |= {seen.id: seen for seen in shown}
            self.looked.set()
            self.looked.clear()


async def asked_in_a_storm() -> tuple[Counter[str], float]:
    """Bring back a full host; return what was asked for that, and how long it took."""
    loop = asyncio.get_running_loop()
    app = cloud_in_this_loop(Plan(hosts=5, servers=5 * SERVERS, spawn_s=5.0))
    wire = CountingWire(app)
    compute = NovaCompute(wire, AdminIdentity(app))
    await asyncio.sleep(600.0)  # nobody did anything for long
    app.stand_in.power_off(DEAD)
    assert (await compute.force_down(DEAD)).outcome is Outcome.DONE
    servers = [each.id for each in (await compute.list_servers(DEAD))[0]]
    assert len(servers) == SERVERS
    began = loop.time()
    wire.asked.clear()
    await Storm(compute).run(servers)
    return wire.asked, loop.time() - began


def test_a_storm_is_followed_by_lists_and_each_start_by_its_users_last_word() -> None:
    asked, took_s = virtual_loop.run(asked_in_a_storm())

    assert took_s < 40.0
    assert asked["action"] == 2 * SERVERS
    assert asked["servers/"] <= 4, "each alone"
    assert asked["servers/detail"] + asked["os-migrations"] <= 2 * 2 * took_s / WATCH_S
    assert asked["os-instance-actions"] <= 1.1 * SERVERS
    assert asked["others"] <= 2
