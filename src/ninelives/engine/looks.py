"""Answers in the order of their questions: an older look never takes back what a newer one saw.

Reads go out side by side, and one that waited in a proxy or at a lost packet comes back long after
the next. Folded as news it would undo what was seen since: a record that is open by now looks
final, a server that arrived looks as it did on its dead host.

    asked 1 ──────────────────────▶ answered last: whomever both saw is told as question 2 saw it
          asked 2 ───▶ answered first
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ninelives.core.events import DomainsSeen, Event, Listed, PowerRead, StorageSeen, Watched
from ninelives.core.model import BackendId, HostId, RoadId, ServerId, ServerSeen

KEPT_MAX = 50_000  # of each kind: far more than are looked at while one answer is waited for

Key = TypeVar("Key")
Value = TypeVar("Value")
Domain = tuple[ServerId, HostId]
Device = tuple[HostId, RoadId | BackendId]


@dataclass(slots=True)
class Looks:
    """The questions of one leader, and who was seen by the newest of them that was answered."""

    asked: int = 0
    servers: dict[ServerId, tuple[int, ServerSeen]] = field(
        default_factory=dict[ServerId, tuple[int, ServerSeen]]
    )
    domains: dict[Domain, tuple[int, bool | None]] = field(
        default_factory=dict[Domain, tuple[int, bool | None]]
    )
    devices: dict[Device, int] = field(default_factory=dict[Device, int])

    def ask(self) -> int:
        """Number a question that goes out now."""
        self.asked += 1
        return self.asked

    def told(self, number: int, event: Event) -> Event | None:
        """Return what an answer still says, if a newer question was answered before. None: nothing.

        A list keeps everybody who is on it: its page may be slow for ever, and must not be lost to
        quicker looks at some of them.
        """
        match event:
            case Listed(servers=servers) | Watched(servers=servers):
                newest = tuple(self._server(number, server) for server in servers)
                return event if newest == servers else replace(event, servers=newest)
            case DomainsSeen():
                return replace(event, present=tuple(self._domains(number, event)))
            case PowerRead(host=host, road=road):
                return event if self._is_newest(number, (host, road)) else None
            case StorageSeen(host=host, backend=backend):
                return event if self._is_newest(number, (host, backend)) else None
            case _:
                return event

    def _server(self, number: int, server: ServerSeen) -> ServerSeen:
        newest, known = self.servers.pop(server.id, (0, server))
        if number >= newest:
            newest, known = number, server
        self.servers[server.id] = newest, known
        _forget_oldest(self.servers)
        return known

    def _domains(self, number: int, event: DomainsSeen) -> Iterable[tuple[HostId, bool | None]]:
        for host, present in event.present:
            key = event.request.server, host
            newest, known = self.domains.pop(key, (0, present))
            if number >= newest:
                newest, known = number, present
            self.domains[key] = newest, known
            _forget_oldest(self.domains)
            yield host, known

    def _is_newest(self, number: int, device: Device) -> bool:
        newest = max(number, self.devices.pop(device, 0))
        self.devices[device] = newest
        _forget_oldest(self.devices)
        return newest == number


def _forget_oldest(known: dict[Key, Value]) -> None:
    if len(known) > KEPT_MAX:
        known.pop(next(iter(known)))
