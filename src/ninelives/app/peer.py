"""Who is at the other end of a unix socket, as the kernel says; and whether they may order.

uvicorn hands no transport to an application, so its protocol is made by a function of ours that
wraps the application of each connection.
"""

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Callable, Collection
from grp import getgrnam
from pathlib import Path
from typing import NamedTuple, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ninelives.engine.errors import ConfigError

from .http import END_S, no_signals

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7)
MODE = 0o660


class Peer(NamedTuple):
    """One caller."""

    name: str
    may_order: bool


def peer_of(transport: asyncio.BaseTransport, operators: Collection[str]) -> Peer:
    """Ask the kernel who connected."""
    channel: socket.socket = transport.get_extra_info("socket")
    found = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, uid, _ = CREDENTIALS.unpack(found)
    name = name_of(uid)
    # Whoever runs the daemon, and root, could do everything to it anyway.
    return Peer(name, uid in (0, os.geteuid()) or name in operators)


def name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def bound(path: Path, group: str | None) -> socket.socket:
    """Make the socket for its group alone. What a killed daemon left there is replaced."""
    _refuse_if_taken(path)
    listening = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        _give(path, group)
    except OSError as error:
        listening.close()
        raise ConfigError(f"socket: {path}: {error.strerror}", "name another place") from error
    return listening


def _refuse_if_taken(path: Path) -> None:
    """Leave a socket alone at which another controller still listens."""
    with socket.socket(socket.AF_UNIX) as caller:
        if caller.connect_ex(str(path)) == 0:
            raise ConfigError(
                f"socket: another controller listens at {path}", "give each one its own"
            )


def _give(path: Path, group: str | None) -> None:
    """Open it to the group; where there is no such group, it stays its owner's."""
    try:
        os.chown(path, -1, getgrnam(group).gr_gid if group else -1)
    except KeyError:
        return
    path.chmod(MODE)


async def serve(app: ASGIApp, listening: socket.socket, operators: Collection[str]) -> None:
    """Serve in the loop of whoever calls, until cancelled; each call knows its peer."""

    def protocol(
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        made = H11Protocol(config, server_state, app_state, _loop)
        made.app = named(made, app, operators)
        return made

    config = Config(
        app,
        http=cast("type[asyncio.Protocol]", protocol),  # it is called, and no more
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=END_S,
    )
    server = Server(config)
    server.capture_signals = no_signals  # type: ignore[method-assign]  # there is no option for it
    await server.serve([listening])


def named(
    connection: H11Protocol, app: ASGIApp, operators: Collection[str]
) -> Callable[[Scope, Receive, Send], object]:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        scope["peer"] = peer_of(connection.transport, operators)
        await app(scope, receive, send)

    return call
