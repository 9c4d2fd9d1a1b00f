"""The swarm: thousands of worlds drawn by chance, on all processors, and one report.

World number n of a seed is always the same, whoever runs it and in whatever order. A run by hours
takes as many worlds as fill them; a run by seconds takes worlds until the time is up.
"""

import shlex
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path

from ninelives.engine.clock import SystemClock

from .shrink import Story, breaks, laws_broken, scenario_text, shrink
from .swarm_run import Plan, Seen, dense_plan, drawn_plan, run_plan

HOUR_S = 3600.0
WORLD_H = 4.0  # what one world takes: three hours of trouble, one of calm, rarely more
SHRINK_TRIES = 400

Progress = Callable[["SwarmReport"], None]


@dataclass(slots=True)
class Broken:
    """One world that broke a law: how to run it again, and the story made small."""

    seed: str
    law: str
    about: str
    what: str
    at_s: float
    is_dense: bool = False
    scenario: str = ""

    @property
    def again(self) -> str:
        """Return the command that runs this world again, at the same commit."""
        seed, _, number = self.seed.rpartition("/")
        command = ["ninelives", "sim", "swarm", "--seed", seed, "--first", number, "--hours", "1"]
        return shlex.join([*command, "--dense"] if self.is_dense else command)


@dataclass(slots=True)
class SwarmReport:
    """Everything that a run exercised and found."""

    seed: str
    is_dense: bool = False
    worlds: int = 0
    simulated_s: float = 0.0
    events: int = 0
    decisions: int = 0
    episodes: int = 0
    leader_changes: int = 0
    proofs_voided: int = 0
    groups: int = 0
    stored: int = 0  # worlds whose every commit went through the codec
    is_cut_short: bool = False  # by Ctrl-C
    core_s: float = 0.0  # processor time of all worlds together
    faults: Counter[int] = field(default_factory=Counter[int])
    pairs: Counter[str] = field(default_factory=Counter[str])
    broken: list[Broken] = field(default_factory=list[Broken])

    @property
    def hours(self) -> float:
        return self.simulated_s / HOUR_S

    def add(self, seen: Seen, core_s: float) -> None:
        """Take in what one world came to."""
        self.worlds += 1
        self.simulated_s += seen.simulated_s
        self.events += seen.events
        self.decisions += seen.decisions
        self.episodes += seen.episodes
        self.leader_changes += seen.leader_changes
        self.proofs_voided += seen.proofs_voided
        self.groups += seen.groups
        self.stored += seen.is_stored
        self.core_s += core_s
        self.faults.update(seen.faults)
        self.pairs.update(seen.pairs)
        for each in seen.violations:
            found = (each.law, each.about, each.what, each.when)
            self.broken.append(Broken(seen.seed, *found, self.is_dense))

    def document(self) -> dict[str, object]:
        """Return the report as JSON may have it."""
        return {
            "seed": self.seed,
            "worlds": self.worlds,
            "stored_worlds": self.stored,
            "is_cut_short": self.is_cut_short,
            "hours": round(self.hours, 2),
            "events": self.events,
            "decisions": self.decisions,
            "episodes": self.episodes,
            "leader_changes": self.leader_changes,
            "proofs_voided": self.proofs_voided,
            "group_incidents": self.groups,
            "core_seconds": round(self.core_s, 2),
            "hours_per_core_second": round(self.hours / self.core_s, 2) if self.core_s else 0.0,
            "faults": {str(row): self.faults[row] for row in sorted(self.faults)},
            "pairs": dict(sorted(self.pairs.items())),
            "violations": [
                {
                    "seed": each.seed,
                    "law": each.law,
                    "about": each.about,
                    "what": each.what,
                    "at_s": round(each.at_s, 2),
                    "again": each.again,
                    "scenario": each.scenario,
                }
                for each in self.broken
            ],
        }


# One world, in whatever process.

Job = tuple[str, bool]  # the world's seed, and whether it is the dense one


def plan_of(job: Job) -> Plan:
    seed, is_dense = job
    return dense_plan(seed) if is_dense else drawn_plan(seed)


def run_job(job: Job) -> tuple[Seen, float]:
    """Run one world; say what it came to and what it cost."""
    began = time.process_time()
    seen = run_plan(plan_of(job))
    return seen, time.process_time() - began


# All of them.


def run(
    seed: str,
    hours: float | None = None,
    seconds: float | None = None,
    jobs: int = 1,
    *,
    is_dense: bool = False,
    first: int = 0,
    progress: Progress | None = None,
) -> SwarmReport:
    """Run worlds until so many hours are simulated, or so many seconds have gone by.

    `first`: the number of the first world, to go on where another run ended. Ctrl-C ends it with
    what was reached.
    """
    assert (hours is None) != (seconds is None), "either hours or seconds"
    report, clock = SwarmReport(seed, is_dense), SystemClock()
    ends = None if seconds is None else clock.now() + seconds
    try:
        for seen, core_s in results(seed, hours, jobs, first, is_dense=is_dense):
            report.add(seen, core_s)
            if progress is not None:
                progress(report)
            if ends is not None and clock.now() >= ends:
                break
    except KeyboardInterrupt:
        report.is_cut_short = True
    return report


def results(
    seed: str, hours: float | None, jobs: int, first: int, *, is_dense: bool
) -> Iterator[tuple[Seen, float]]:
    """Yield what each world came to. By hours their number is fixed: the end is always the same."""
    numbers = count(first) if hours is None else range(first, first + worlds_for(hours, is_dense))
    work = ((f"{seed}/{number}", is_dense) for number in numbers)
    if jobs == 1:
        yield from map(run_job, work)
        return
    with get_context("fork").Pool(jobs, initializer=leave_interrupts_to_the_parent) as pool:
        while batch := list(islice(work, jobs * 4)):  # bounded: a pool would draw all at once
            yield from pool.imap_unordered(run_job, batch)


def worlds_for(hours: float, is_dense: bool) -> int:
    """Return how many worlds give at least so many hours, if none ends early."""
    each_h = WORLD_H - 1.0 if is_dense else WORLD_H
    return max(1, -int(-hours // each_h))


def leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# What broke, made small.


def shrunk(seed: str, tries: int = SHRINK_TRIES, *, is_dense: bool = False) -> str:
    """Return a small scenario that breaks the law which world `seed` breaks, or "" if it cannot."""
    seen = run_plan(plan_of((seed, is_dense)))
    if not seen.violations or seen.story is None:
        return ""
    return small_scenario(seen.story, seen.violations[0].law, tries)


def small_scenario(story: Story, law: str, tries: int = SHRINK_TRIES) -> str:
    if law not in laws_broken(story):
        return ""  # what people did at the same instant as something else may come in another order
    return scenario_text(shrink(story, breaks(law), tries), law)


def write_scenarios(report: SwarmReport, folder: Path, most: int = 5) -> list[Path]:
    """Write the first few broken worlds as small scenario files."""
    written = list[Path]()
    for each in report.broken[:most]:
        each.scenario = shrunk(each.seed, is_dense=each.is_dense)
        if each.scenario:
            path = folder / f"{each.law.lower()}-{each.seed.replace('/', '-')}.txt"
            path.write_text(each.scenario, encoding="utf-8")
            written.append(path)
    return written
