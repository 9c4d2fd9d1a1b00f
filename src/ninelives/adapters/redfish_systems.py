"""What a BMC says of all its systems: for a draft that a person reads, and for no power road.

A road names its one system in full, and never asks what the others are called (redfish.py).
"""

import asyncio
from typing import NamedTuple, cast

from ninelives.adapters.redfish_account import Account, Document
from ninelives.adapters.redfish_wire import Trust, Wire
from ninelives.engine.errors import Refused, Unreachable

SYSTEMS = "/redfish/v1/Systems"
SYSTEMS_MAX = 64  # in a chassis
READ_S = 15.0


class SystemSeen(NamedTuple):
    """One system, under the names that its BMC gives it. "" where it does not say."""

    url: str  # of the BMC
    path: str
    host_name: str  # what the operating system, or a person, wrote into it
    serial: str


async def systems(url: str, trust: Trust, user: str, password: str) -> tuple[SystemSeen, ...]:
    """Ask one BMC for all of them. Raises `PortError`."""
    account = Account(Wire(url, trust), user, password, has_sessions=False)
    try:
        async with asyncio.timeout(READ_S):
            members = (await _document(account, url, SYSTEMS)).get("Members")
            listed = cast("list[object]", members) if isinstance(members, list) else []
            paths = [path for path in map(_path, listed[:SYSTEMS_MAX]) if path]
            return tuple([_seen(url, p, await _document(account, url, p)) for p in paths])
    except TimeoutError as error:
        raise Unreachable(f"{url}: no answer within {READ_S:g} s") from error
    finally:
        await account.close()


async def _document(account: Account, url: str, path: str) -> Document:
    reply = await account.get(path)
    if reply.status != 200:
        raise Refused(f"{url}{path}: {reply.words}", "are user and password right?")
    return reply.document


def _path(member: object) -> str:
    match member:
        case {"@odata.id": str(path)} if path.startswith("/redfish/"):
            return path
        case _:
            return ""


def _seen(url: str, path: str, document: Document) -> SystemSeen:
    # A Dell's own serial number is its board's; what the host reads in DMI is the SKU.
    serial = document.get("SKU") or document.get("SerialNumber")
    return SystemSeen(url, path, _text(document.get("HostName")), _text(serial))


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
