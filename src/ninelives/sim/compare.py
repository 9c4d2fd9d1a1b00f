"""Compare ninelives with what Masakari and instanceha do by default, in the same worlds.

plan ─▶ world of its own for each policy ─▶ faults, heals, people ─▶ tally of the truth ─▶ score
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial, reduce
from heapq import heapify, heappop, heappush
from math import ceil, inf
from multiprocessing import get_context
from random import Random

from ninelives.core.model import HostId, Plane
from ninelives.core.policy import BALANCED, PRESETS

from . import compute, network, nova, service_records
from .compare_tally import Tally
from .compare_worlds import (
    ACTIVE_S,
    CALM_S,
    FAMILIES,
    WORLD_HOURS,
    Plan,
    drawn_plan,
    for_ninelives,
    for_rivals,
)
from .faults.grammar import Words
from .rivals import Agenda, InstanceHa, Masakari, Rival, idle
from .swarm import leave_interrupts_to_the_parent
from .swarm_people import settled
from .truth import ComputeState
from .world import World

OURS = ("balanced", "fast", "careful")
RIVALS = ("Masakari", "instanceha")
POLICIES = (*(f"ninelives {preset}" for preset in OURS), *RIVALS)
LOOK_S, CALM_LOOK_S = 300.0, 120.0  # how often people look, while faults go on and after
REPORT_S = 5.0  # how finely a lost management network is found in nova-compute's reports
NOTHING_HAPPENED = inf


@dataclass(frozen=True, slots=True)
class Score:
    """What a policy came to over some worlds. Sorted downtimes end with `inf` for the lost."""

    false_fences: int = 0
    guests_killed: int = 0
    zombies: int = 0
    zombie_s: float = 0.0
    wiped: int = 0
    lost: int = 0
    forgotten: int = 0
    downtimes: tuple[float, ...] = ()

    @property
    def deaths(self) -> int:
        return len(self.downtimes)

    def percentile(self, share: float) -> float:
        """Return the downtime that `share` of all deaths stay within; `inf`: they never ran."""
        if not self.downtimes:
            return NOTHING_HAPPENED
        return self.downtimes[max(0, ceil(share * len(self.downtimes)) - 1)]

    @property
    def worst(self) -> float:
        """Return the longest downtime that ended."""
        return max((each for each in self.downtimes if each < inf), default=NOTHING_HAPPENED)

    def plus(self, other: "Score") -> "Score":
        return Score(
            self.false_fences + other.false_fences,
            self.guests_killed + other.guests_killed,
            self.zombies + other.zombies,
            self.zombie_s + other.zombie_s,
            self.wiped + other.wiped,
            self.lost + other.lost,
            self.forgotten + other.forgotten,
            tuple(sorted((*self.downtimes, *other.downtimes))),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every policy in every family, from one seed."""

    seed: int
    worlds: int
    scores: Mapping[tuple[str, str], Score]  # (policy, family)
    policies: tuple[str, ...] = POLICIES

    @property
    def hours(self) -> float:
        """Return the simulated hours of one policy."""
        return self.worlds * WORLD_HOURS

    def total(self, policy: str) -> Score:
        return reduce(Score.plus, (self.of(policy, family) for family in FAMILIES))

    def of(self, policy: str, family: str) -> Score:
        return self.scores.get((policy, family), Score())


Result = tuple[str, Mapping[str, Score]]  # a family, and what each policy came to in one world
Advance = Callable[[int], None]  # told how many worlds are done


def compare(
    worlds: int,
    seed: int,
    jobs: int = 1,
    policies: tuple[str, ...] = POLICIES,
    advance: Advance | None = None,
) -> Comparison:
    """Let every policy live through the same worlds. Same arguments, same result."""
    scores = dict[tuple[str, str], Score]()
    for done, (family, found) in enumerate(results(worlds, seed, jobs, policies), start=1):
        for policy, score in found.items():
            scores[policy, family] = scores.get((policy, family), Score()).plus(score)
        if advance is not None:
            advance(done)
    return Comparison(seed, worlds, scores, policies)


def worlds_for(hours: float) -> int:
    """Return how many worlds make up these simulated hours; each policy lives through all."""
    return max(1, round(hours / WORLD_HOURS))


def results(worlds: int, seed: int, jobs: int, policies: tuple[str, ...]) -> Iterator[Result]:
    """Yield every world's result, in order."""
    one = partial(play_all, seed, policies)
    if jobs <= 1:
        yield from map(one, range(worlds))
        return
    with get_context("fork").Pool(jobs, initializer=leave_interrupts_to_the_parent) as pool:
        yield from pool.imap(one, range(worlds))  # in order: the sums are the same


def play_all(seed: int, policies: tuple[str, ...], number: int) -> Result:
    plan = drawn_plan(seed, number)
    return plan.family, {policy: play(plan, policy) for policy in policies}


