"""The port `Compute` over the true HTTP APIs: everything that the engine asks of Nova."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ninelives.core.model import LOCAL, BackendId, Candidate, HostId, ServerId, ServerSeen
from ninelives.engine.ports import Answer

from .identity import Identity
from .orders import Orders
from .pace import Limits, Pace
from .reasons import OURS
from .roster import Roster
from .services import Services
from .session import NOVA, PLACEMENT, Session
from .targets import SeesDisk, Targets
from .views import VOLUMES, MoveRow, Names, Surroundings
from .wire import Wire

log = logging.getLogger(__name__)


def _nobody(host: HostId, server: ServerId) -> bool:  # noqa: ARG001 -- a `SeesDisk`
    return False


@dataclass(frozen=True, slots=True)
class Site:
    """What the inventory knows and Nova does not say."""

    names: Names = field(default_factory=Names)
    expected: frozenset[HostId] = frozenset()  # compute hosts that Nova has to show
    disk_of: Callable[[HostId | None], BackendId] = lambda _: LOCAL
    volumes: BackendId = VOLUMES
    sees_disk: SeesDisk = _nobody  # an agent saw it there, or the storage is declared shared


class NovaCompute:
    """Nova and Placement, as one controller reaches them."""

    def __init__(
        self, wire: Wire, identity: Identity, site: Site | None = None, limits: Limits | None = None
    ) -> None:
        site = site or Site()
        self._wire, self.identity = wire, identity
        self.nova = Session(wire, identity, NOVA, Pace(limits))
        placement = Session(wire, identity, PLACEMENT, Pace(limits))
        self.services = Services(self.nova, site.names, site.expected)
        self._roster = Roster(self.nova, Surroundings(site.names, site.disk_of, site.volumes))
        self._targets = Targets(self.nova, placement, self._roster, self.services, site.sees_disk)
        self._orders = Orders(self.nova, self.services, site.names)

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    # Reading.

    async def list_servers(self, host: HostId) -> tuple[tuple[ServerSeen, ...], bool]:
        """List who is on the host, who moves from or to it, and who holds room there."""
        await self._targets.aggregates()
        roll = await self.services.read()
        there, moves = await self._roster.on_host(host)
        holders = await self._targets.holders(host)
        seen = await self._roster.show(_others(there, moves, holders or frozenset()))
        is_whole = await self.services.is_whole(roll) and holders is not None
        if not is_whole:
            why = "a cell is down" if holders is not None else "no compute node of it"
            log.warning("nova.list_incomplete", extra={"host": host, "why": why})
        return (*there.values(), *filter(_is_known, seen)), is_whole

    async def show(self, servers: tuple[ServerId, ...]) -> tuple[ServerSeen, ...]:
        # One is checked before a send. Who asks for several watches them, and can wait.
        one = len(servers) == 1
        return await (self._roster.show(servers) if one else self._roster.watch(servers))

    async def targets(self, server: ServerId) -> tuple[Candidate, ...]:
        return await self._targets.for_server(server)

    async def targets_beside(
        self,
        server: ServerId,
        beside: Mapping[HostId, Collection[ServerId]],
        lent: Collection[HostId] = (),
    ) -> tuple[Candidate, ...]:
        """Return where it might go, were those of `beside` on their hosts, and these hosts lent."""
        return await self._targets.for_server(server, beside, lent)

    async def disk_sizes_gb(self) -> dict[HostId, int]:
        """Return how large each host says the disk is where its servers' own disks are."""
        return await self._targets.disk_sizes_gb()

    # Ordering.

    async def evacuate(self, server: ServerId, target: HostId) -> Answer:
        return await self._orders.evacuate(server, target)

    async def start(self, server: ServerId) -> Answer:
        self._roster.starts(server)
        return await self._orders.start(server)

    async def stop(self, server: ServerId) -> Answer:
        return await self._orders.stop(server)

    async def reset_state(self, server: ServerId) -> Answer:
        return await self._orders.reset_state(server)

    async def hard_reboot(self, server: ServerId) -> Answer:
        return await self._orders.hard_reboot(server)

    async def live_migrate(self, server: ServerId) -> Answer:
        return await self._orders.live_migrate(server)

    async def disable(self, host: HostId, epoch: int) -> Answer:
        return await self._orders.disable(host, f"{OURS}{epoch}")

    async def enable(self, host: HostId) -> Answer:
        return await self._orders.enable(host)

    async def reserve(self, host: HostId, enabled: bool) -> Answer:
        return await self._orders.reserve(host, enabled)

    async def force_down(self, host: HostId) -> Answer:
        return await self._orders.force_down(host)

    async def force_up(self, host: HostId) -> Answer:
        return await self._orders.force_up(host)


def _others(
    there: Mapping[ServerId, ServerSeen], moves: list[MoveRow], holders: frozenset[str]
) -> list[ServerId]:
    """Return who may have a copy on the host although Nova does not say that it is there.

    A move under way holds its room under its own name, not its server's.
    """
    moving = [row.server for row in moves if not row.record.is_final]
    names_of_moves = {row.uuid for row in moves}
    holding = (ServerId(name) for name in sorted(holders - names_of_moves))
    return list(dict.fromkeys(each for each in (*moving, *holding) if each not in there))


def _is_known(seen: ServerSeen) -> bool:
    """Leave out who is deleted: also a name in Placement that is no server's at all."""
    return seen.host is not None or seen.vm_state.value != "deleted"
