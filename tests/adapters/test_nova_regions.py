"""Clouds of several regions: the one that is named is asked, and none is guessed."""

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config, Server

from ninelives.adapters.nova.clouds import Cloud
from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.wire import HttpWire
from ninelives.engine.errors import ConfigError
from ninelives.sim.cloud.app import application
from ninelives.sim.cloud.catalogue import PASSWORD, Plan
from ninelives.sim.cloud.listeners import bound, port_of
from ninelives.sim.cloud.serve import new_stand_in
from ninelives.sim.cloud.stand_in import StandIn


@dataclass
class Regions:
    """Keystone's answer to a log-in, with the endpoints of one more region in it."""

    app: ASGIApp
    name: str
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/auth/tokens"):
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        body = json.dumps(self._widened(json.loads(held[1]["body"]))).encode()
        headers = [pair for pair in held[0]["headers"] if pair[0] != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await send({**held[0], "headers": [*headers, length]})
        await send({**held[1], "body": body})

    def _widened(self, answer: Any) -> Any:
        for service in answer["token"]["catalog"] if "token" in answer else ():
            for endpoint in list(service["endpoints"]):
                path = endpoint["url"].split("/", 3)[3]
                other = {"region": self.name, "region_id": self.name, "url": f"{self.url}/{path}"}
                service["endpoints"].append({**endpoint, **other, "id": f"{endpoint['id']}-2"})
        return answer


@contextmanager
def served(cloud: StandIn, beside: str = "") -> Generator[str]:
    """Serve a cloud; `beside`: where its Keystone says that RegionTwo is."""
    app: ASGIApp = application(cloud)
    app = Regions(app, "RegionTwo", beside) if beside else app
    config = Config(app, ws="none", lifespan="off", log_level="error", timeout_graceful_shutdown=2)
    server, sock = Server(config), bound(0)
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(sock)}"
    finally:
        server.should_exit = True  # and with it goes whoever is kept alive
        thread.join(10.0)
        sock.close()


def of_hosts(hosts: int) -> StandIn:
    return new_stand_in(Plan(hosts=hosts))


def account(url: str, **changes: Any) -> Cloud:
    login = {
        "auth_url": f"{url}/identity/v3",
        "username": "admin",
        "password": PASSWORD,
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    return replace(Cloud("stand-in", "password", login), **changes)


def hosts_seen(cloud: Cloud) -> int:
    """Log in as a controller does, and count the hosts that Nova shows."""

    async def run() -> int:
        wire = HttpWire()
        compute = NovaCompute(wire, KeystoneIdentity(cloud))
        try:
            return len(list((await compute.services.read()).computes()))
        finally:
            await compute.close()

    return asyncio.run(run())


def test_the_region_decides_which_nova_is_asked_and_is_never_guessed() -> None:
    here, there = of_hosts(3), of_hosts(2)
    there.tokens = here.tokens  # one Keystone for both
    with served(there) as other, served(here, beside=other) as url:
        assert hosts_seen(account(url, region="RegionOne")) == 3
        assert hosts_seen(account(url, region="RegionTwo")) == 2
        with pytest.raises(ConfigError, match="region RegionSix"):
            hosts_seen(account(url, region="RegionSix"))
        with pytest.raises(ConfigError, match="several regions: RegionOne, RegionTwo") as caught:
            hosts_seen(account(url))
    assert "region" in caught.value.hint


def test_one_region_needs_no_name() -> None:
    with served(of_hosts(3)) as url:
        assert hosts_seen(account(url)) == 3
