"""The APIs as one ASGI application: tables become doors, which read calls and send answers.

A BMC is told apart by the port it is asked on; everything else by the first word of the path, as
Devstack lays it out.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import RequestResponseCycle

from ninelives.sim import nova

from . import admission, compute, control, images, keystone, placement, redfish
from .calls import Call, HangUp, Row, Said, Saying, parsed
from .kernels import Ports
from .listeners import ClosablePort
from .stand_in import Outage, StandIn


def application(stand_in: StandIn) -> "CloudApp":
    compute_face = Face("/compute", compute.ROWS, admission.compute, compute.dress)
    faces = (
        compute_face,
        Face("/placement", placement.ROWS, admission.placement, placement.dress),
        Face("/identity", keystone.ROWS, admission.identity),
        Face("/image", images.ROWS, admission.image),
        Face("/control", control.ROWS, admission.everybody),
    )
    cloud = Router([route for face in faces for route in routes(stand_in, face)])
    bmcs = Router(routes(stand_in, Face("", redfish.ROWS, redfish.admit)))
    return CloudApp(stand_in, cloud, bmcs)


class CloudApp:
    """Everything behind the ports. It also keeps the stand-in's time while its loop runs."""

    def __init__(self, stand_in: StandIn, cloud: ASGIApp, bmcs: ASGIApp) -> None:
        self.stand_in = stand_in
        self.bmc_ports: dict[int, str] = {}
        self.hosts: Ports | None = None  # what of the hosts can be probed, where it is served
        self.compute: ClosablePort | None = None  # Nova's own, likewise
        self._cloud, self._bmcs = cloud, bmcs
        self._alarm: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.stand_in.changed = self._changed
        port = scope["server"][1]
        face = self._bmcs if port in self.bmc_ports else self._cloud
        scope["bmc"] = self.bmc_ports.get(port, "")
        try:
            await face(scope, receive, send)
        finally:
            await self.attend()

    async def attend(self) -> None:
        """Let every port be open or closed as its host and Nova are, and answer."""
        self._open_and_close()
        if self.compute is not None:
            await self.compute.attend()

    def _open_and_close(self) -> None:
        if self.hosts is not None:
            self.hosts.follow(self.stand_in.machines)
        if self.compute is not None:
            faults = self.stand_in.nova.faults
            is_gone = faults.api is nova.ApiFault.UNREACHABLE and not faults.is_api_read
            self.compute.set_open(is_open=not is_gone)

    def _changed(self) -> None:
        self._open_and_close()
        self._wake_in_time()

    def close_ports(self) -> None:
        if self.hosts is not None:
            self.hosts.close()
        if self.compute is not None:
            self.compute.close()

    def _wake_in_time(self) -> None:
        """Let the loop call when the stand-in next has something to do."""
        if self._alarm is not None:
            self._alarm.cancel()
        due = self.stand_in.wake_at()
        if due is not None:
            wait_s = max(0.0, due - self.stand_in.now)
            self._alarm = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.stand_in.advance()
        self._changed()


def plain(stand_in: StandIn, call: Call, said: Saying) -> Saying:  # noqa: ARG001 -- a `Dress`
    return said


@dataclass(frozen=True, slots=True)
class Face:
    """One API: where it hangs, its table, whom it lets in, and what all its answers carry."""

    prefix: str
    rows: Iterable[Row]
    admit: admission.Admit
    dress: admission.Dress = plain


def routes(stand_in: StandIn, face: Face) -> list[Route]:
    """Make routes of a table. Rows of one path share one, so that a wrong method is a 405."""
    by_path: dict[str, dict[str, Row]] = {}
    for row in face.rows:
        by_path.setdefault(face.prefix + row.path, {})[row.method] = row
    return [
        Route(path, Door(stand_in, rows, face), methods=list(rows))
        for path, rows in by_path.items()
    ]


@dataclass(frozen=True, slots=True)
class Door:
    """One path: reads the call, admits it, lets its handler answer, and sends that in its time."""

    stand_in: StandIn
    rows: dict[str, Row]
    face: Face

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        try:
            call = await read(request)
        except ClientDisconnect:
            return  # it died in the middle of its request: nothing was taken, nobody is there
        match self.answer(call, self.rows[method]):
            case HangUp(after_s):
                await hang_up(after_s, receive, send)
            case Said(status, body, headers, after_s):
                if after_s:
                    await asyncio.sleep(after_s)
                dated = {"Date": formatdate(self.stand_in.now, usegmt=True), **headers}
                await response(status, body, dated)(scope, receive, send)

    def answer(self, call: Call | None, row: Row) -> Saying:
        if call is None:
            return Said(HTTPStatus.BAD_REQUEST, {"error": {"message": "The body is no JSON."}})
        outage = self.stand_in.outages.get(self.face.prefix.strip("/"))
        if outage is not None and outage.api is not None:
            return failed(outage)
        match self.face.admit(self.stand_in, call, row):
            case Call() as admitted:
                said = row.handler(self.stand_in, admitted)
                return late(self.face.dress(self.stand_in, admitted, said), outage)
            case refused:
                return refused


def failed(outage: Outage) -> Saying:
    """Fail before anything was taken: what these APIs are asked here changes nothing."""
    match outage.api:
        case nova.ApiFault.ERROR_500:
            return Said(500, {"error": {"code": 500, "message": "Internal Server Error"}})
        case nova.ApiFault.UNAVAILABLE_503:
            return Said(503, {"error": {"code": 503, "message": "Service Unavailable"}})
        case nova.ApiFault.TIMEOUT_504:
            return Said(504, {"error": {"code": 504, "message": "Gateway Timeout"}})
        case nova.ApiFault.UNREACHABLE:
            return HangUp(0.0)
        case _:
            return HangUp()


def late(said: Saying, outage: Outage | None) -> Saying:
    if outage is None or isinstance(said, HangUp):
        return said
    return replace(said, after_s=said.after_s + outage.delay_s)


async def read(request: Request) -> Call | None:
    """Read the whole request; None if its body cannot be read."""
    try:
        body = parsed(await request.body())
    except ValueError:
        return None
    return Call(
        method=request.method,
        url=f"{request.url.scheme}://{request.url.netloc}",
        path=request.url.path,
        host=request.scope["bmc"],
        parts={name: str(value) for name, value in request.path_params.items()},
        query=tuple(request.query_params.multi_items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def response(status: int, body: object | None, headers: dict[str, str]) -> Response:
    if body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(body, status, headers)


async def hang_up(after_s: float | None, receive: Receive, send: Send) -> None:
    """End the connection without a word; `after_s` None: not before the caller does.

    ASGI has no message for this, so uvicorn's own transport is taken from the cycle whose method
    `send` is. Without uvicorn, in one process with the caller, the caller gets the exception.
    """
    if after_s is not None:
        await asyncio.sleep(after_s)
        match getattr(send, "__self__", None):
            case RequestResponseCycle(transport=transport):
                transport.abort()
            case _:
                raise ConnectionAbortedError("the stand-in hung up")
    while (await receive())["type"] != "http.disconnect":
        continue
