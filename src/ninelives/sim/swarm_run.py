"""One world of the swarm: faults and people for some hours, then everything healed, then the end.

    troubles ─┐
    heals ────┼─▶ world ─▶ oracle, after every happening
    people ───┘     (everything done is kept as a story that can be played again)

    |── active: faults begin and are healed, people err ──|── calm: all healed, people settle ──|

The run ends at the first broken law, or with the laws of the end (L1, I11).
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from random import Random

from ninelives.engine.node import Decide, lawless

from .faults.grammar import Words
from .judging import BUGS, bug_of, judge_end, pass_time, watched
from .memory_store import MemoryStore
from .minds import Objection
from .oracle import Oracle, Violation
from .setup import Setup
from .shrink import Story
from .state_table import named
from .swarm_ambushes import Ambush
from .swarm_chases import Chase
from .swarm_people import is_kept_dark, settled, whim
from .swarm_troubles import drawn_rows, drawn_troubles
from .swarm_worlds import dense_setup, drawn_setup
from .world import Observer, World

SEEDS = 1_000_000_000  # a scenario's seed is below this
ACTIVE_S = 3.0 * 3600.0
CALM_LOOK_S = 120.0  # how often somebody looks once all is healed
CALM_MAX_S = 3.0 * 3600.0
FAULTS_PER_HOUR = (4.0, 8.0, 15.0, 30.0, 60.0)
AMBUSHED = 0.25  # the share of worlds in which somebody lies in wait
DARK = 0.3  # and of those: one host is off since before anybody looked
WHIMS_PER_HOUR = (0.0, 0.0, 2.0, 6.0)
STORED_SHARE = 0.25  # of the worlds: each costs about twice as much


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that determines one world's run."""

    seed: str
    setup: Setup
    active_s: float = ACTIVE_S
    rows: tuple[int, ...] = ()
    faults_per_hour: float = 15.0
    whims_per_hour: float = 2.0
    looks_s: float = 300.0  # how often somebody looks while faults go on
    has_ambushes: bool = False  # somebody lies in wait for every state
    is_healed: bool = True  # calm follows, and the laws of the end are asked
    is_stored: bool = False  # every commit goes through the codec, and each new leader reads it


@dataclass(frozen=True, slots=True)
class Seen:
    """What one world came to. Names only, so that it can leave its process."""

    seed: str
    simulated_s: float
    events: int
    decisions: int
    episodes: int
    leader_changes: int
    proofs_voided: int
    groups: int
    faults: Counter[int]
    pairs: Counter[str]  # "Held.PowerRead" → how often
    violations: tuple[Violation, ...]
    is_stored: bool = False
    story: Story | None = None  # of a world that broke a law


def drawn_plan(seed: str, active_s: float = ACTIVE_S) -> Plan:
    """Draw a world, and what kinds of trouble it gets."""
    rng, luck = Random(f"plan {seed}"), Random(f"ambush {seed}")
    setup = drawn_setup(rng)
    has_ambushes = luck.random() < AMBUSHED
    if has_ambushes and luck.random() < DARK:
        setup = replace(setup, dark=frozenset({luck.choice(sorted(setup.site.hosts))}))
    return Plan(
        seed,
        setup,
        active_s,
        drawn_rows(rng),
        rng.choice(FAULTS_PER_HOUR),
        rng.choice(WHIMS_PER_HOUR),
        rng.choice((60.0, 300.0, 900.0)),
        is_stored=rng.random() < STORED_SHARE,  # drawn last: the worlds are those of before
        has_ambushes=has_ambushes,
    )


def dense_plan(seed: str, active_s: float = ACTIVE_S) -> Plan:
    """Plan the world of the figures."""
    return Plan(seed, dense_setup(), active_s, DENSE_ROWS, 14.0, 0.0, 120.0, is_healed=False)


# What befalls the dense world: most of it ends an episode, none of it stops everything for long.
DENSE_ROWS = (1, 2, 3, 4, 5, 6, 8, 14, 19, 20, 22, 28, 32, 45, 50, 53, 56, 57, 59)


@dataclass(slots=True)
class Run:
    """A world on its way through a plan."""

    plan: Plan
    world: World
    oracle: Oracle
    rng: Random
    agenda: list[tuple[float, int, str, Words]] = field(
        default_factory=list[tuple[float, int, str, Words]]
    )
    done: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    numbers: int = 0
    called: list[tuple[float, Words]] = field(default_factory=list[tuple[float, Words]])
    watching: list[Observer] = field(default_factory=list[Observer])  # who may call for something

    def plan_at(self, at_s: float, kind: str, words: Words = ()) -> None:
        self.numbers += 1
        heappush(self.agenda, (round(at_s, 3), self.numbers, kind, words))

    def do(self, words: Words) -> None:
        """Let a sentence come true now, and keep it for the story."""
        self.done.append((self.world.now, " ".join(words)))
        self.world.command(words)


