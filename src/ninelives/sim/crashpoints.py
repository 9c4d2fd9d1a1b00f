"""Every boundary of the journal: the leader dies there, or stands still, in a fork of the world.

    decided ──▶ committed ──▶ handed out ──▶ last check, sent ──▶ answered
         crash         crash            crash, pause      crash

A boundary is a transaction that changes something durable or lets an effect out, and each send of
its own. One that only reads is none: a leader who dies there leaves the same behind as one who died
a moment before. Worlds are forked there, never replayed: a fork goes on to the end of the story, is
healed, lives on until all is well again, and the oracle that was forked with it judges it all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, get_args

from ninelives.core import actions as do
from ninelives.core.cluster import Decision
from ninelives.core.model import WitnessId
from ninelives.engine.node import Decide

from .chronicle import Chronicle
from .faults.grammar import Words
from .judging import BUGS, bug_of, judge, judge_end, oracle_of, pass_time
from .minds import real_objection
from .oracle import Oracle, Violation
from .scenario import Triggers, parse
from .scenario_parse import Scenario
from .swarm import leave_interrupts_to_the_parent
from .timeline import Timeline
from .world import World

PAUSES_S = (1, 10, 60, 300)
HEALED_S = 600.0  # how long a fork goes on once its story is over and everything is healed
LINGERS_S = 120.0  # and how long at least from its cut to the healing
LOOK_S = 60.0  # how often somebody looks whether all is well again
EFFECTS = (*get_args(do.Absolute), *get_args(do.Send), *get_args(do.Tell))
CRASH = ("crash",)


class Cut(NamedTuple):
    """What befalls the leader at a boundary, and where exactly."""

    point: str  # "commit": before it; "committed": after it; "send": before the check; "sent"
    words: Words

    def __str__(self) -> str:
        """Say it like a person."""
        return f"{' '.join(self.words)} at {self.point}"


class BrokenFork(NamedTuple):
    """A law that broke in a fork."""

    story: str
    cut: str
    at_s: float  # when the leader was cut
    law: str
    what: str


@dataclass(slots=True)
class CrashReport:
    """What was tried, and what broke."""

    stories: int = 0
    boundaries: int = 0
    crashes: int = 0
    pauses: int = 0
    is_cut_short: bool = False  # by Ctrl-C
    broken: list[BrokenFork] = field(default_factory=list[BrokenFork])

    @property
    def forks(self) -> int:
        return self.crashes + self.pauses

    def add(self, other: "CrashReport") -> None:
        self.stories += other.stories
        self.boundaries += other.boundaries
        self.crashes += other.crashes
        self.pauses += other.pauses
        self.broken += other.broken

    def document(self) -> dict[str, object]:
        """Return the report as JSON may have it."""
        return {
            "stories": self.stories,
            "boundaries": self.boundaries,
            "crashes": self.crashes,
            "pauses": self.pauses,
            "is_cut_short": self.is_cut_short,
            "violations": [each._asdict() for each in self.broken],
        }


Progress = Callable[[CrashReport], None]
Job = tuple[Path, float, bool]


def run(
    paths: Iterable[Path],
    share: float = 1.0,
    *,
    pauses: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> CrashReport:
    """Cut the leader at every boundary of every story. Ctrl-C ends it with what was reached.

    `share`: at which share of the boundaries it also pauses; it crashes at every one.
    """
    report = CrashReport()
    work = [(path, share, pauses) for path in paths]
    try:
        for part in _reports(work, jobs):
            report.add(part)
            if progress is not None:
                progress(report)
    except KeyboardInterrupt:
        report.is_cut_short = True
    return report


def _reports(work: list[Job], jobs: int) -> Iterator[CrashReport]:
    if jobs == 1:
        yield from map(_cut_file, work)
        return
    with get_context("fork").Pool(jobs, initializer=leave_interrupts_to_the_parent) as pool:
        yield from pool.imap_unordered(_cut_file, work)


def _cut_file(job: Job) -> CrashReport:
    path, share, pauses = job
    scenario = parse(path.read_text(encoding="utf-8"))
    assert isinstance(scenario, Scenario), f"{path}: {scenario}"
    return cut_story(path.stem, scenario, share, pauses=pauses)


def cut_story(
    name: str,
    scenario: Scenario,
    share: float = 1.0,
    *,
    pauses: bool = True,
    decide: Decide | None = None,
) -> CrashReport:
    """Cut the leader at every boundary of one story. `decide`: another one than the core's."""
    world = World(scenario.setup, scenario.seed, decide, real_objection())
    oracle = oracle_of(scenario.setup)
    if scenario.triggers:  # forks go on without those that have not fired yet
        chronicle, timeline = Chronicle(scenario.setup), Timeline()
        triggers = Triggers(world, chronicle, timeline, list(scenario.triggers))
        for ear in (chronicle.saw, timeline.saw, triggers.saw):
            world.observe(ear)
    judge(world, oracle)
    for command in scenario.commands:
        world.at(command.at_s, tuple(command.words.split()))
    knife = Knife(name, scenario.until_s, oracle, round(1.0 / share) if pauses and share else 0)
    world.boundary = knife.cut
    try:
        pass_time(world, oracle, scenario.until_s)
    except BUGS as error:
        oracle.violations.append(bug_of(world.now, error))
    knife.report.broken += [
        BrokenFork(name, "nothing", broken.when, broken.law, broken.what)
        for broken in oracle.violations
    ]
    return knife.report


