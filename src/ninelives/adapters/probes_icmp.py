"""ICMP echo requests to many addresses from one raw socket; whoever answers is reported.

One socket asks all addresses of one family in a round, and hears all their answers. It needs
CAP_NET_RAW, or a group of `net.ipv4.ping_group_range`; without, `open_echo` says None.
"""

import asyncio
import ipaddress
import os
import socket
import struct
from collections.abc import Callable, Iterable

ECHO_REPLY_4, ECHO_REQUEST_4 = 0, 8  # RFC 792
ECHO_REPLY_6, ECHO_REQUEST_6 = 129, 128  # RFC 4443
SOL_RAW, ICMP_FILTER = 255, 1  # linux/icmp.h: a bit for each type that is NOT wanted
HEADER = struct.Struct("!BBHHH")
RECEIVE_BYTES = 2048
RECEIVES_MAX = 1000  # in a row, before everybody else gets a turn
BUFFER_BYTES = 2**21

Heard = Callable[[str], None]


class Echo:
    """One raw socket. `heard` is called with the address that answered."""

    def __init__(self, raw: socket.socket, heard: Heard) -> None:
        self._socket, self._heard = raw, heard
        self._is_6 = raw.family == socket.AF_INET6
        self._id = os.getpid() & 0xFFFF
        self._token = os.urandom(8)  # so that answers to somebody else's questions are not ours
        self._round = 0
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        asyncio.get_running_loop().add_reader(raw.fileno(), self._receive)

    def ask(self, addresses: Iterable[str]) -> None:
        """Send one request to each. What cannot be sent is not heard either."""
        self._round = (self._round + 1) & 0xFFFF
        packet = self._packet()
        for address in addresses:
            try:
                self._socket.sendto(packet, (address, 0))
            except OSError:
                continue  # no route, no buffer: the silence that follows says so

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def _packet(self) -> bytes:
        kind = ECHO_REQUEST_6 if self._is_6 else ECHO_REQUEST_4
        empty = HEADER.pack(kind, 0, 0, self._id, self._round) + self._token
        # The kernel fills in the checksum of ICMPv6 (RFC 3542, 3.1), not that of ICMP.
        checksum = 0 if self._is_6 else checksum_of(empty)
        return HEADER.pack(kind, 0, checksum, self._id, self._round) + self._token

    def _receive(self) -> None:
        for _ in range(RECEIVES_MAX):
            try:
                packet, (address, *_) = self._socket.recvfrom(RECEIVE_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an error that a router sent about one address
            if self._is_ours(packet):
                self._heard(address)

    def _is_ours(self, packet: bytes) -> bool:
        body = packet if self._is_6 else packet[(packet[0] & 0x0F) * 4 :]
        if len(body) < HEADER.size + len(self._token):
            return False
        kind, _, _, number, _ = HEADER.unpack_from(body)
        is_reply = kind == (ECHO_REPLY_6 if self._is_6 else ECHO_REPLY_4)
        return is_reply and number == self._id and body[HEADER.size :] == self._token


def open_echo(family: int, heard: Heard) -> Echo | None:
    """Open a raw socket of AF_INET or AF_INET6; None where that is not allowed."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        raw = socket.socket(family, socket.SOCK_RAW, protocol)
    except OSError:
        return None
    if family == socket.AF_INET:
        wanted = ~(1 << ECHO_REPLY_4) & 0xFFFFFFFF
        raw.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", wanted))
    return Echo(raw, heard)


def can_ping() -> bool:
    """Say whether a raw socket may be opened here."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


def family_of(address: str) -> int | None:
    """Return AF_INET or AF_INET6; None for a name, or for an address with a port."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return None
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def checksum_of(packet: bytes) -> int:
    """The ones' complement sum of RFC 1071."""
    padded = packet + b"\0" * (len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
