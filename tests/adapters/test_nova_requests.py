"""How much is asked of Nova while servers move, counted on the wire."""

import asyncio
from collections import Counter

from tests.cloud.cloud_client import Cloud

from ninelives.adapters.nova.clouds import Cloud as Account
from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.wire import HttpWire, Reply, Request
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, ServerId

C1 = HostId("c1")
MOVES = 40


class CountingWire(HttpWire):
    """The real one, and what went over it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        self.asked[request.method] += 1
        return await super().exchange(request, deadline_s)


def account(cloud: Cloud) -> Account:
    domains = {"user_domain_id": "default", "project_domain_id": "default"}
    login = {"username": "admin", "password": cloud.password, "project_name": "admin"}
    return Account("cloud", "password", {"auth_url": cloud.auth_url, **login, **domains})


def test_forty_servers_that_move_at_once_are_checked_by_lists(cloud: Cloud) -> None:
    async def story() -> None:
        compute = NovaCompute(wire, KeystoneIdentity(account(cloud)))
        servers = [seen.id for seen in (await compute.list_servers(C1))[0]]
        assert len(servers) == MOVES
        await asyncio.sleep(3.1)  # Nova counts changes in seconds, and these were made just now
        await compute.list_servers(C1)
        await compute.force_down(C1)
        wire.asked.clear()
        async with asyncio.TaskGroup() as tasks:
            for server in servers:
                tasks.create_task(moved(compute, server))
        await compute.close()

    async def moved(compute: NovaCompute, server: ServerId) -> None:
        [target, *_] = await compute.targets(server)
        [seen] = await compute.show((server,))
        assert seen.host == C1
        answer = await compute.evacuate(server, target.host)
        assert answer.outcome is Outcome.DONE

    wire = CountingWire()
    cloud.reset(servers=3 * MOVES)
    cloud.drive("c1", "off")

    asyncio.run(story())

    assert wire.asked["POST"] == MOVES
    assert wire.asked["GET"] <= MOVES / 4
