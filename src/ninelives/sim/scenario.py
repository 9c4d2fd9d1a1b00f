"""Play a story in virtual time: same story and seed, same timeline, to the byte."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ninelives.engine.node import Decide
from ninelives.engine.ports import Store

from . import faults
from .chronicle import Chronicle
from .claims import FailedClaim, judge, means_fact, means_line
from .happenings import Happening
from .judging import oracle_of
from .oracle import Violation
from .scenario_parse import Scenario, Trigger, parse_story
from .scenario_words import ParseError
from .setup import Setup
from .timeline import Line, Timeline
from .world import World

RULE = "----\n"  # between a story and the timeline that it must come to

Listener = Callable[[float, Happening], None]


class Played(NamedTuple):
    """What a run came to. All is well when the last two are empty."""

    lines: tuple[Line, ...]
    violations: tuple[Violation, ...]
    failed: tuple[FailedClaim, ...]

    @property
    def timeline(self) -> str:
        """The timeline as it stands in a file."""
        return "".join(f"{line}\n" for line in self.lines)


def parse(story: str) -> Scenario | ParseError:
    """Read the part of a scenario file above its rule line. Pure."""
    return parse_story(story.partition(RULE)[0], _checks)


def _checks(setup: Setup) -> Callable[[str], str | None]:
    return lambda words: faults.check(tuple(words.split()), setup)


def play(
    scenario: Scenario,
    seed: int | None = None,
    listeners: Iterable[Listener] = (),
    decide: Decide | None = None,
    store: Store | None = None,
) -> Played:
    """Run it to its end, under its own seed if no other is given.

    `listeners` are told every happening, in order. `decide` is the core's, unless somebody brings
    another one to see it judged. With a `store` every commit goes through the codec into it, and
    each new leader starts from what it gives back.
    """
    timeline, chronicle = Timeline(), Chronicle(scenario.setup)
    oracle = oracle_of(scenario.setup)
    world = World(scenario.setup, scenario.seed if seed is None else seed, decide, store=store)
    triggers = Triggers(world, chronicle, timeline, list(scenario.triggers))

    def judged(when: float, happening: Happening) -> None:
        oracle.saw(when, happening)

    for ear in (chronicle.saw, timeline.saw, triggers.saw, judged, *listeners):
        world.observe(ear)
    for command in scenario.commands:
        world.at(command.at_s, tuple(command.words.split()))
        timeline.commanded(command.at_s, command.words)
    world.run(scenario.until_s)
    oracle.finish(scenario.until_s, healed=False)
    lines = tuple(timeline.spoken())
    failed = judge(scenario.claims, chronicle.facts, map(str, lines))
    return Played(lines, tuple(oracle.violations), tuple(failed))


@dataclass(slots=True)
class Triggers:
    """Sends a command into the world when what it waits for first comes true."""

    world: World
    chronicle: Chronicle
    timeline: Timeline
    waiting: list[Trigger]
    _facts_seen: int = field(default=0, init=False)
    _lines_seen: int = field(default=0, init=False)

    def saw(self, when: float, _: Happening) -> None:
        """Look at what is new."""
        facts = self.chronicle.facts.found[self._facts_seen :]
        lines = self.timeline.lines[self._lines_seen :]
        self._facts_seen += len(facts)
        self._lines_seen += len(lines)
        if not (facts or lines):
            return
        due = [t for t in self.waiting if any(means_line(t.what, str(line)) for line in lines)]
        due += [t for t in self.waiting if any(means_fact(t.what, fact.words) for fact in facts)]
        for trigger in due:
            self.waiting.remove(trigger)
            at_s = when + trigger.delay_s
            self.world.at(at_s, tuple(trigger.words.split()))
            self.timeline.commanded(at_s, trigger.words)