def play(plan: Plan, policy: str) -> Score:
    """Let one policy live through one world, and count what became of it."""
    stage = staged(plan, policy)
    stage.play()
    return stage.score()


# One world with one policy.


@dataclass(slots=True)
class Stage:
    """A world, who looks after it, and what befalls both."""

    plan: Plan
    agenda: Agenda
    tally: Tally
    rng: Random
    rival: Rival | None
    planned: list[tuple[float, int, str, Words]] = field(
        default_factory=list[tuple[float, int, str, Words]]
    )
    unheard: set[HostId] = field(default_factory=set[HostId])

    @property
    def world(self) -> World:
        return self.agenda.world

    def play(self) -> None:
        """Faults for a while, then everything healed, then calm."""
        for number, each in enumerate(self.plan.troubles):
            self.planned.append((each.at_s, number, "trouble", each.words))
            self.planned.append((each.at_s + each.lasts_s, number, "heal", each.words))
        heapify(self.planned)
        self._look(LOOK_S)
        self._reports()
        if self.rival is not None:
            self.rival.start()
        while self.planned and self.planned[0][0] < ACTIVE_S:
            at_s, _, kind, words = heappop(self.planned)
            self.agenda.run(at_s)
            self._happens(kind, words)
        self.agenda.run(ACTIVE_S)
        self._calm()
        self.tally.count_doubles(self.world.now)

    def _happens(self, kind: str, words: Words) -> None:
        if kind == "look":
            self._people()
            self._look(LOOK_S * self.rng.uniform(0.5, 1.5))
        elif kind == "trouble":
            self.world.command(words)
        elif words in self.world.faults_on:
            self.world.command(self.world.faults_on[words][0])

    def _look(self, wait: float) -> None:
        heappush(self.planned, (self.world.now + wait, -1, "look", ()))

    def _people(self) -> None:
        """Let operators do what waits for them."""
        orders = settled(self.world, self.rng) if self.rival is None else self.rival.waiting()
        for words in orders:
            self.world.command(self._sensible(words))

    def _sensible(self, words: Words) -> Words:
        """Keep people from finishing off what is up: only the swarm's are that careless."""
        is_fatal = words[:2] == ("operator", "finish")
        if is_fatal and self.world.hosts[HostId(words[2])].is_up:
            return ("operator", "undo", words[2])
        return words

    def _calm(self) -> None:
        while self.world.now < ACTIVE_S + CALM_S:
            self.world.heal()
            for controller in sorted(self.world.kept_down):
                self.world.command(("controller", controller, "start"))
            self._people()
            self.agenda.run(min(self.world.now + CALM_LOOK_S, ACTIVE_S + CALM_S))

    def _reports(self) -> None:
        """Let a nova-compute that lost its management network report nothing, as a real one.

        The world leaves that to whoever builds one. It holds for every policy alike.
        """
        self.agenda.after(REPORT_S, self._reports)
        world = self.world
        if self.tally.doubles:
            self.tally.count_doubles(world.now)
        if not self.unheard and not world.net.links and world.net.is_calm:
            return
        for host in world.hosts.values():
            runs = host.is_up and host.compute is ComputeState.OK
            heard = world.net.talks(host.id, network.GATEWAY, (Plane.MANAGEMENT,))
            if runs and not heard and host.id not in self.unheard:
                self.unheard.add(host.id)
                self._tell(nova.ComputeHung(host.id), host.id)
            elif heard and host.id in self.unheard:
                self.unheard.discard(host.id)
                if runs:
                    self._tell(nova.ComputeResumed(host.id), host.id)

    def _tell(self, fact: nova.Fact, host: HostId) -> None:
        compute.tell(self.world, fact)
        service_records.process_changed(self.world, host)

    def score(self) -> Score:
        tally = self.tally
        ended = (round(each, 1) for each in tally.downtimes)
        return Score(
            tally.false_fences,
            tally.guests_killed,
            tally.zombies,
            round(tally.zombie_s, 1),
            tally.wiped,
            len(tally.lost()),
            len(tally.forgotten()),
            tuple(sorted((*ended, *(inf for _ in range(tally.never()))))),
        )


def staged(plan: Plan, policy: str) -> Stage:
    """Build a policy's own copy of a planned world."""
    seed = Random(f"chance {plan.seed}").getrandbits(32)
    rng = Random(f"people {plan.seed}")
    name, _, preset = policy.partition(" ")
    if name == "ninelives":
        world = World(for_ninelives(plan.setup, PRESETS[preset]), seed)
        return Stage(plan, Agenda(world), Tally(world), rng, None)
    world = World(for_rivals(plan.setup, BALANCED), seed, idle)
    agenda = Agenda(world)
    rival = Masakari(agenda) if name == "Masakari" else InstanceHa(agenda)
    return Stage(plan, agenda, Tally(world), rng, rival)
