"""What would become of the servers of hosts that died now: rehearsed on a copy, nothing is sent.

    a fork of the leader's mind ─▶ these hosts are dead ─▶ list ─▶ plan ─▶ turn by turn: targets

Every judgment is the leader's own: the treatment of each Nova state, the order, the limits, the
choice among what Placement offers. What a turn gave to a host is taken from its room for the next.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from ninelives.core import brakes, states
from ninelives.core.cluster import Cluster
from ninelives.core.draft import Draft
from ninelives.core.model import Candidate, HostId, ServerId, ServerSeen
from ninelives.core.move import is_overtaking
from ninelives.core.plan import plan
from ninelives.core.tallies import MOVING
from ninelives.core.targets import (
    choose,
    has_room,
    in_order,
    may_be_target,
    open_records,
    unproved_writers,
    waits_for_group,
)

from .views import Document, Json

# What protects the living says nothing of a host that is dead.
OF_THE_LIVING = frozenset({brakes.Brake.LIFE})


class Asked(Protocol):
    """What is asked of Nova and Placement: reads alone."""

    async def list_servers(self, host: HostId) -> tuple[tuple[ServerSeen, ...], bool]: ...

    async def targets_beside(
        self,
        server: ServerId,
        beside: Mapping[HostId, Collection[ServerId]],
        lent: Collection[HostId] = (),
    ) -> tuple[Candidate, ...]: ...


class Fate(NamedTuple):
    """What would become of one server."""

    server: ServerId
    name: str
    host: HostId
    tier: int
    turn: int | None = None  # the servers of one turn are on their way at once
    target: HostId | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The whole answer."""

    fates: tuple[Fate, ...]
    holding: Mapping[HostId, tuple[brakes.Tested, ...]]  # what would hold the shot
    moves_held: str  # what would hold the moves, "" for nothing
    incomplete: tuple[HostId, ...]  # Nova did not show everybody who may be there
    lent: tuple[HostId, ...] = ()  # reserved hosts that would be taken into service


async def what_if(cluster: Cluster, asked: Asked, hosts: Sequence[HostId], now: float) -> WhatIf:
    """Rehearse the death of `hosts` together."""
    draft = Draft(cluster.fork(), max(now, cluster.now))
    for host in hosts:
        state = states.Suspect(draft.now, states.Class.DEAD_OR_FROZEN, draft.now)
        draft.put_host(replace(draft.host(host), state=state))
    holding = {host: _holding(draft, host) for host in hosts}
    for host in hosts:
        draft.put_host(replace(draft.host(host), state=states.Evacuating(draft.now)))
    incomplete = list[HostId]()
    for host in hosts:
        servers, is_whole = await asked.list_servers(host)
        for server in servers:
            draft.put_move(plan(draft, host, server))
        if not is_whole:
            incomplete.append(host)
    rehearsal = Rehearsal(draft, asked, hosts)
    await rehearsal.run()
    held = next(filter(None, (brakes.holding_moves(draft, host) for host in hosts)), "")
    return WhatIf(rehearsal.told(), holding, held, tuple(incomplete), tuple(rehearsal.lent))


def _holding(draft: Draft, host: HostId) -> tuple[brakes.Tested, ...]:
    tested = brakes.all_brakes(draft, host, states.Class.DEAD_OR_FROZEN)
    return tuple(each for each in tested if each.holds and each.brake not in OF_THE_LIVING)


