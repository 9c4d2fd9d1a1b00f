"""The BMC and the probed port of each host of a lab: python -m ninelives.lab.bmcs FOLDER.

    GET  /redfish/v1/Systems/c1                                  PowerState, as the switch says
    POST /redfish/v1/Systems/c1/Actions/ComputerSystem.Reset     ForceOff, On

Each host has a BMC of its own at a port of its own. Beside it is a port that is open while the host
has power: what an ICMP echo is in a real network.
"""

import asyncio
import base64
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from ninelives.lab.hosts import Hosts
from ninelives.lab.openstack.files import PASSWORD
from ninelives.lab.places import LOOPBACK, found
from ninelives.lab.processes import Processes

USER = "admin"
ROOT = "/redfish/v1"
RESETS = ("On", "ForceOff")
LOOK_S = 0.1  # how soon a probed port follows the switch
LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def application(hosts: Hosts, host: str) -> Starlette:
    """Be the BMC of one host."""
    path = f"{ROOT}/Systems/{host}"

    def root(_: Request) -> Response:
        return JSONResponse({"Id": "Root", "Systems": {"@odata.id": f"{ROOT}/Systems"}})

    def systems(request: Request) -> Response:
        return refused(request) or JSONResponse({"Members": [{"@odata.id": path}]})

    def shown(request: Request) -> Response:
        return refused(request) or JSONResponse(system(path, host, is_on=hosts.is_on(host)))

    async def reset(request: Request) -> Response:
        kind: object = (await request.json()).get("ResetType")
        if (no := refused(request)) is not None:
            return no
        match kind:
            case "ForceOff":
                await run_in_threadpool(hosts.power_off, host)
            case "On":
                await run_in_threadpool(hosts.power_on, host)
            case _:
                return JSONResponse(
                    {"error": {"code": "Base.1.8.ActionParameterNotSupported"}}, 400
                )
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route(ROOT, root),
            Route(f"{ROOT}/", root),
            Route(f"{ROOT}/Systems", systems),
            Route(path, shown),
            Route(f"{path}/Actions/ComputerSystem.Reset", reset, methods=["POST"]),
        ]
    )


def refused(request: Request) -> Response | None:
    if request.headers.get("authorization") == LOGIN:
        return None
    return JSONResponse({"error": {"code": "Base.1.8.NoValidSession"}}, 401)


def system(path: str, host: str, *, is_on: bool) -> dict[str, object]:
    action = {
        "target": f"{path}/Actions/ComputerSystem.Reset",
        "ResetType@Redfish.AllowableValues": list(RESETS),
    }
    return {
        "@odata.id": path,
        "Id": host,
        "Name": host,
        "HostName": host,
        "SerialNumber": f"lab-{host}",
        "UUID": f"lab-{host}",
        "PowerState": "On" if is_on else "Off",
        "Status": {"State": "Enabled", "Health": "OK"},
        "Actions": {"#ComputerSystem.Reset": action},
    }


async def serve(hosts: Hosts) -> None:
    """Serve every BMC and every probed port until killed."""
    places = hosts.places
    async with asyncio.TaskGroup() as group:
        for host in places.hosts:
            config = Config(
                application(hosts, host),
                host=LOOPBACK,
                port=places.bmc_port(host),
                log_level="warning",
                access_log=False,
                lifespan="off",
            )
            group.create_task(Server(config).serve())
            group.create_task(heard(hosts, host))


async def heard(hosts: Hosts, host: str) -> None:
    """Keep a port open on every plane while the host has power."""
    servers: list[asyncio.Server] = []
    while True:
        if hosts.is_on(host) and not servers:
            for address, port in hosts.places.probed(host).values():
                servers.append(await asyncio.start_server(hang_up, address, port))
        elif not hosts.is_on(host):
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
