"""A danger in a configuration, and what is judged."""

from dataclasses import dataclass
from typing import NamedTuple

from ninelives.adapters.pacemaker.cib.pieces import Kind, Pieces
from ninelives.app.findings import Grade

from .exported_fencing import OUR_AGENTS
from .resources import devices, levels
from .yaml_lines import Where


class Danger(NamedTuple):
    """What is dangerous, why, and what to do about it."""

    name: str
    what: str
    reason: str
    remedy: str
    grade: Grade = Grade.ERROR
    path: Where = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A cluster as it would be, foreign parts included, and which of it the file declares."""

    pieces: Pieces
    declared: Pieces

    @property
    def ours(self) -> frozenset[str]:
        """Name the resources that the file declares."""
        return frozenset(key.name for key in self.declared if key.kind is Kind.RESOURCE)

    @property
    def is_recovered(self) -> bool:
        """Say whether ninelives stands in any level."""
        own = {
            name for name, each in devices(self.pieces).items() if each.get("type") in OUR_AGENTS
        }
        return any(own & set(each.devices) for each in levels(self.pieces))
