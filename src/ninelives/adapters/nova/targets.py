"""Where a server may go: Placement's candidates, less those that Nova's filters would refuse.

In a storm many servers of one flavor ask at once; what one of them was told serves all for
`SHARED_S`. Nova's scheduler has the last word, and the core spreads what goes out.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from urllib.parse import urlencode

from ninelives.core.model import Candidate, HostId, ServerId

from .candidates import (
    Group,
    Needs,
    Rules,
    Taken,
    aggregates_of,
    extras_of,
    group_of,
    needs_of,
    ranked,
    rooms,
    zone_of,
)
from .fields import Fields, inner, rows, text, whole, words
from .roster import Roster
from .services import Services
from .session import Missing, Session
from .shared import Shared
from .views import Names

SHARED_S = 2.0
NODES_S = 60.0  # compute nodes and aggregates change by the hand of an operator
CANDIDATES_MAX = 1_000
KINDS_MAX = 500  # of flavors
# From 2.88 this list asks each compute for its uptime, and waits a minute for one that is dead
# (nova/api/openstack/compute/hypervisors.py).
WITHOUT_UPTIME = (2, 87)
GROUPS_SHOWN = (2, 71)

SeesDisk = Callable[[HostId, ServerId], bool]


class Targets:
    """Asks Placement, and knows which compute node is which of Nova's hosts."""

    def __init__(
        self,
        nova: Session,
        placement: Session,
        roster: Roster,
        services: Services,
        sees_disk: SeesDisk,
    ) -> None:
        self._nova, self._placement = nova, placement
        self._roster, self._services, self._sees_disk = roster, services, sees_disk
        self._nodes = Shared(self._read_nodes, NODES_S)
        self._aggregates = Shared(self._read_aggregates, NODES_S)
        self._rooms: dict[str, Shared[dict[str, int]]] = {}  # by what is asked for

    @property
    def _names(self) -> Names:
        return self._roster.around.names

    async def for_server(
        self,
        server: ServerId,
        beside: Mapping[HostId, Collection[ServerId]] | None = None,
        lent: Collection[HostId] = (),
    ) -> tuple[Candidate, ...]:
        """Return where it may go, best first.

        Were those of `beside` on their hosts already, and these reserved hosts lent.
        """
        fields = await self._known(server)
        if fields is None:
            return ()  # deleted
        rules = Rules(
            self._roster.host_of(server),
            zone_of(fields),
            tuple([await self._group(name, server) for name in await self._group_ids(fields)]),
            extras_of(fields),
            await self.aggregates(),
            frozenset(map(self._names.of, lent)),
        )
        roll = await self._services.lately()
        needs = needs_of(fields).also_of_the_disabled if lent else needs_of(fields)
        return ranked(
            await (self._rooms_beside(needs, beside) if beside else self._rooms_for(needs)),
            rules,
            roll.computes(),
            self._names.host,
            lambda host: self._sees_disk(host, server),
        )

    async def _known(self, server: ServerId) -> Fields | None:
        if self._roster.fields(server) is None:
            await self._roster.show((server,))
        return self._roster.fields(server)

    async def aggregates(self) -> Mapping[str, Mapping[str, str]]:
        """Return the metadata of each host's aggregates; the roster learns their names."""
        return await self._aggregates.now()

    async def holders(self, host: HostId) -> frozenset[str] | None:
        """Return who holds room on a host in Placement; None where it is no compute node there."""
        nodes = await self._nodes.now()
        mine = [node for node, name in nodes.items() if name == self._names.of(host)]
        found: set[str] = set()
        for node in mine:
            page = await self._placement.read(f"/resource_providers/{node}/allocations")
            found |= inner(page.fields, "allocations").keys()
        return frozenset(found) if mine else None

    async def disk_sizes_gb(self) -> dict[HostId, int]:
        """Return the DISK_GB that each compute node reports; a shared provider has it instead."""
        found = dict[HostId, int]()
        for node, name in (await self._nodes.now()).items():
            page = await self._placement.read(f"/resource_providers/{node}/inventories")
            disk = inner(inner(page.fields, "inventories"), "DISK_GB")
            if disk:
                found[self._names.host(name)] = whole(disk, "total")
        return found

    async def _rooms_for(self, needs: Needs) -> Mapping[str, int]:
        key = urlencode(needs.query(CANDIDATES_MAX))
        if key not in self._rooms:
            if len(self._rooms) >= KINDS_MAX:
                self._rooms.clear()
            self._rooms[key] = Shared(lambda: self._read_rooms(needs), SHARED_S)
        return await self._rooms[key].now()

    async def _rooms_beside(
        self, needs: Needs, beside: Mapping[HostId, Collection[ServerId]]
    ) -> Mapping[str, int]:
        taken = dict[str, Counter[str]]()
        nodes = await self._nodes.now()
        for node, name in nodes.items():
            for server in beside.get(self._names.host(name), ()):
                if fields := await self._known(server):
                    taken.setdefault(node, Counter()).update(needs_of(fields).resources)
        return await self._read_rooms(needs, taken)

    async def _read_rooms(self, needs: Needs, taken: Taken | None = None) -> dict[str, int]:
        asked = needs.query(CANDIDATES_MAX)
        page = await self._placement.read("/allocation_candidates", asked)
        nodes = await self._nodes.now()
        found = rooms(page.fields, needs, taken)
        return {nodes[node]: room for node, room in found.items() if node in nodes}

    async def _read_nodes(self) -> dict[str, str]:
        listed = await self._nova.pages(
            "/os-hypervisors/detail", {}, "hypervisors", newest=WITHOUT_UPTIME
        )
        return {text(row, "id"): text(inner(row, "service"), "host") for row in listed.rows}

    async def _read_aggregates(self) -> Mapping[str, Mapping[str, str]]:
        page = await self._nova.read("/os-aggregates")
        names, metadata = aggregates_of(rows(page.fields, "aggregates"))
        self._roster.learn_aggregates(names)
        return metadata

    # Server groups.

    async def _group_ids(self, fields: Fields) -> Iterable[str]:
        if await self._nova.version() >= GROUPS_SHOWN:
            return words(fields, "server_groups")
        listed = await self._nova.read("/os-server-groups", {"all_projects": "True"})
        server = text(fields, "id")
        groups = rows(listed.fields, "server_groups")
        return [text(group, "id") for group in groups if server in words(group, "members")]

    async def _group(self, name: str, server: ServerId) -> Group:
        try:
            page = await self._nova.read(f"/os-server-groups/{name}")
        except Missing:
            return Group("")  # deleted: it binds nobody any more
        fields = inner(page.fields, "server_group")
        others = [ServerId(each) for each in words(fields, "members") if each != server]
        await self._roster.show(others)
        return group_of(fields, server, lambda each: self._roster.host_of(ServerId(each)))