def run_plan(plan: Plan, decide: Decide | None = None, objection: Objection | None = None) -> Seen:
    """Run one world to its end, or to the first broken law. Same plan, same result."""
    run = begun(plan, decide, objection)
    bug: Violation | None = None
    try:
        _live(run)
    except BUGS as error:
        bug = bug_of(run.world.now, error)
    return seen_of(run, bug)


def begun(plan: Plan, decide: Decide | None = None, objection: Objection | None = None) -> Run:
    """Build the world, and plan what will befall it."""
    rng = Random(f"chance {plan.seed}")
    store = MemoryStore() if plan.is_stored else None
    world = World(plan.setup, rng.randrange(SEEDS), decide, objection, store)
    world.laws = lawless
    run = Run(plan, world, watched(world), rng)
    for each in drawn_troubles(rng, plan.setup, plan.rows, plan.active_s, plan.faults_per_hour):
        run.plan_at(each.at_s, "trouble", each.words)
        run.plan_at(each.at_s + each.lasts_s, "heal", each.words)
    run.plan_at(rng.uniform(0.5, 1.0) * plan.looks_s, "look")
    if plan.has_ambushes:
        _lie_in_wait(run)
    if plan.whims_per_hour:
        run.plan_at(rng.expovariate(plan.whims_per_hour / 3600.0), "whim")
    heapify(run.agenda)
    return run


def _lie_in_wait(run: Run) -> None:
    seed = run.plan.seed
    ambush = Ambush(run.world, Random(f"ambushes {seed}"), run.called)
    chase = Chase(run.world, Random(f"chases {seed}"), run.called)
    for each in (ambush, chase):
        each.begin()
        run.watching.append(each.saw)
        run.world.observe(each.saw)


def _live(run: Run) -> None:
    plan, world, called = run.plan, run.world, run.called
    while run.agenda and run.agenda[0][0] < plan.active_s:
        if not pass_time(world, run.oracle, run.agenda[0][0], called):
            return
        if called:
            _plan_called(run, called)
            continue
        _, _, kind, words = heappop(run.agenda)
        _happens(run, kind, words)
    if pass_time(world, run.oracle, plan.active_s) and plan.is_healed:
        for each in run.watching:
            world.observers.remove(each)
        _calm(run)


def _plan_called(run: Run, called: list[tuple[float, Words]]) -> None:
    for at_s, words in called:
        run.plan_at(max(at_s, run.world.now), "ambush", words)
    called.clear()


def _happens(run: Run, kind: str, words: Words) -> None:
    plan, world, rng = run.plan, run.world, run.rng
    match kind:
        case "trouble":
            run.do(words)
        case "heal":
            if words in world.faults_on:
                run.do(world.faults_on[words][0])
        case "look":
            for each in settled(world, rng):
                run.do(each)
            run.plan_at(world.now + plan.looks_s * rng.uniform(0.5, 1.5), "look")
        case "ambush":
            run.do(words)
            run.plan_at(world.now + rng.choice((20.0, 200.0)) * rng.random(), "heal", words)
        case _:
            words = whim(world, rng)
            run.do(words)
            run.plan_at(world.now + rng.choice((60.0, 300.0)) * rng.random(), "heal", words)
            run.plan_at(world.now + rng.expovariate(plan.whims_per_hour / 3600.0), "whim")


def _calm(run: Run) -> None:
    """Heal everything; let people settle what waits for them; then wait out the bound of L1."""
    world, oracle = run.world, run.oracle
    latest = world.now + CALM_MAX_S
    while True:
        while heals := [
            heal[0] for words, heal in world.faults_on.items() if not is_kept_dark(world, words)
        ]:
            run.do(heals[0])
        for controller in sorted(world.kept_down):
            run.do(("controller", controller, "start"))
        for words in settled(world, run.rng):
            run.do(words)
        quiet_at = oracle.picture.truth.fault_changed_at + oracle.picture.facts.ends_within_s
        if world.now >= latest or (world.now > quiet_at and not world.faults_on):
            break
        if not pass_time(world, oracle, round(world.now + CALM_LOOK_S, 3)):
            return
    judge_end(world, oracle)


def seen_of(run: Run, bug: Violation | None) -> Seen:
    counts, world = run.oracle.counts, run.world
    violations = (*run.oracle.violations, *([bug] if bug else []))
    story = None
    if violations:
        seed = _world_seed(run.plan)
        until_s, is_stored = round(world.now + 0.5, 1), run.plan.is_stored
        story = Story(run.plan.setup, tuple(run.done), until_s, seed, is_stored)
    pairs = Counter({named(pair): times for pair, times in counts.pairs.items()})
    return Seen(
        run.plan.seed,
        world.now,
        world.events,
        counts.decisions,
        counts.episodes,
        counts.leader_changes,
        counts.proofs_voided,
        len(counts.groups),
        counts.faults.copy(),
        pairs,
        violations,
        run.plan.is_stored,
        story,
    )


def _world_seed(plan: Plan) -> int:
    return Random(f"chance {plan.seed}").randrange(SEEDS)
