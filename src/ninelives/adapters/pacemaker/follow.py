"""Whom a cluster has lost, and whom it has fenced: what is told to the mind, and what is not.

    look ─▶ Follower.lost   ─▶ PacemakerLost      by differences
         └▶ Follower.fences ─▶ the CIB agrees? ─▶ PacemakerFenced, once for each entry

Laws:
  - An entry of the history is news only if it was not there before in this term. At the first look
    all of them are old: what they say of the present, nobody can tell.
  - An entry may also turn up late, when a controller that has just started learns the history of
    the others. So the fencing itself has to be witnessed: its target was up in this term, or its
    fencing was seen pending; it is the newest of its target; and the CIB counts the node as fenced,
    which a rejoin takes back.
  - It came after the last sign of life only if that sign is older than a look at which the entry
    was not there yet. Both instants are of our own clock; the cluster's are for display.
  - A cluster that says nothing is no news. What was told as lost is taken back: it is a reason to
    shoot, and nobody gives it any more.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from ninelives.core.events import Event, PacemakerFenced, PacemakerLost
from ninelives.core.model import HostId, PacemakerFence
from ninelives.engine.loop import Tell

from . import topology
from .topology import CHANGED, NO_LEVEL, Levels
from .view import Fence, FenceStatus, Standing, Unknown, View

A_HUMAN = "a human"  # the delegate of `stonith_admin --confirm`, whatever its client
CUTS_POWER = ("off", "reboot")
LEVELS_S = 30.0  # how often the topology is read when nobody is fenced
BUSY_S = 0.1  # between looks while somebody is about to be fenced
SHARE = 5  # of the time that a look takes, for which we then rest
AGREES_S = 10.0  # until the CIB shows what the history does; measured: milliseconds


class Cluster(Protocol):
    """What is asked of a cluster: `tools.Tools`."""

    async def look(self) -> View | Unknown: ...
    async def levels(self) -> Mapping[str, Levels] | None: ...
    async def is_fenced(self, node: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Ways:
    """What is asked of the controller itself."""

    now: Callable[[], float]  # a clock of our own
    heard_at: Callable[[HostId], float | None]  # the last strong sign of life, by that clock
    usable: Callable[[HostId], Collection[str]]  # roads that may carry a proof


@dataclass(frozen=True, slots=True)
class Known:
    """The hosts that are remotes of the cluster, and its devices that are roads of ours."""

    nodes: Mapping[str, HostId]
    roads: Mapping[HostId, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A fencing that is news. `since`: a look at which it was not there; None: unwitnessed."""

    fence: Fence
    host: HostId
    since: float | None
    seen_at: float


@dataclass(slots=True)
class Follower:
    """What was seen of one cluster in one term."""

    nodes: Mapping[str, HostId]
    is_first: bool = True
    looked_at: float = 0.0
    told_lost: set[HostId] = field(default_factory=set[HostId])
    witnessed: set[str] = field(default_factory=set[str])  # up, or about to be fenced, before
    finished: set[Fence] = field(default_factory=set[Fence])

    def lost(self, seen: View | Unknown) -> Iterator[PacemakerLost]:
        """Yield what changed in who is lost."""
        for node, host in self.nodes.items():
            standing = seen.standing(node) if isinstance(seen, View) else Standing.UNKNOWN
            match standing, host in self.told_lost:
                case Standing.LOST, False:
                    self.told_lost.add(host)
                    yield PacemakerLost(host, is_lost=True)
                case ((Standing.UP | Standing.UNKNOWN), True):
                    self.told_lost.discard(host)
                    yield PacemakerLost(host, is_lost=False)
                case _:
                    pass

    def claims(self, seen: View, asked_at: float, answered_at: float) -> Iterator[Claim]:
        """Yield each fencing that is news, and remember what this look has shown."""
        for fence in newest(seen):
            host = self.nodes.get(fence.target)
            is_new = fence not in self.finished and not self.is_first
            if host is None or not is_new or fence.status is not FenceStatus.SUCCESS:
                continue
            is_up = seen.standing(fence.target) is Standing.UP
            is_witnessed = fence.target in self.witnessed and not is_up
            since = self.looked_at if is_witnessed else None
            self.witnessed.discard(fence.target)
            if fence.action in CUTS_POWER:
                yield Claim(fence, host, since, answered_at)
        self.finished.update(each for each in seen.fences if is_finished(each))
        pending = {each.target for each in seen.fences if not is_finished(each)}
        self.witnessed |= pending | {n for n in self.nodes if seen.standing(n) is Standing.UP}
        self.is_first, self.looked_at = False, asked_at