@dataclass(slots=True)
class Knife:
    """Forks a world at each boundary, and counts. `pause_each`: 0 for no pauses at all."""

    name: str
    until_s: float
    oracle: Oracle
    pause_each: int
    lets_out: dict[WitnessId, bool] = field(default_factory=dict[WitnessId, bool])
    report: CrashReport = field(default_factory=lambda: CrashReport(stories=1))

    def cut(self, world: World, point: str, leader: WitnessId) -> None:
        """Fork the world at this boundary, once for each thing that may befall the leader."""
        if point == "commit":
            waiting = [ready.decision for ready in world.controllers[leader].uncommitted]
            self.lets_out[leader] = any(map(has_effect, waiting))
            if not (self.lets_out[leader] or any(each.is_durable for each in waiting)):
                return
        if point == "committed" and not self.lets_out.get(leader):
            return
        self.report.boundaries += 1
        self._try(world, leader, Cut(point, CRASH))
        if point == "send":
            self._try(world, leader, Cut("sent", CRASH))
        if self.pause_each and self.report.boundaries % self.pause_each == 0:
            for seconds in PAUSES_S:
                self._try(world, leader, Cut(point, ("pause", str(seconds))))
            if point == "send":  # a whole machine that stands still has no guard to kill it
                self._try(world, leader, Cut(point, ("vmpause", str(PAUSES_S[-1]))))

    def _try(self, world: World, leader: WitnessId, cut: Cut) -> None:
        if cut.words == CRASH:
            self.report.crashes += 1
        else:
            self.report.pauses += 1
        for broken in lived_on(world, self.oracle, leader, cut, self.until_s):
            what = f"{broken.about}: {broken.what}"
            self.report.broken.append(BrokenFork(self.name, str(cut), world.now, broken.law, what))


def has_effect(decision: Decision) -> bool:
    """Say whether it does more than look."""
    return any(isinstance(action, EFFECTS) for action in decision.actions)


def lived_on(
    world: World, oracle: Oracle, leader: WitnessId, cut: Cut, until_s: float
) -> list[Violation]:
    """Fork a world, cut its leader, let it live to the end, and return which laws broke."""
    fork, its_oracle = world.fork(), oracle.fork()
    judge(fork, its_oracle)
    before = len(its_oracle.violations)
    try:
        if cut.point == "sent":
            fork.step()
        fork.command(("controller", leader, *cut.words))
        if pass_time(fork, its_oracle, max(until_s, fork.now + LINGERS_S)):
            fork.heal()
            if pass_time_until_well(fork, its_oracle, fork.now + HEALED_S):
                judge_end(fork, its_oracle)
    except BUGS as error:
        return [bug_of(fork.now, error)]
    return its_oracle.violations[before:]


def pass_time_until_well(world: World, oracle: Oracle, until: float) -> bool:
    """Let time pass until nothing is left to be done, or until the end. False: a law broke."""
    while world.now < until and not is_well(world, oracle):
        if not pass_time(world, oracle, min(world.now + LOOK_S, until)):
            return False
    return True


def is_well(world: World, oracle: Oracle) -> bool:
    """Say whether no law of the end would find anything to say."""
    probe = oracle.fork()
    before = len(probe.violations)
    probe.finish(world.now, healed=True)
    return len(probe.violations) == before
