"""Where the stand-in listens on loopback, and the one port that a fault can close.

Nova has a port of its own: when it is unreachable, connecting must be refused. Whoever is refused
knows that nothing was heard; whoever is cut off after he has written knows nothing.
"""

import asyncio
import socket

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK = "127.0.0.1"
CALLERS_MAX = 1024  # waiting at once


def bound(port: int) -> socket.socket:
    """Listen on a port; 0 is any that is free.

    The protocol is named because asyncio turns Nagle's algorithm off only for sockets that name
    it, and with it on each answer waits 40 ms for the acknowledgement of its own first packet.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((LOOPBACK, port))
    sock.listen(CALLERS_MAX)
    return sock


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def url_of(sock: socket.socket, scheme: str = "http") -> str:
    return f"{scheme}://{LOOPBACK}:{port_of(sock)}"


def scheme_of(config: Config) -> str:
    return "https" if config.ssl_certfile else "http"


class ClosablePort:
    """A port of a uvicorn server that can be closed and opened again, always the same."""

    def __init__(self, config: Config, server: Server) -> None:
        self._config, self._server = config, server
        self._sock = bound(0)
        self._listening: asyncio.Server | None = None
        self.number = port_of(self._sock)
        self.url = url_of(self._sock, scheme_of(config))

    def set_open(self, *, is_open: bool) -> None:
        """Open or close at once: who connects from now on waits for `attend`, or is refused."""
        if not is_open:
            self.close()
        elif self._sock.fileno() < 0:
            self._sock = bound(self.number)

    async def attend(self) -> None:
        """Answer whoever connects."""
        if self._listening is None and self._sock.fileno() >= 0:
            loop = asyncio.get_running_loop()
            tls = self._config.ssl
            self._listening = await loop.create_server(self._protocol, sock=self._sock, ssl=tls)

    def close(self) -> None:
        """Refuse from now on. Connections that are open stay so."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        self._sock.close()

    def _protocol(self) -> asyncio.Protocol:
        state = self._server.server_state
        return H11Protocol(config=self._config, server_state=state, app_state={})
