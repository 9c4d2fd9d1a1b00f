"""The power devices and the probed port of each host of a lab: python -m ninelives.lab.bmcs FOLDER.

    GET  /redfish/v1/Systems/c1                                  PowerState, as the switch says
    POST /redfish/v1/Systems/c1/Actions/ComputerSystem.Reset     ForceOff, On

Each host has a BMC of its own at a port of its own, which can be told to be at fault; the same BMC
speaks IPMI (ipmi.py). Beside them is the manager of the chassis in which all hosts sit: another
device, over TLS, that switches each of them by the same paths, for who needs a second level.

In a lab with networks each device is in a network namespace of its own, on `oob` and nowhere else.
Without, all are on loopback, and a port per plane is open while the host answers: what an ICMP echo
is in a real network.
"""

import asyncio
import base64
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from ninelives.lab import ipmi, planes
from ninelives.lab.hosts import BmcMode, Hosts
from ninelives.lab.openstack.files import PASSWORD
from ninelives.lab.places import Network, Places, found
from ninelives.lab.processes import Processes

USER = "admin"
ROOT = "/redfish/v1"
SYSTEMS = f"{ROOT}/Systems"
RESET = "Actions/ComputerSystem.Reset"
RESETS = ("On", "ForceOff")
LOOK_S = 0.1  # how soon a probed port follows the switch, and a device its mode
SLOW_S = 3.0  # within the time that a reading has
LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

Answering = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Device:
    """One power device: the systems behind it, and how it behaves."""

    hosts: Hosts
    names: Sequence[str]
    mode: Callable[[], BmcMode]
    claimed: set[str] = field(default_factory=set[str])  # what a liar said that it switched off

    def application(self) -> Starlette:
        def get(path: str, answer: Answering) -> Route:
            return Route(path, self._as_told(answer))

        reset = self._as_told(self._reset)
        return Starlette(
            routes=[
                get(ROOT, _root),
                get(f"{ROOT}/", _root),
                get(SYSTEMS, self._systems),
                get(f"{SYSTEMS}/{{name}}", self._shown),
                Route(f"{SYSTEMS}/{{name}}/{RESET}", reset, methods=["POST"]),
            ]
        )

    def _as_told(self, answer: Answering) -> Answering:
        """Answer as the mode says. What a dead device was sent is lost, also when it is mended."""

        async def answered(request: Request) -> Response:
            match self.mode():
                case BmcMode.DEAD:
                    while self.mode() is BmcMode.DEAD:  # noqa: ASYNC110 - a file of another process
                        await asyncio.sleep(LOOK_S)
                    return Response(status_code=503)
                case BmcMode.SLOW:
                    await asyncio.sleep(SLOW_S)
                case BmcMode.LYING | BmcMode.STUCK | BmcMode.MENDED:
                    pass
            return await answer(request)

        return answered

    async def _systems(self, request: Request) -> Response:
        members = [{"@odata.id": f"{SYSTEMS}/{name}"} for name in self.names]
        return refused(request) or JSONResponse({"Members": members})

    async def _shown(self, request: Request) -> Response:
        name: str = request.path_params["name"]
        if name not in self.names:
            return missing()
        is_on = self.hosts.is_on(name)
        if self.mode() is BmcMode.LYING:
            is_on = is_on and name not in self.claimed
        return refused(request) or JSONResponse(system(name, is_on=is_on))

    async def _reset(self, request: Request) -> Response:
        name: str = request.path_params["name"]
        kind: object = (await request.json()).get("ResetType")
        if (no := refused(request)) is not None:
            return no
        if name not in self.names:
            return missing()
        if kind not in RESETS:
            return JSONResponse({"error": {"code": "Base.1.8.ActionParameterNotSupported"}}, 400)
        await self._switch(name, is_on=kind == "On")
        return Response(status_code=204)

    async def _switch(self, name: str, *, is_on: bool) -> None:
        match self.mode():
            case BmcMode.STUCK:
                pass
            case BmcMode.LYING if is_on:
                self.claimed.discard(name)
            case BmcMode.LYING:
                self.claimed.add(name)
            case _:
                order = self.hosts.power_on if is_on else self.hosts.power_off
                await run_in_threadpool(order, name)


async def _root(_: Request) -> Response:
    return JSONResponse({"Id": "Root", "Name": "lab", "Systems": {"@odata.id": SYSTEMS}})


def refused(request: Request) -> Response | None:
    if request.headers.get("authorization") == LOGIN:
        return None
    return JSONResponse({"error": {"code": "Base.1.8.NoValidSession"}}, 401)


def missing() -> Response:
    return JSONResponse({"error": {"code": "Base.1.8.ResourceMissingAtURI"}}, 404)


def system(host: str, *, is_on: bool) -> dict[str, object]:
    action = {
        "target": f"{SYSTEMS}/{host}/{RESET}",
        "ResetType@Redfish.AllowableValues": list(RESETS),
    }
    return {
        "@odata.id": f"{SYSTEMS}/{host}",
        "Id": host,
        "Name": host,
        "HostName": host,
        "SerialNumber": f"lab-{host}",
        "UUID": f"lab-{host}",
        "PowerState": "On" if is_on else "Off",
        "Status": {"State": "Enabled", "Health": "OK"},
        "Actions": {"#ComputerSystem.Reset": action},
    }


# ------------------------------------------------------------------------------------- serving


async def serve(hosts: Hosts) -> None:
    """Serve every device and every probed port until killed."""
    places = hosts.places
    chassis = Device(hosts, places.machines, lambda: BmcMode.MENDED)
    async with asyncio.TaskGroup() as group:
        door = opened(places, planes.CHASSIS, places.chassis_address, places.port("chassis"))
        group.create_task(listening(chassis, places).serve([door]))
        for host in places.machines:
            bmc = Device(hosts, (host,), partial(hosts.bmc, host))
            door = opened(places, host, places.host_at(Network.OOB, host), places.bmc_port(host))
            group.create_task(listening(bmc).serve([door]))
            group.create_task(ipmi.serve(hosts, host, LOGIN))
            if hosts.namespaces is None:  # else it answers by itself
                group.create_task(heard(hosts, host))


def opened(places: Places, host: str, address: str, port: int) -> socket.socket:
    """Open the door of a device, in its own namespace where it has one."""
    if places.slot is None:
        return socket.create_server((address, port))
    with planes.inside(planes.bmc_space(places, host)):
        return socket.create_server((address, port))


def listening(device: Device, secured: Places | None = None) -> Server:
    return Server(
        Config(
            device.application(),
            ssl_certfile=secured.certificate if secured else None,
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
    )


async def heard(hosts: Hosts, host: str) -> None:
    """Keep a port open on every plane while the host answers."""
    servers: list[asyncio.Server] = []
    while True:
        if hosts.answers(host) and not servers:
            for address, port in hosts.places.probed(host).values():
                servers.append(await asyncio.start_server(hang_up, address, port))
        elif not hosts.answers(host):
            for server in servers:
                server.close()
            servers.clear()
        await asyncio.sleep(LOOK_S)


def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def main() -> None:
    asyncio.run(serve(Hosts(Processes(found(Path(sys.argv[1]))))))


if __name__ == "__main__":
    main()
