"""What of each host can be probed: a port for each plane, open while its kernel runs there.

A host that dies, freezes or is cut off from a plane closes it: on loopback a closed port refuses,
and whoever probes has to take that for silence.
"""

import asyncio
import socket
from collections.abc import Mapping

from ninelives.core.model import Plane

from .machines import Machine

CALLERS_MAX = 128  # waiting at once
PROBED_MAX = 100  # hosts: each costs three sockets

Address = tuple[str, int]


class Ports:
    """Every port of every host. `follow` is called in the loop after anything may have changed."""

    def __init__(self, hosts: Mapping[str, Machine]) -> None:
        self._open = {
            (host, plane): listening((f"127.77.{second}.{first}", 0))
            for first, host in enumerate(list(hosts)[:PROBED_MAX], start=1)
            for second, plane in enumerate(Plane, start=1)
        }
        self._at = {who: address_of(sock) for who, sock in self._open.items()}
        self._heeded: set[tuple[str, Plane]] = set()

    def addresses(self, host: str) -> dict[str, str]:
        """Say where a host is probed on each plane."""
        return {
            plane.value: f"{address}:{number}"
            for (name, plane), (address, number) in self._at.items()
            if name == host
        }

    def follow(self, machines: Mapping[str, Machine]) -> None:
        """Open the ports of who is up, and close all others."""
        for who in self._at:
            machine = machines.get(who[0])
            is_heard = machine is not None and machine.is_up and who[1] not in machine.cuts
            if is_heard and who not in self._heeded:
                self._heed(who)
            elif not is_heard and who in self._open:
                self._close(who)

    def close(self) -> None:
        for who in tuple(self._open):
            self._close(who)

    def _heed(self, who: tuple[str, Plane]) -> None:
        sock = self._open.get(who) or listening(self._at[who])
        self._open[who] = sock
        self._heeded.add(who)
        asyncio.get_running_loop().add_reader(sock.fileno(), take_all, sock)

    def _close(self, who: tuple[str, Plane]) -> None:
        sock = self._open.pop(who)
        if who in self._heeded:
            self._heeded.discard(who)
            asyncio.get_running_loop().remove_reader(sock.fileno())
        sock.close()


def listening(at: Address) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(at)
    sock.listen(CALLERS_MAX)
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> Address:
    address, number = sock.getsockname()
    return str(address), int(number)


def take_all(sock: socket.socket) -> None:
    """Take every call, and hang up: that somebody did is the whole answer."""
    while True:
        try:
            caller, _ = sock.accept()
        except OSError:
            return
        caller.close()
