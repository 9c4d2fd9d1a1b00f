"""Nova with hypervisors that obey at once: the smallest world around the model, and an example of
one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effects import (
    AbortDomainMigration,
    ComputeStopped,
    DestroyDomain,
    DiskSeen,
    Effect,
    Fact,
    LookForDisk,
    Migrated,
    MigrateDomain,
    PauseDomain,
    SpawnDomain,
    Spawned,
    StartDomain,
    StopDomain,
)
from .model import Nova
from .records import Host, HostName, PowerState, Server, ServerId
from .settings import LAB_TIMINGS, Timings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .requests import Reply, Request


class Cloud:
    """The ground truth is `running`: which domain runs on which host."""

    __slots__ = ("effects", "nova", "now", "running", "unmounted")

    def __init__(
        self,
        hosts: Iterable[Host],
        servers: Iterable[Server] = (),
        timings: Timings = LAB_TIMINGS,
    ) -> None:
        self.now = 0.0
        self.nova = Nova(hosts, (), self.now, timings)
        self.running: set[tuple[HostName, ServerId]] = set()
        self.unmounted: set[HostName] = set()  # hosts that do not see the shared disks
        self.effects: list[Effect] = []
        for server in servers:
            self.boot(server)

    def boot(self, server: Server) -> None:
        self.nova.add_server(server, self.now)
        if server.host is not None and server.power_state is PowerState.RUNNING:
            self.running.add((server.host, server.id))

    def request(self, asked: Request) -> Reply:
        return self.nova.request(asked, self.now)

    def tell(self, fact: Fact) -> None:
        self.nova.told(fact, self.now)

    def power_off(self, host: HostName) -> None:
        """What a fence does: nothing runs there any more, and nova-compute is gone."""
        self.running = {domain for domain in self.running if domain[0] != host}
        self.tell(ComputeStopped(host))

    def run(self, for_s: float) -> None:
        end = self.now + for_s
        while (due := self.nova.wake_at()) is not None and due <= end:
            self.now = max(self.now, due)
            for effect in self.nova.advance(self.now):
                self._carry_out(effect)
        self.now = end
        assert not self.nova.advance(self.now)

    def hosts_of(self, server: ServerId) -> set[HostName]:
        return {host for host, domain in self.running if domain == server}

    def _carry_out(self, effect: Effect) -> None:
        self.effects.append(effect)
        match effect:
            case LookForDisk(host, server, work):
                on_disk = host not in self.unmounted
                has_domain = (host, server) in self.running
                self.tell(DiskSeen(work, on_disk, has_domain))
            case SpawnDomain(host, server, _, work) | StartDomain(host, server, work):
                self.running.add((host, server))
                self.tell(Spawned(work))
            case StopDomain(host, server) | DestroyDomain(host, server):
                self.running.discard((host, server))
            case PauseDomain() | AbortDomainMigration():
                pass
            case MigrateDomain(source, dest, server, work):
                self.running.discard((source, server))
                self.running.add((dest, server))
                self.tell(Migrated(work))
