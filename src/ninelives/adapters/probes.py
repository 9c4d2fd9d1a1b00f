"""One witness's eyes: every address is asked each round, and what changed is told.

    round ─┬─ ICMP, from one raw socket a family ──▶ Views ──▶ told: what changed since
           └─ TCP connect: addresses with a port, or where ICMP is not allowed or not answered

A standby looks like a leader does; only whom it tells differs.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ninelives.core.model import HostId

from .probes_icmp import Echo, family_of, open_echo
from .probes_views import Target, Views

CONNECTS_MAX = 256  # at once
MISSED_ROUNDS = 2  # who answered no ICMP for so long is asked over TCP, too


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is looked at, and how."""

    targets: Sequence[Target]
    silence_s: Mapping[HostId, float]
    reference_silence_s: float
    every_s: float = 1.0
    timeout_s: float = 1.0
    uses_icmp: bool = True
    tcp_port: int = 22
    refused_is_life: bool = True


class Prober:
    """The eyes of this controller. `run` looks until it is cancelled."""

    def __init__(self, plan: Plan, now: Callable[[], float]) -> None:
        self._plan, self._now = plan, now
        silence_s = (plan.silence_s, plan.reference_silence_s)
        self.views = Views(plan.targets, *silence_s, now(), plan.every_s)
        self._by_address: dict[str, list[Target]] = {}
        for target in plan.targets:
            self._by_address.setdefault(plain(target.address), []).append(target)
        self._families = {address: family_of(address) for address in self._by_address}
        self._echoes: dict[int, Echo] = {}
        self._connects = asyncio.Semaphore(CONNECTS_MAX)
        self._asked: set[str] = set()  # over TCP, and not answered yet

    async def run(self) -> None:
        try:
            self._open_echoes()
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self.views.begin_round(self._now())
                    self._look(tasks)
                    await asyncio.sleep(self._plan.every_s)
        finally:
            for echo in self._echoes.values():
                echo.close()

    def _open_echoes(self) -> None:
        if not self._plan.uses_icmp:
            return
        for family in {*self._families.values()} - {None}:
            assert family is not None
            echo = open_echo(family, self._heard)
            if echo is not None:
                self._echoes[family] = echo

    def _look(self, tasks: asyncio.TaskGroup) -> None:
        over_icmp: dict[int, list[str]] = {}
        missed_s, now = MISSED_ROUNDS * self._plan.every_s, self._now()
        for address, targets in self._by_address.items():
            family = self._families[address]
            if family is not None and family in self._echoes:
                over_icmp.setdefault(family, []).append(address)
                if not self.views.is_missed(targets[0], now, missed_s):
                    continue
            if address not in self._asked:
                self._asked.add(address)
                tasks.create_task(self._connect(address))
        for family, addresses in over_icmp.items():
            self._echoes[family].ask(addresses)

    async def _connect(self, address: str) -> None:
        try:
            async with self._connects, asyncio.timeout(self._plan.timeout_s):
                if await answers(address, self._plan.tcp_port, self._plan.refused_is_life):
                    self._heard(address)
        except TimeoutError:
            return
        finally:
            self._asked.discard(address)

    def _heard(self, address: str) -> None:
        now = self._now()
        for target in self._by_address.get(address, ()):
            self.views.heard(target, now)


def plain(address: str) -> str:
    """Write an address as the kernel does, which names by it who answered. Pure."""
    return str(ipaddress.ip_address(address)) if family_of(address) is not None else address


async def answers(address: str, port: int, refused_is_life: bool) -> bool:
    """Open a connection and close it at once. A refusal comes from a kernel, too."""
    host, own_port = with_port(address)
    try:
        _, writer = await asyncio.open_connection(host, own_port or port)
    except ConnectionRefusedError:
        return refused_is_life
    except OSError:
        return False
    writer.transport.abort()
    return True


def with_port(address: str) -> tuple[str, int | None]:
    """Split "10.0.0.1:8022" and "[::1]:22". Without a port it is a bare address or name. Pure."""
    if address.startswith("["):
        host, _, port = address[1:].partition("]:")
        return host.rstrip("]"), int(port) if port else None
    if address.count(":") == 1:
        host, _, port = address.partition(":")
        return host, int(port)
    return address, None
