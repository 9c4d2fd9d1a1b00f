"""Calls of our fence agent on this machine: heard at once, or found in the spool and forwarded.

    datagram ──▶ told to the log, and the spool is looked through at once
    spool    ──▶ the cluster answers again: is the host still out?
                   yes ─▶ the attribute is set, which closes its gate; the call is done
                   no  ─▶ late: it came back meanwhile; put aside for people, nothing is set

Laws:
  - A call is a hint. No proof is made of it, no host becomes suspect by it; the core is not told.
  - What waited in a spool is about an outage that may be over. The gate of a host that is up again
    is not closed by it: that would stop the service of a healthy host.
  - A call leaves the spool only when the cluster has taken it, or for a name that people see.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ninelives.adapters.process import Program, run
from ninelives.fence.record import LINE_BYTES_MAX, Call, attribute, call_from

from .view import Standing, Unknown, View, read

log = logging.getLogger(__name__)

CALL = ".call"  # how the name of a call ends that waits
HEARD_MAX = 256  # datagrams that nobody has looked at yet; what is more is dropped, and spooled
ROUND_MAX = 32  # calls that are forwarded in one round
ROUND_S = 5.0  # between two looks at the spool
TOOL_S = 10.0
CRM_MON = "/usr/sbin/crm_mon"
CRM_ATTRIBUTE = "/usr/sbin/crm_attribute"


class Fate(StrEnum):
    """What became of a call that waited."""

    FORWARDED = "forwarded"
    LATE = "late"
    UNREADABLE = "unreadable"
    WAITS = "waits"


class Ear(asyncio.DatagramProtocol):
    """Keeps the calls that came, in order."""

    def __init__(self) -> None:
        self.heard = asyncio.Queue[Call](HEARD_MAX)

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr  # whoever may write to our socket is root, or us
        call = call_from(data)
        if call is not None and not self.heard.full():
            self.heard.put_nowait(call)


@asynccontextmanager
async def listening(path: Path) -> AsyncGenerator[Ear]:
    """Listen for root alone; `OSError` where that cannot be. What a dead one left is replaced."""
    loop = asyncio.get_running_loop()
    channel, ear = await loop.create_datagram_endpoint(Ear, sock=bound(path))
    try:
        yield ear
    finally:
        channel.close()


def bound(path: Path) -> socket.socket:
    """Make the socket for its owner, and root; `OSError` where it cannot be made."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    made.setblocking(False)
    return made


@dataclass(frozen=True, slots=True)
class Spool:
    """The calls that wait on this machine, and the tools of its cluster."""

    folder: Path
    surroundings: Mapping[str, str] = field(default_factory=dict[str, str])

    def waiting(self) -> list[Path]:
        """List the oldest of them; nobody need have made the folder yet."""
        try:
            return sorted(self.folder.glob(f"*{CALL}"))[:ROUND_MAX]
        except OSError as error:
            log.warning("fence_call.unreadable", extra={"why": str(error)})
            return []

    async def attend(self, ear: Ear) -> None:
        """Tell of every call that is heard, and forward what waits; for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ROUND_S):
                    told(await ear.heard.get())
            await self.forward()

    async def forward(self) -> None:
        """Forward what the cluster takes. One look at it is enough for all that wait."""
        waiting = self.waiting()
        seen = await self.look() if waiting else Unknown("nobody waits")
        for path in waiting:
            await self.forward_one(path, seen)

    async def forward_one(self, path: Path, seen: View | Unknown) -> Fate:
        call = call_in(path)
        fate = await self.fate_of(call, seen) if call is not None else Fate.UNREADABLE
        if fate is not Fate.WAITS:
            about = {"file": path.name, "node": call.node if call is not None else ""}
            log.warning("fence_call.settled", extra={**about, "fate": fate.value})
            settle(path, fate)
        return fate

    async def fate_of(self, call: Call, seen: View | Unknown) -> Fate:
        standing = Standing.UNKNOWN if isinstance(seen, Unknown) else seen.standing(call.node)
        match standing:
            case Standing.UNKNOWN:
                return Fate.WAITS
            case Standing.UP:
                return Fate.LATE
            case Standing.LOST | Standing.OFFLINE:
                _, *words = attribute(call.node, call.attribute)
                is_set = await self.said(CRM_ATTRIBUTE, *words, f"--update={call.value}")
                return Fate.WAITS if is_set is None else Fate.FORWARDED

    async def look(self) -> View | Unknown:
        text = await self.said(CRM_MON, "-1", "--output-as=xml")
        return Unknown("no answer") if text is None else read(text)

    async def said(self, *words: str) -> str | None:
        """Run a tool; None where it is not there or did not succeed."""
        try:
            ended = await run(Program(words, TOOL_S, environment=self.surroundings))
        except OSError:
            return None
        return ended.stdout if ended.code == 0 else None


def call_in(path: Path) -> Call | None:
    with path.open("rb") as file:
        return call_from(file.read(LINE_BYTES_MAX))


def settle(path: Path, fate: Fate) -> None:
    """Take a call out of the spool; what nobody forwards stays beside it, for people."""
    if fate is Fate.FORWARDED:
        path.unlink()
    else:
        path.rename(path.with_suffix(f".{fate.value}"))


def told(call: Call) -> None:
    about = {"node": call.node, "host": call.host, "action": call.action, "by": call.by}
    log.info("fence_call.heard", extra={**about, "is_in_cib": call.is_in_cib})
