"""Beacons of hosts that write a dump, from the system's own sender and from strangers."""

import asyncio
import socket
from pathlib import Path

import pytest

from ninelives.adapters.kdump import BEACON, hear, listening
from ninelives.adapters.process import Program, run
from ninelives.core.events import Event, KdumpSeen
from ninelives.core.model import HostId

LOOPBACK = "127.0.0.1"
C1 = HostId("c1")
SENDERS = ("/usr/libexec/fence-agents/fence_kdump_send", "/usr/libexec/fence_kdump_send")
PATIENCE_S = 20.0


async def heard(*datagrams: bytes, sender: str = "") -> list[Event]:
    """Send these to an ear, and then one beacon from another host: what was told before that."""
    told, last = list[Event](), asyncio.Event()

    async def tell(event: Event) -> None:
        told.append(event)
        if isinstance(event, KdumpSeen) and event.host == "last":
            last.set()

    hosts = {LOOPBACK: C1, "127.0.0.2": HostId("last")}
    async with listening(LOOPBACK, 0) as (ear, port), asyncio.timeout(PATIENCE_S):
        if sender:
            words = ("-p", str(port), "-f", "ipv4", "-c", "1", LOOPBACK)
            await run(Program((sender, *words), PATIENCE_S))
        for source, datagram in (*((LOOPBACK, each) for each in datagrams), ("127.0.0.2", BEACON)):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.bind((source, 0))
                out.sendto(datagram, (LOOPBACK, port))
        task = asyncio.Task(hear(ear, hosts, tell))
        await last.wait()
        task.cancel()
    return told[:-1]


def test_the_systems_own_sender_is_heard() -> None:
    sender = next((each for each in SENDERS if Path(each).exists()), None)
    if sender is None:
        pytest.skip("no fence_kdump_send: apt-get install fence-agents")

    assert asyncio.run(heard(sender=sender)) == [KdumpSeen(C1)]


def test_a_host_that_goes_on_dumping_is_told_of_once_in_a_while() -> None:
    assert asyncio.run(heard(BEACON, BEACON, BEACON)) == [KdumpSeen(C1)]


def test_another_byte_order_is_a_beacon_and_anything_else_is_none() -> None:
    swapped = BEACON[3::-1] + BEACON[:3:-1]

    assert asyncio.run(heard(swapped)) == [KdumpSeen(C1)]
    assert asyncio.run(heard(b"", b"hello", BEACON + b"\0", BEACON[:4])) == []
