"""How a command asks the daemon on this machine, and what becomes of its refusals."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import click

from .exits import Complaint, Exit
from .views import Document, Json

DEFAULT_SOCKET = Path("/run/ninelives/api.sock")
SOCKET_VARIABLE = "NINELIVES_SOCKET"
PATIENCE_S = 20.0
CODES = {400: Exit.USAGE, 403: Exit.REFUSED, 404: Exit.USAGE, 409: Exit.REFUSED}


class SocketConnection(http.client.HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, path: Path, patience_s: float) -> None:
        super().__init__("ninelives", timeout=patience_s)
        self._path, self._patience_s = path, patience_s

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self._patience_s)
        self.sock.connect(str(self._path))


def asked(
    path: Path,
    at: str,
    order: Mapping[str, object] | None = None,
    patience_s: float = PATIENCE_S,
) -> Json:
    """Ask, or order; return the document that came back, or raise what the person must know."""
    connection = SocketConnection(path, patience_s)
    try:
        if order is None:
            connection.request("GET", at)
        else:
            connection.request("POST", at, json.dumps(order))
        reply = connection.getresponse()
        found: Json = json.loads(reply.read())
    except PermissionError as error:
        hint = "become a member of its group, or root"
        raise Complaint(f"{path} is not for you", hint, Exit.REFUSED) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        hint = "is a controller running on this machine? --socket names another one"
        raise Complaint(f"no answer at {path}: {error}", hint, Exit.AGAIN) from error
    finally:
        connection.close()
    if reply.status != http.HTTPStatus.OK:
        code = CODES.get(reply.status, Exit.AGAIN)
        said = cast("Document", found)
        raise Complaint(str(said["message"]), str(said["hint"]), code)
    return found


def hosts_known(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a host; where nobody answers, nothing is offered."""
    path = Path(context.params.get("socket_path") or os.environ.get(SOCKET_VARIABLE, ""))
    try:
        found = cast("list[Document]", asked(path if path.name else DEFAULT_SOCKET, "/v1/hosts"))
    except Complaint:
        return []
    return [str(each["host"]) for each in found if str(each["host"]).startswith(incomplete)]


of_socket = click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    default=DEFAULT_SOCKET,
    show_default=True,
    envvar=SOCKET_VARIABLE,
    help="Where the controller of this machine listens.",
)
of_format = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
