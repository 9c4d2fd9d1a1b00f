"""A very small world behind the ports: three hosts, their BMCs, a Nova; answers take their time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from ninelives.core import events as on
from ninelives.core.model import (
    Attestation,
    BackendId,
    BootId,
    Candidate,
    HostId,
    MoveRecord,
    Plane,
    Power,
    RoadId,
    ServerId,
    ServerSeen,
    Service,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.site import HostSite, Road, Site
from ninelives.engine.errors import Unreachable
from ninelives.engine.lease import Tenure
from ninelives.engine.loop import Tell
from ninelives.engine.ports import ACCEPTED, Answer, Batch, Committed, Store
from ninelives.engine.writer import Report, WriterClosed, merged

CEPH = BackendId("ceph")
ME = WitnessId("ctl-a")
HOSTS = tuple(HostId(f"c{number}") for number in (1, 2, 3))
EVACUATION_S = 3.0
COMMIT_S = 0.002
BMC_S = 0.2


def boot_of(host: HostId) -> BootId:
    return BootId(f"{host}-boot")


def witnesses_of(host: HostId) -> tuple[WitnessId, ...]:
    return (ME, *(WitnessId(other) for other in HOSTS if other != host))


SITE = Site(
    {
        host: HostSite(
            host,
            serial=f"serial-{host}",
            roads=(Road(RoadId(f"bmc-{host}"), address=f"bmc-{host}"),),
            backends=(CEPH,),
            witnesses=witnesses_of(host),
        )
        for host in HOSTS
    },
    controllers=(ME,),
)


@dataclass
class World:
    """Who is on, who runs where, and everything that was asked of it, in order."""

    chance: Random
    silence_s: float = 6.0
    powered: dict[HostId, bool] = field(default_factory=lambda: dict.fromkeys(HOSTS, True))
    servers: dict[ServerId, ServerSeen] = field(default_factory=dict[ServerId, ServerSeen])
    asked: list[tuple[float, str, str]] = field(default_factory=list[tuple[float, str, str]])
    told: list[str] = field(default_factory=list[str])
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    stuck_s: float = 0.0  # every answer is later by so much
    jump_s: float = 0.0  # the clock went on by so much while nobody ran
    before: Callable[[str, str], object] = lambda _what, _about: None

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self.jump_s

    def wall(self) -> float:
        return 1.7e9 + self.now()

    async def hear(self, what: str, about: str, takes_s: float = 0.1) -> None:
        """Hear a request; it takes its time, a little different each time."""
        self.asked.append((self.now(), what, about))
        self.before(what, about)
        await asyncio.sleep(self.stuck_s + takes_s * self.chance.uniform(0.5, 1.5))

    def add_server(self, name: str, host: HostId) -> None:
        seen = ServerSeen(ServerId(name), host, VmState.ACTIVE, None, True, disks=(CEPH,))
        self.servers[seen.id] = seen

    def cut_power(self, host: HostId) -> None:
        self.powered[host] = False
        self.dead.set()

    def requests(self, *kinds: str) -> list[tuple[str, str]]:
        return [(what, about) for _, what, about in self.asked if what in kinds]


# What is seen without being asked.


async def witnesses(world: World, tell: Tell) -> None:
    """Let everybody see everybody, and then the dead one no more."""
    for host in HOSTS:
        await tell(on.NovaSeen(host, True, True, False, False, False))
        await tell(on.AgentSaid(host, boot_of(host)))
    for witness in (ME, *map(WitnessId, HOSTS)):
        await tell(sight(witness, [h for h in HOSTS if WitnessId(h) != witness], Sign.STRONG))
    await world.dead.wait()
    await asyncio.sleep(world.silence_s)
    dead = [host for host in HOSTS if not world.powered[host]]
    for witness in (ME, *(WitnessId(host) for host in HOSTS if host not in dead)):
        await tell(sight(witness, dead, Sign.SILENT))
    await asyncio.Event().wait()


def sight(witness: WitnessId, hosts: list[HostId], sign: Sign) -> on.Sighted:
    changes = tuple(
        on.Change(host, plane, sign, boot_of(host) if sign is Sign.STRONG else None)
        for host in hosts
        for plane in Plane
    )
    return on.Sighted(witness, changes, tuple((plane, 2, 2) for plane in Plane))


# Ports.


@dataclass
class Bmcs:
    world: World

    async def read(self, host: HostId, road: RoadId) -> Power:
        await self.world.hear("power.read", host, BMC_S)
        return Power.ON if self.world.powered[host] else Power.OFF

    async def switch_off(self, host: HostId, road: RoadId) -> Answer:
        await self.world.hear("power.off", host, BMC_S)
        if not self.world.powered[host]:
            return Answer(on.Outcome.REFUSED, "already_off")
        self.world.powered[host] = False
        return ACCEPTED

    async def switch_on(self, host: HostId) -> Answer:
        await self.world.hear("power.on", host, BMC_S)
        return ACCEPTED


@dataclass
class Ceph:
    world: World

    async def look(self, host: HostId, backend: BackendId) -> on.StorageSeen:
        await self.world.hear("storage.look", host)
        return on.StorageSeen(host, backend, watched=self.world.powered[host], revoked=False)

    async def revoke(self, host: HostId, backend: BackendId) -> Answer:
        await self.world.hear("storage.revoke", host)
        return ACCEPTED

    async def lift(self, host: HostId, backend: BackendId) -> Answer:
        await self.world.hear("storage.lift", host)
        return ACCEPTED


@dataclass
class Nova:
    """Accepts an evacuation, shows it under way, and leaves the server stopped on the target."""

    world: World

    async def list_servers(self, host: HostId) -> tuple[tuple[ServerSeen, ...], bool]:
        await self.world.hear("nova.list", host)
        there = [s for s in self.world.servers.values() if s.host == host or _came_from(s, host)]
        return tuple(there), True

    async def show(self, servers: tuple[ServerId, ...]) -> tuple[ServerSeen, ...]:
        await self.world.hear("nova.show", " ".join(servers))
        return tuple(
            self.world.servers[server] for server in servers if server in self.world.servers
        )

    async def targets(self, server: ServerId) -> tuple[Candidate, ...]:
        await self.world.hear("nova.targets", server)
        live = [host for host in HOSTS if self.world.powered[host]]
        return tuple(Candidate(host, 10, sees_disk=True) for host in live)

    async def evacuate(self, server: ServerId, target: HostId) -> Answer:
        seen = self.world.servers[server]
        assert seen.host is not None
        record = MoveRecord(len(self.world.asked), "evacuation", seen.host, target, "accepted")
        self.world.servers[server] = replace(
            seen, task_state="rebuilding", records=(*seen.records, record)
        )
        asyncio.get_running_loop().call_later(EVACUATION_S, self._arrive, server, target)
        await self.world.hear("nova.evacuate", f"{server} to {target}")
        return ACCEPTED

    def _arrive(self, server: ServerId, target: HostId) -> None:
        seen = self.world.servers[server]
        *earlier, record = seen.records
        self.world.servers[server] = replace(
            seen,
            host=target,
            vm_state=VmState.STOPPED,
            task_state=None,
            is_running=False,
            records=(*earlier, replace(record, status="done")),
        )

    async def start(self, server: ServerId) -> Answer:
        await self.world.hear("nova.start", server)
        seen = self.world.servers[server]
        self.world.servers[server] = replace(seen, vm_state=VmState.ACTIVE, is_running=True)
        return ACCEPTED

    async def reset_state(self, server: ServerId) -> Answer:
        await self.world.hear("nova.reset", server)
        return ACCEPTED

    async def stop(self, server: ServerId) -> Answer:
        await self.world.hear("nova.stop", server)
        return ACCEPTED

    async def hard_reboot(self, server: ServerId) -> Answer:
        await self.world.hear("nova.reboot", server)
        return ACCEPTED

    async def live_migrate(self, server: ServerId) -> Answer:
        await self.world.hear("nova.migrate", server)
        return ACCEPTED

    async def disable(self, host: HostId, epoch: int) -> Answer:
        await self.world.hear("nova.disable", host)
        return ACCEPTED

    async def enable(self, host: HostId) -> Answer:
        await self.world.hear("nova.enable", host)
        return ACCEPTED

    async def reserve(self, host: HostId, enabled: bool) -> Answer:
        await self.world.hear("nova.reserve", host)
        return ACCEPTED

    async def force_down(self, host: HostId) -> Answer:
        await self.world.hear("nova.force_down", host)
        return ACCEPTED

    async def force_up(self, host: HostId) -> Answer:
        await self.world.hear("nova.force_up", host)
        return ACCEPTED


def _came_from(server: ServerSeen, host: HostId) -> bool:
    return any(host in (record.source, record.target) for record in server.records)


@dataclass
class Agents:
    """Agents of hosts that are on. Nobody attests: none was booted anew."""

    world: World

    async def attest(self, host: HostId, epoch: int) -> Attestation:
        raise Unreachable("no route to host")

    async def promise(self, witness: WitnessId, host: HostId, epoch: int) -> bool:
        await self.world.hear("agent.promise", host)
        return True

    async def has_domain(self, host: HostId, server: ServerId) -> bool:
        if not self.world.powered[host]:
            raise Unreachable("no route to host")
        await self.world.hear("agent.domain", host)
        return self.world.servers[server].host == host

    async def start_compute(self, host: HostId, boot: BootId | None) -> Answer:
        await self.world.hear("agent.compute", host)
        return ACCEPTED

    async def open_gate(self, host: HostId, boot: BootId | None) -> Answer:
        await self.world.hear("agent.gate", host)
        return ACCEPTED

    async def restart(self, host: HostId, service: Service) -> Answer:
        await self.world.hear("agent.restart", host)
        return ACCEPTED


@dataclass
class Pager:
    world: World

    async def tell(self, about: str, what: str, epoch: int, detail: str) -> Answer:
        await self.world.hear("told", f"{about} {what}")
        self.world.told.append(f"{about} {what}")
        return ACCEPTED


@dataclass
class QuietGuard:
    """A guard that kills nobody, and can be made deaf."""

    until: float | None = None
    hears: bool = True
    rests: int = 0

    def watch(self, tenure: Tenure) -> None:
        if self.hears:
            self.until = tenure.ends_at

    def rest(self) -> None:
        self.until = None
        self.rests += 1

    def armed_until(self) -> float | None:
        return self.until


class VirtualWriter:
    """A writer without a thread: what is offered within one moment is one commit."""

    def __init__(self, store: Store, report: Callable[[Report], None]) -> None:
        self._store, self._report = store, report
        self._waiting: list[Batch] = []
        self._is_open = True

    def offer(self, batch: Batch) -> bool:
        if not self._waiting:
            asyncio.get_running_loop().call_later(COMMIT_S, self._commit)
        self._waiting.append(batch)
        return self._is_open

    def _commit(self) -> None:
        if not self._is_open or not self._waiting:
            return
        group, self._waiting = merged(self._waiting), []
        answer = self._store.commit(group)
        self._is_open = isinstance(answer, Committed)
        self._report(answer)

    def close(self, timeout_s: float) -> bool:
        self._commit()
        self._is_open = False
        self._report(WriterClosed())
        return True
