"""Serves the stand-in on loopback: a port for the cloud, one for Nova, one for each BMC."""

import asyncio
import logging
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uvicorn import Config, Server

from ninelives.engine.clock import SystemClock

from .app import CloudApp, application
from .catalogue import Plan
from .kernels import Ports
from .listeners import ClosablePort, bound, port_of, scheme_of, url_of
from .stand_in import StandIn

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Served:
    """Where the stand-in listens."""

    url: str  # of everything but Nova
    compute_url: str
    bmc_urls: dict[str, str]
    addresses: dict[str, dict[str, str]]  # host → plane → where it is probed

    @property
    def auth_url(self) -> str:
        return f"{self.url}/identity/v3"


def new_stand_in(plan: Plan) -> StandIn:
    """Begin at today's date, and go on at the pace of a clock that nobody sets."""
    clock = SystemClock()
    began = clock.wall() - clock.now()
    return StandIn(plan, lambda: began + clock.now())


@dataclass(slots=True)
class Listening:
    """The sockets are bound: callers may connect, and are answered once `run` runs."""

    served: Served
    app: CloudApp
    sockets: list[socket.socket]
    server: Server

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        await self.app.attend()
        try:
            await self.server.serve(self.sockets)
        finally:
            self.app.close_ports()
            for connection in self.server.server_state.connections:
                connection.transport.abort()  # TLS would wait for a farewell
            await asyncio.sleep(0)  # they are closed in the next turn of the loop
            # Whoever still waits for an answer is cut off now: no error, and nothing to print.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def listen(plan: Plan, port: int = 0, certificate: Path | None = None) -> Listening:
    """Bind every port. With a certificate, its key in the same file, all of it speaks TLS."""
    stand_in = new_stand_in(plan)
    app = application(stand_in)
    front = bound(port)
    sockets = [front]
    for host in stand_in.machines:
        sockets.append(bound(0))
        app.bmc_ports[port_of(sockets[-1])] = host
    config = Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        date_header=False,  # the date is the stand-in's own
        server_header=False,
        ssl_certfile=certificate,
    )
    config.load()
    scheme = scheme_of(config)
    for host, sock in zip(stand_in.machines, sockets[1:], strict=True):
        stand_in.bmc_urls[host] = url_of(sock, scheme)
    server = Server(config)
    app.hosts = Ports(stand_in.machines)
    app.compute = ClosablePort(config, server)
    stand_in.addresses = {host: app.hosts.addresses(host) for host in stand_in.machines}
    stand_in.compute_url = app.compute.url
    found = Served(url_of(front, scheme), app.compute.url, stand_in.bmc_urls, stand_in.addresses)
    return Listening(found, app, sockets, server)


@contextmanager
def served(plan: Plan, certificate: Path | None = None) -> Generator[Served]:
    """Serve from a thread of its own, in the process of whoever asks."""
    listening = listen(plan, certificate=certificate)
    thread = threading.Thread(target=listening.run, name="stand-in", daemon=True)
    thread.start()
    try:
        yield listening.served
    finally:
        listening.server.should_exit = listening.server.force_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
