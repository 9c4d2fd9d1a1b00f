"""Who is at the other end of a unix socket, as the kernel says; and which role they have.

    nobody     is told so                     viewer    looks, and rehearses
    operator   looks and orders: root, the daemon's own user, and whom the configuration lists

uvicorn hands no transport to an application, so its protocol is made by a function of ours that
wraps the application of each connection.
"""

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Callable, Collection
from contextlib import suppress
from enum import IntEnum
from grp import getgrgid, getgrnam
from pathlib import Path
from typing import NamedTuple, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ninelives.engine.errors import ConfigError

from .config.configuration import Roles
from .http import END_S, no_signals

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7)
MODE = 0o660


class Role(IntEnum):
    """How much a caller may do; each may do what those before it may."""

    NOBODY = 0
    VIEWER = 1
    OPERATOR = 2


class Peer(NamedTuple):
    """One caller."""

    name: str
    role: Role

    @property
    def may_look(self) -> bool:
        return self.role >= Role.VIEWER

    @property
    def may_order(self) -> bool:
        return self.role >= Role.OPERATOR


def peer_of(transport: asyncio.BaseTransport, roles: Roles) -> Peer:
    """Ask the kernel who connected."""
    channel: socket.socket = transport.get_extra_info("socket")
    found = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, uid, gid = CREDENTIALS.unpack(found)
    name = name_of(uid)
    # Whoever runs the daemon, and root, could do everything to it anyway.
    if uid in (0, os.geteuid()):
        return Peer(name, Role.OPERATOR)
    return Peer(name, role_of(names_of(uid, gid), roles))


def role_of(names: Collection[str], roles: Roles) -> Role:
    """Return the best role of somebody who goes by these names. Pure."""
    if not roles.operators.isdisjoint(names):
        return Role.OPERATOR
    is_viewer = roles.viewers is None or not roles.viewers.isdisjoint(names)
    return Role.VIEWER if is_viewer else Role.NOBODY


def names_of(uid: int, gid: int) -> frozenset[str]:
    """Return a user's name, and the groups: of the process that asks, and of the user."""
    name = name_of(uid)
    gids = {gid}
    with suppress(KeyError):
        gids |= set(os.getgrouplist(name, pwd.getpwuid(uid).pw_gid))
    found = {name}
    for each in gids:
        with suppress(KeyError):
            found.add(f"@{getgrgid(each).gr_name}")
    return frozenset(found)


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


async def serve(app: ASGIApp, listening: socket.socket, roles: Roles) -> None:
    """Serve in the loop of whoever calls, until cancelled; each call knows its peer."""

    def protocol(
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        made = H11Protocol(config, server_state, app_state, _loop)
        made.app = named(made, app, roles)
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
    connection: H11Protocol, app: ASGIApp, roles: Roles
) -> Callable[[Scope, Receive, Send], object]:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        scope["peer"] = peer_of(connection.transport, roles)
        await app(scope, receive, send)

    return call
