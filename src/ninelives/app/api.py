"""What operators ask of the daemon on this machine, over a unix socket: looks and orders.

    GET  /v1/status              GET  /v1/hosts        GET /v1/hosts/HOST
    GET  /v1/incidents           GET  /v1/incidents/HOST/EPOCH
    GET  /v1/what-if?host=HOST   as many of them as die together
    GET  /v1/brakes/storm/NODE   for the fence agent: would a storm hold a shot at it?
    POST /v1/orders              {"order": "maintenance", "host": "c1", "on": true, …}

Who asks is whom the kernel says is at the other end (SO_PEERCRED); nobody can claim to be another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ninelives.core.cluster import Cluster
from ninelives.core.model import HostId
from ninelives.engine.errors import PortError, StoreError

from . import views, what_if
from .orders_asked import Misread, order_of
from .peer import Peer

if TYPE_CHECKING:
    from .foundation import Foundation

ANSWER_S = 10.0  # an order is judged and durable long before
REHEARSAL_S = 120.0  # each server is asked for alone
NO_LEADER = 503

Face = Callable[[Request], Awaitable[Response]]
Look = Callable[[Cluster, Request], views.Json]


def faces(base: "Foundation") -> Starlette:
    """Make the application. It runs in the daemon's own loop, beside the mind that it shows."""

    def looks(look: Look) -> Face:
        async def answer(request: Request) -> Response:
            cluster = base.presence.mind
            if cluster is None:
                return await elsewhere(base)
            found = look(cluster, request)
            if found is None:
                return said(404, "no such thing", "`ninelives host list` shows the inventory")
            return JSONResponse(found)

        return answer

    async def orders(request: Request) -> Response:
        return await ordered(base, request)

    async def incidents(request: Request) -> Response:
        which = request.path_params
        found = await asyncio.to_thread(
            base.book.told, base.store, base.bases, which.get("host"), which.get("epoch")
        )
        if found is None:
            return said(404, "no such incident", "`ninelives incident list` shows them")
        return JSONResponse(found)

    async def what_ifs(request: Request) -> Response:
        return await rehearsed(
            base, [HostId(each) for each in request.query_params.getlist("host")]
        )

    def now() -> float:
        return base.clock.now()

    def host(cluster: Cluster, request: Request) -> views.Json:
        name = HostId(request.path_params["host"])
        return views.host_whole(cluster, name, now()) if name in cluster.site.hosts else None

    def storm(cluster: Cluster, request: Request) -> views.Json:
        node = request.path_params["node"]
        name = base.presence.nodes.get(node, HostId(node))
        return views.storm(cluster, name, now()) if name in cluster.site.hosts else None

    faces: Mapping[str, Face] = {
        "/v1/status": looks(lambda cluster, _: views.status(cluster, now())),
        "/v1/hosts": looks(lambda cluster, _: views.hosts(cluster, now())),
        "/v1/hosts/{host}": looks(host),
        "/v1/what-if": what_ifs,
        "/v1/brakes/storm/{node}": looks(storm),
        "/v1/incidents": incidents,
        "/v1/incidents/{host}/{epoch:int}": incidents,
    }
    looked = [Route(path, for_viewers(face)) for path, face in faces.items()]
    return Starlette(routes=[*looked, Route("/v1/orders", orders, methods=["POST"])])


def for_viewers(face: Face) -> Face:
    """Show it to those alone who may look."""

    async def answer(request: Request) -> Response:
        peer: Peer = request.scope["peer"]
        if not peer.may_look:
            return said(403, f"{peer.name} is no viewer", "the configuration lists `viewers`")
        return await face(request)

    return answer


async def elsewhere(base: "Foundation") -> Response:
    """Say who leads: nobody else knows how things stand."""
    try:
        holder = (await asyncio.to_thread(base.store.lease)).holder.partition("/")[0]
    except StoreError:
        holder = ""
    leader = f"{holder} leads" if holder else "nobody leads"
    return said(NO_LEADER, f"{base.presence.me} stands by; {leader}", "ask on its machine")


async def rehearsed(base: "Foundation", hosts: list[HostId]) -> Response:
    """Say who would move where if these hosts died together."""
    cluster, compute = base.presence.mind, base.presence.compute
    if cluster is None or compute is None:
        return await elsewhere(base)
    if not hosts or any(host not in cluster.site.hosts for host in hosts):
        return said(404, "no such host", "`ninelives host list` shows the inventory")
    try:
        async with asyncio.timeout(REHEARSAL_S):
            found = await what_if.what_if(cluster, compute, hosts, base.clock.now())
    except (PortError, TimeoutError) as error:
        return said(503, f"the cloud does not answer: {error}", "`ninelives doctor` says more")
    return JSONResponse(what_if.document(found))


async def ordered(base: "Foundation", request: Request) -> Response:
    peer: Peer = request.scope["peer"]
    if not peer.may_order:
        return said(403, f"{peer.name} is no operator", "the configuration lists `operators`")
    if base.presence.mind is None:
        return await elsewhere(base)
    order = order_of(await request.body(), peer.name)
    if isinstance(order, Misread):
        return said(400, order.message, order.hint)
    notes = await base.desk.judged(order, ANSWER_S)
    if notes is None:
        hint = "look whether it was taken (`ninelives status`) before you order again"
        return said(504, "no answer: nobody knows whether it was taken", hint)
    refused = next((note for note in notes if note.what == "order.refused"), None)
    if refused is not None:
        return said(409, f"refused: {refused.why}", refused.detail)
    return JSONResponse({"notes": [note._asdict() for note in notes]})


def said(status: int, message: str, hint: str) -> Response:
    return JSONResponse({"message": message, "hint": hint}, status)