@dataclass(slots=True)
class Rehearsal:
    """The moves of some dead hosts, turn by turn, in a draft that nobody ever applies."""

    draft: Draft
    asked: Asked
    hosts: Sequence[HostId]
    turns: dict[ServerId, int] = field(default_factory=dict[ServerId, int])
    taken: dict[HostId, list[ServerId]] = field(default_factory=dict[HostId, list[ServerId]])
    lent: list[HostId] = field(default_factory=list[HostId])

    async def run(self) -> None:
        turn = 1
        while waiting := [m for m in self.moves() if isinstance(m.state, states.Planned)]:
            has_any, everybody = False, self.moves()
            for move in waiting:
                if self._is_full():
                    break
                # The leader's own loop is this one: nothing may hold it for long.
                await asyncio.sleep(0)
                has_any |= await self._take_turn(move, everybody, turn)
            self._arrive()
            if not has_any:
                break  # what they wait for is none of us
            turn += 1

    def moves(self) -> list[states.Move]:
        return in_order(move for host in self.hosts for move in self.draft.moves_of(host))

    def _is_full(self) -> bool:
        most = max(self.draft.policy(host).moves_max for host in self.hosts)
        return self.draft.count(MOVING) >= most

    async def _take_turn(self, move: states.Move, others: list[states.Move], turn: int) -> bool:
        """Give one server its target or its reason; False: it waits for a later turn."""
        draft = self.draft
        if waits_for_group(draft, move, others):
            return False
        if not has_room(draft, move) or is_overtaking(draft, move, others):
            self._put(move, states.Planned(draft.now, "room"))
            return False
        if wanting := self._wanting(move):
            self._put(move, states.WaitingForHost(draft.now, wanting))
            return True
        target = await self._target(move)
        if target == "limits":
            self._put(move, states.Planned(draft.now, "room"))
            return False
        if target not in draft.cluster.site.hosts:
            self._put(move, states.WaitingForHost(draft.now, target))
            return True
        host = HostId(target)
        self._put(move, states.Verifying(draft.now, host))
        self.taken.setdefault(host, []).append(move.server)
        self.turns[move.server] = turn
        return True

    async def _target(self, move: states.Move) -> str:
        """Choose one; where nobody in service takes it, lend the reserved host that does."""
        found = await self.asked.targets_beside(move.server, self.taken, self.lent)
        target = choose(self.draft, move, found)
        if target != "no_target" or not (reserve := self._reserve(move)):
            return target
        for candidate in await self.asked.targets_beside(move.server, self.taken, reserve):
            if candidate.host in reserve and candidate.host not in self.lent:
                self.lent.append(candidate.host)
                sights = self.draft.sights(candidate.host)
                self.draft.put_sights(sights._replace(nova=None))  # in service, as any other
                return choose(self.draft, move, (candidate,))
        return target

    def _reserve(self, move: states.Move) -> list[HostId]:
        """Name those that are lent already, and those of its segment that may be."""
        draft = self.draft
        free = [
            host
            for host in sorted(draft.cluster.site.reserve - set(self.lent))
            if may_be_target(draft, move, host)
            and isinstance(draft.host(host).state, states.Healthy)
        ]
        return [*self.lent, *free] if free else []

    def _wanting(self, move: states.Move) -> str:
        """Say what would still be missing, were its own host proved off."""
        if open_records(self.draft, move):
            return "record_open"
        others = [w for w in unproved_writers(self.draft, move, None) if w not in self.hosts]
        return f"needs {', '.join(others)}" if others else ""

    def _arrive(self) -> None:
        for move in self.moves():
            if isinstance(move.state, states.Verifying) and move.server in self.turns:
                self._put(move, states.Done(self.draft.now, move.state.target))

    def _put(self, move: states.Move, state: states.MoveState) -> None:
        self.draft.put_move(replace(move, state=state))

    def told(self) -> tuple[Fate, ...]:
        """Who comes back, in the order of it; then who does not."""
        fates = [self._fate(move) for move in self.moves()]
        return tuple(sorted(fates, key=lambda fate: fate.turn or len(fates) + 1))

    def _fate(self, move: states.Move) -> Fate:
        fate = Fate(move.server, move.seen.name, move.host, move.promise.tier)
        match move.state:
            case states.Done(host=host):
                return fate._replace(turn=self.turns[move.server], target=host)
            case states.Verifying(target=target):
                return fate._replace(why_not=f"somebody else moves it to {target or 'no name'}")
            case states.Planned(wanting=wanting):
                return fate._replace(why_not=wanting or "turn")
            case state:
                return fate._replace(why_not=getattr(state, "reason", ""))


# --------------------------------------------------------------------------------- as a document


def document(found: WhatIf) -> Document:
    """Lay the answer out for machines. Pure."""
    lost = [fate for fate in found.fates if fate.target is None]
    return {
        "servers": [_fate_document(fate) for fate in found.fates],
        "come_back": len(found.fates) - len(lost),
        "stay_away": len(lost),
        "brakes": {
            str(host): list[Json]([f"{each.brake.value}: {each.detail}" for each in tested])
            for host, tested in found.holding.items()
        },
        "moves_held": found.moves_held,
        "incomplete": list[Json](found.incomplete),
        "lent": list[Json](found.lent),
    }


def _fate_document(fate: Fate) -> Json:
    return {
        "server": fate.server,
        "name": fate.name,
        "host": fate.host,
        "tier": fate.tier,
        "turn": fate.turn,
        "target": fate.target,
        "why_not": fate.why_not,
        "meaning": WHY_NOT.get(fate.why_not, ""),
    }


WHY_NOT = {
    "no_target": "Placement, Nova's rules or its segment leave no host for it",
    "data_would_be_lost": "its disk is on its host, or nobody saw it elsewhere",
    "policy": "its protection class says so: it waits for its host",
    "paused": "Nova refuses to evacuate it so",
    "suspended": "Nova refuses to evacuate it so",
    "rescued": "Nova refuses to evacuate it so",
    "resized": "Nova refuses to evacuate it so: its resize waits to be confirmed or reverted",
    "shelved": "nothing of it runs: its user unshelves it",
    "building": "it has nothing yet",
    "by_user": "its user deletes or shelves it",
    "lives_elsewhere": "it is on another host by now",
    "record_open": "Nova still works on a migration of it",
    "vtpm": "Nova cannot evacuate a vTPM",
    "share": "Nova cannot evacuate it with a share attached",
    "accelerator": "Nova cannot evacuate it with an accelerator",
    "turn": "who goes before it in its group does not come back",
    "room": "a limit of the policy leaves no place",
}
