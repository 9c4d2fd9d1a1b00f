"""Three hosts that a story may lose, and the port `Compute` through which it looks and orders."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.cloud.cloud_client import Nova, until

from ninelives.adapters.nova.clouds import cloud_of
from ninelives.adapters.nova.compute import NovaCompute, Site
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.wire import HttpWire
from ninelives.core.model import HostId, ServerId, ServerSeen
from ninelives.engine.ports import Compute

Value = TypeVar("Value")
MOVED_S = 60.0  # the slowest machine under a real control plane
C1, C2, C3 = HostId("c1"), HostId("c2"), HostId("c3")


class Stage(Protocol):
    """A cloud to which things happen: the stand-in, or a real one."""

    @property
    def auth_url(self) -> str: ...

    @property
    def password(self) -> str: ...

    def login(self, user: str = "admin", project: str | None = None) -> Nova: ...

    def reset(self, **plan: object) -> None: ...

    def drive(self, host: str, verb: str, **arguments: object) -> Any: ...

    def set_faults(self, **faults: object) -> None: ...

    def control(self, method: str, path: str, body: object = None) -> Any: ...

    def add_server(self, name: str, host: str, **state: object) -> str: ...

    def ran_twice(self) -> dict[str, list[str]]: ...


@dataclass(frozen=True)
class Site3:
    """Three hosts, two servers on each; `ask` runs one story against the port."""

    cloud: Stage
    here: Path

    def ask(self, story: Callable[[Compute], Awaitable[Value]]) -> Value:
        async def run() -> Value:
            environment = {
                "OS_AUTH_URL": self.cloud.auth_url,
                "OS_USERNAME": "admin",
                "OS_PASSWORD": self.cloud.password,
                "OS_PROJECT_NAME": "admin",
                "OS_USER_DOMAIN_ID": "default",
                "OS_PROJECT_DOMAIN_ID": "default",
            }
            identity = KeystoneIdentity(cloud_of(None, environment, self.here))
            compute = NovaCompute(HttpWire(), identity, Site(expected=frozenset({C1, C2, C3})))
            try:
                await compute.nova.version()  # as whoever leads has found out long ago
                return await story(compute)
            finally:
                await compute.close()

        return asyncio.run(run())

    @property
    def nova(self) -> Nova:
        return self.cloud.login()

    def servers_on(self, host: HostId) -> list[ServerId]:
        return [ServerId(each["id"]) for each in self.nova.servers(host)]

    def kill(self, host: HostId) -> list[ServerId]:
        """Let a host lose its power, and force its service down; return who was on it."""
        servers = self.servers_on(host)
        self.cloud.drive(host, "off")
        self.nova.set_service(host, forced_down=True)
        return servers

    def settled(self, server: ServerId, host: HostId) -> None:
        def is_there() -> bool:
            shown = self.nova.server(server)
            is_at_rest = shown["OS-EXT-STS:task_state"] is None
            return is_at_rest and shown["OS-EXT-SRV-ATTR:host"] == host

        until(is_there, MOVED_S)


async def one(compute: Compute, server: ServerId) -> ServerSeen:
    (seen,) = await compute.show((server,))
    return seen


async def arrived(compute: Compute, server: ServerId, *hosts: HostId) -> ServerSeen:
    async with asyncio.timeout(MOVED_S):
        while True:
            seen = await one(compute, server)
            if seen.host in hosts and seen.task_state is None:
                return seen
            await asyncio.sleep(0.02)
