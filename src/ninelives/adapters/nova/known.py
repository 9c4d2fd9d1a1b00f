"""What is known of one server, and how long it is worth something. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from typing import NamedTuple

from ninelives.core.model import MoveRecord, ServerId

from .fields import Fields
from .views import MoveRow, updated_at

SECOND = timedelta(seconds=2)  # `updated` has seconds only: what came within one may not be seen


@dataclass(frozen=True, slots=True)
class Known:
    """What was last shown of one server."""

    fields: Fields | None  # None: Nova does not know it any more
    moves: Mapping[int, MoveRow] = field(default_factory=dict[int, MoveRow])
    action: str = ""  # its user's last word on whether it runs
    reboot: MoveRecord | None = None  # the last one that we asked for
    action_at: datetime | None = None  # by Nova's clock, when its actions were read
    era: int = 0  # of the roster, when it was read whole
    asked_at: float = 0.0  # by our clock, when the newest row of it was asked for
    started_at: float = -inf  # by our clock, when we had it started

    @property
    def changed_at(self) -> datetime | None:
        """When Nova last changed its row."""
        return updated_at(self.fields) if self.fields is not None else None

    @property
    def has_current_action(self) -> bool:
        """Nothing can have been asked of it since its actions were read."""
        changed, read = self.changed_at, self.action_at
        return changed is not None and read is not None and read >= changed + SECOND

    @property
    def is_under_way(self) -> bool:
        """Nova is at work on it, and takes no orders of its user but to delete it."""
        return self.fields is not None and self.fields.get("OS-EXT-STS:task_state") is not None

    def is_done_changing(self, date: datetime) -> bool:
        """Say whether it is at rest, and did not change in the very second in which it was read.

        Under way it takes no order of its user but to delete it, and that is seen. What changed in
        this second may change again in it; the next look shows it once more.
        """
        changed = self.changed_at
        return not self.is_under_way and changed is not None and date >= changed + SECOND


class Asked(NamedTuple):
    """What was asked of a server last, and when by Nova's clock that was read."""

    action: str
    reboot: MoveRecord | None
    at: datetime | None


def with_asked(known: Known, asked: Asked) -> Known:
    """Keep what was asked of it."""
    return replace(known, action=asked.action, reboot=asked.reboot, action_at=asked.at)


def by_server(moves: Iterable[MoveRow]) -> dict[ServerId, dict[int, MoveRow]]:
    """Sort records by whose they are."""
    found: dict[ServerId, dict[int, MoveRow]] = {}
    for row in moves:
        found.setdefault(row.server, {})[row.record.id] = row
    return found


def is_older(fields: Fields, known: Fields | None) -> bool:
    """Say whether a row shows less than what is known."""
    if known is None:
        return False
    updated, before = updated_at(fields), updated_at(known)
    return updated is not None and before is not None and updated < before
