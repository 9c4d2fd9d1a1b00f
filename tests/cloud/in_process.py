"""The stand-in without a network: the adapters speak to its application in the same loop.

In a virtual loop a minute of Nova takes a moment, and the same seed gives the same run.
"""

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ninelives.adapters.nova.wire import Lost, NotReached, Reply, Request
from ninelives.sim.cloud.app import CloudApp, application
from ninelives.sim.cloud.catalogue import USERS, Plan
from ninelives.sim.cloud.stand_in import StandIn
from ninelives.sim.nova import ApiFault

HOST = "stand-in"
BEGAN = 1_800_000_000.0  # what the wall says when a virtual loop begins


def cloud_in_this_loop(plan: Plan) -> CloudApp:
    """Begin a cloud whose clock is that of the loop that runs."""
    loop = asyncio.get_running_loop()
    return application(StandIn(plan, lambda: BEGAN + loop.time()))


@dataclass(frozen=True)
class InProcessWire:
    """A `Wire` that ends in the application itself."""

    app: CloudApp

    async def exchange(self, request: Request, deadline_s: float) -> Reply:
        if self.app.stand_in.nova.faults.api is ApiFault.UNREACHABLE:
            raise NotReached("connection refused")
        try:
            async with asyncio.timeout(deadline_s):
                return await self._called(request)
        except TimeoutError as error:
            raise Lost("no answer in time") from error
        except ConnectionAbortedError as error:
            raise Lost(str(error)) from error

    async def _called(self, request: Request) -> Reply:
        said: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": request.body or b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        await self.app(scope_of(request), receive, send)
        headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        body = b"".join(each.get("body", b"") for each in said[1:])
        return Reply(said[0]["status"], headers, body)

    async def close(self) -> None:
        """Nothing is open."""


def scope_of(request: Request) -> MutableMapping[str, Any]:
    """Give what uvicorn would make of a request's first lines."""
    url = urlsplit(request.url)
    headers = {"host": HOST, **request.headers}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "server": (HOST, 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }


@dataclass
class AdminIdentity:
    """An `Identity` that holds a token of the stand-in's admin."""

    app: CloudApp
    _token: str = field(default="", repr=False)

    async def headers(self) -> Mapping[str, str]:
        if not self._token:
            await self.renew()
        return {"X-Auth-Token": self._token}

    def headers_now(self) -> Mapping[str, str] | None:
        return {"X-Auth-Token": self._token} if self._token else None

    async def renew(self) -> None:
        stand_in = self.app.stand_in
        self._token = stand_in.tokens.issue(USERS[0], "admin", stand_in.now).id

    async def endpoint(self, service: str) -> str:
        return f"http://{HOST}/{service}" + ("/v2.1" if service == "compute" else "")

    async def user_id(self) -> str:
        return "ninelives-user"
