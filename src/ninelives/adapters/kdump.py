"""Hears the beacons of hosts that write a crash dump: `fence_kdump_send`, UDP to port 7410.

A beacon is eight bytes without a signature. Whoever can send to us can make one, so that it proves
nothing and may only delay an `off` (`kdump_wait_s`). It is told at most every `REPEAT_S` of a host.
"""

import asyncio
import struct
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ninelives.core.events import KdumpSeen
from ninelives.core.model import HostId

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ninelives.engine.loop import Tell

PORT = 7410
REPEAT_S = 5.0  # of the sender's own ten
WAITING_MAX = 256  # beacons that nobody has looked at yet; what is more is dropped
BEACON = b"\x40\x2a\x30\x1b\x01\x00\x00\x00"  # magic and version, as fence_kdump.h has them
# It sends them in its own byte order, and not every host is little-endian.
BEACONS = frozenset({BEACON, struct.pack(">II", *struct.unpack("<II", BEACON))})


class Ear(asyncio.DatagramProtocol):
    """Keeps the addresses from which a beacon came, in order."""

    def __init__(self) -> None:
        self.heard = asyncio.Queue[str](WAITING_MAX)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data in BEACONS and not self.heard.full():
            self.heard.put_nowait(addr[0])


@asynccontextmanager
async def listening(address: str, port: int = PORT) -> "AsyncGenerator[tuple[Ear, int]]":
    """Open the port; `OSError` where somebody else has it. Yields who hears, and the port."""
    loop = asyncio.get_running_loop()
    transport, ear = await loop.create_datagram_endpoint(Ear, local_addr=(address, port))
    try:
        yield ear, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def hear(ear: Ear, hosts: Mapping[str, HostId], tell: "Tell") -> None:
    """Tell of each host that dumps. `hosts` maps addresses; of others nothing is known."""
    clock, told = asyncio.get_running_loop().time, dict[HostId, float]()
    while True:
        host = hosts.get(await ear.heard.get())
        if host is not None and clock() >= told.get(host, -REPEAT_S) + REPEAT_S:
            told[host] = clock()
            await tell(KdumpSeen(host))
