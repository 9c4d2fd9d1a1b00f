"""What anybody on this machine may ask: /metrics, /healthz, /readyz, /leader. Nothing else.

healthz   200 while the loop turns            readyz   200 when it stands by, or leads
leader    200 here, 503 elsewhere: for a load balancer that wants the one that leads
"""

import socket
from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from ninelives.engine.errors import ConfigError

from .telemetry import Numbers, Presence

END_S = 1  # for who is still being answered when this process ends


def faces(presence: Presence, numbers: Numbers) -> Starlette:
    async def metrics(_request: Request) -> Response:
        numbers.take(presence)
        return Response(generate_latest(numbers.registry), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"me": presence.me, "refused": presence.refused})

    async def readyz(_request: Request) -> Response:
        said = {"me": presence.me, "ready": presence.is_ready, "leads": presence.leads}
        return JSONResponse(said, 200 if presence.is_ready else 503)

    async def leader(_request: Request) -> Response:
        said = {"me": presence.me, "leads": presence.leads}
        return JSONResponse(said, 200 if presence.leads else 503)

    handlers = (metrics, healthz, readyz, leader)
    return Starlette(routes=[Route(f"/{each.__name__}", each) for each in handlers])


def bound(address: str, port: int) -> socket.socket:
    """Take the port before anything else is begun: one that is taken is a wrong configuration."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"http: cannot listen at {address}:{port}: {error.strerror}", "name another port"
        ) from error
    return listening


async def serve(app: Starlette, listening: socket.socket) -> None:
    """Serve in the loop of whoever calls, until cancelled."""
    server = Server(
        Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=END_S,
        )
    )
    server.capture_signals = no_signals  # type: ignore[method-assign]  # there is no option for it
    await server.serve([listening])


@contextmanager
def no_signals() -> Generator[None]:
    """Leave signals to the daemon: a SIGTERM hands over the lease before anything is closed."""
    yield
