"""What one witness believes it gets from each host: heard, silent for long enough, or unknown.

    answer ──▶ heard_at ──▶ younger than `silence_s`: WEAK
                            older, and we listened all that time: SILENT
                            anything else: UNKNOWN

A probe's answer is a weak sign: a kernel that hangs gives it, too. Who did not run himself for a
while missed everything, and so begins to listen anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from ninelives.core.model import HostId, Plane, Sign

FROZEN_S = 2.0  # a round that comes so much later than it is due: we did not run


class Target(NamedTuple):
    """One address to look at. Of a host, or (None) a reference that tells whether we see at all."""

    host: HostId | None
    plane: Plane
    address: str


Relation = tuple[HostId, Plane]


@dataclass(slots=True)
class Views:
    """All views of one witness, on one monotonic clock."""

    targets: Sequence[Target]
    silence_s: Mapping[HostId, float]
    reference_silence_s: float
    listens_since: float
    every_s: float = 1.0  # between two rounds
    freezes: int = 0  # how often we did not run
    _heard_at: dict[Target, float] = field(default_factory=dict[Target, float])
    _round_at: float | None = None
    _relations: tuple[tuple[Target, Relation, float], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._relations = tuple(
            (target, (target.host, target.plane), self.silence_s[target.host])
            for target in self.targets
            if target.host is not None
        )

    def begin_round(self, now: float) -> None:
        """Notice whether we ran since the last round."""
        if self._round_at is not None and now - self._round_at > self.every_s + FROZEN_S:
            self.listens_since = now
            self.freezes += 1
        self._round_at = now

    def heard(self, target: Target, now: float) -> None:
        self._heard_at[target] = now

    def is_missed(self, target: Target, now: float, for_s: float) -> bool:
        """Say whether an answer is overdue by `for_s`: worth another kind of question."""
        return now - self._heard_at.get(target, self.listens_since) >= for_s

    def signs(self, now: float) -> dict[Relation, Sign]:
        """Return what each host gives on each plane."""
        heard_at = self._heard_at
        return {
            # Asked for all the time, and nearly all of a large site is heard: that comes first.
            relation: Sign.WEAK
            if now - heard_at.get(target, -inf) < silence_s
            else self._sign(target, now, silence_s)
            for target, relation, silence_s in self._relations
        }

    def references(self, now: float) -> tuple[tuple[Plane, int, int], ...]:
        """Count, for each plane that has some, the references that are heard, and all of them."""
        found: dict[Plane, list[bool]] = {}
        for target in self.targets:
            if target.host is None:
                sign = self._sign(target, now, self.reference_silence_s)
                found.setdefault(target.plane, []).append(sign is Sign.WEAK)
        return tuple((plane, sum(heard), len(heard)) for plane, heard in found.items())

    def _sign(self, target: Target, now: float, silence_s: float) -> Sign:
        heard_at = self._heard_at.get(target)
        if heard_at is not None and now - heard_at < silence_s:
            return Sign.WEAK
        # Silence counts only while we listened.
        listened_s = now - max(heard_at or self.listens_since, self.listens_since)
        return Sign.SILENT if listened_s >= silence_s else Sign.UNKNOWN