def newest(seen: View) -> Iterator[Fence]:
    """Yield the last finished fencing of each target."""
    finished = [each for each in seen.fences if is_finished(each)]
    by_target = sorted(finished, key=attrgetter("target"))  # stable: newest first within each
    for _, fences in groupby(by_target, key=attrgetter("target")):
        yield next(fences)


def is_finished(fence: Fence) -> bool:
    return fence.status is not FenceStatus.PENDING


def is_busy(seen: View | Unknown, nodes: Collection[str]) -> bool:
    """Say whether somebody of ours is being fenced, or about to be."""
    if isinstance(seen, Unknown):
        return False
    pending = {each.target for each in seen.fences if not is_finished(each)}
    unclean = {name for name, node in seen.nodes.items() if node.is_unclean}
    return not (pending | unclean).isdisjoint(nodes)


# --------------------------------------------------------------------------------- following


async def follow(cluster: Cluster, known: Known, ways: Ways, every_s: float, tell: Tell) -> None:
    """Follow a cluster for as long as a term lasts. A source."""
    follower, waiting = Follower(known.nodes), dict[str, Claim]()
    levels, levels_at = await cluster.levels(), ways.now()
    while True:
        asked_at = ways.now()
        seen = await cluster.look()
        for news in follower.lost(seen):
            await tell(news)
        if isinstance(seen, View):
            fresh = follower.claims(seen, asked_at, ways.now())
            waiting |= {claim.fence.target: claim for claim in fresh}
        for target, claim in [*waiting.items()]:
            agrees = await cluster.is_fenced(target)
            if agrees or ways.now() - claim.seen_at > AGREES_S:
                del waiting[target]
                device = await carrier(cluster, claim, levels, known, ways)
                await tell(event_of(claim, device, ways, agrees=agrees))
        if ways.now() - levels_at > LEVELS_S:
            levels, levels_at = await cluster.levels(), ways.now()
        took_s = ways.now() - asked_at
        is_urgent = bool(waiting) or is_busy(seen, known.nodes)
        await asyncio.sleep(BUSY_S if is_urgent else max(every_s, SHARE * took_s))


async def carrier(
    cluster: Cluster,
    claim: Claim,
    before: Mapping[str, Levels] | None,
    known: Known,
    ways: Ways,
) -> str:
    """Name the road of a fencing, by levels that were the same before it and after."""
    if claim.fence.delegate == A_HUMAN:
        return ""
    after, node = await cluster.levels(), claim.fence.target
    if before is None or after is None or node not in before or node not in after:
        return NO_LEVEL
    if before[node] != after[node]:
        return CHANGED
    roads = known.roads.get(claim.host, {})
    return topology.carrier(after[node], roads, ways.usable(claim.host))


def event_of(claim: Claim, device: str, ways: Ways, *, agrees: bool) -> Event:
    """Return what the mind is told of it. A reboot is never taken for an off: nobody saw one."""
    heard_at, fence = ways.heard_at(claim.host), claim.fence
    is_after = agrees and claim.since is not None and (heard_at is None or heard_at < claim.since)
    told = PacemakerFence(
        key=f"{fence.target} {fence.completed} {fence.client} {fence.origin} {fence.delegate}",
        succeeded=True,
        action=fence.action,
        device=device,
        is_off_on=False,
        by_confirmation=fence.delegate == A_HUMAN,
        after_life=is_after,
    )
    return PacemakerFenced(claim.host, told)
