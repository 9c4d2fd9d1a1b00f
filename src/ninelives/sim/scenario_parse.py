"""Read the part of a scenario file above its rule line.

# Why this story is told: at least one sentence.

hosts    c1 c2 c3 rack=a           declarations: who is there, and under which rules
servers  c1: web db tier=10

at 5     net c1 management down    commands: what befalls them
when c3 enters fencing: pause leader 20
until 190

never: c3 shot                     claims: what must come out whatever the timeline says
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import scenario_policy, scenario_site
from .claims import Claim, Kind, Names, What, parse_claim, parse_what
from .scenario_site import Declarations, setup_of
from .scenario_words import (
    ParseError,
    UnreadableError,
    Word,
    number,
    split_at_colon,
    suggestion,
    whole,
    words_of,
)
from .setup import Setup

LINGERS_S = 500.0  # how long a story without `until` goes on after its last command
UNTIL_MAX_S = 30 * 86400.0
SENTENCE = re.compile(r"\w[^.!?]*\w+[.!?](\s|$)")

DECLARATIONS: Mapping[str, Callable[[Declarations, Word, list[Word]], None]] = {
    "hosts": scenario_site.hosts,
    "bmc": scenario_site.bmc,
    "storage": scenario_site.storage,
    "servers": scenario_site.servers,
    "rule": scenario_site.rule,
    "policy": scenario_policy.policy,
    "pace": scenario_policy.pace,
    "segment": scenario_policy.segment,
    "controllers": scenario_policy.controllers,
    "quorum": scenario_policy.quorum,
}
Check = Callable[[Setup], Callable[[str], str | None]]  # who is there → command → complaint
KEYWORDS = (*DECLARATIONS, "at", "when", "until", "seed", *(kind.value for kind in Kind))


@dataclass(frozen=True, slots=True)
class Command:
    """Something that befalls the world at an instant."""

    at_s: float
    words: str
    line: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that befalls the world `delay_s` after `what` first came true."""

    what: What
    delay_s: float
    words: str
    line: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story: who is there, what befalls them, what is claimed of it."""

    why: str
    setup: Setup
    commands: tuple[Command, ...]
    triggers: tuple[Trigger, ...]
    claims: tuple[Claim, ...]
    until_s: float
    seed: int = 0


@dataclass(slots=True)
class _Reading:
    check: Check
    declared: Declarations = field(default_factory=Declarations)
    setup: Setup | None = None  # made when the first line speaks of what was declared
    commands: list[Command] = field(default_factory=list[Command])
    triggers: list[Trigger] = field(default_factory=list[Trigger])
    claims: list[Claim] = field(default_factory=list[Claim])
    until_s: float | None = None
    seed: int = 0


def parse_story(story: str, check: Check) -> Scenario | ParseError:
    """Read a story. What cannot be understood comes back as the first error, with its place."""
    reading, why = _Reading(check), list[str]()
    try:
        for index, line in enumerate(story.splitlines(), start=1):
            if line.startswith("#"):
                why.append(line.lstrip("# ").rstrip())
            elif words := words_of(line, index):
                _read_line(reading, words[0], words[1:])
        return _finished(reading, " ".join(filter(None, why)))
    except UnreadableError as unreadable:
        return unreadable.error


def _read_line(reading: _Reading, first: Word, rest: list[Word]) -> None:
    keyword = first.text.rstrip(":")
    if declare := DECLARATIONS.get(keyword):
        if reading.setup is not None:
            raise first.wrong(f"'{keyword}' comes too late", "declare first, then at, when, must")
        declare(reading.declared, first, rest)
        return
    match keyword:
        case "at":
            _read_command(reading, first, rest)
        case "when":
            _read_trigger(reading, first, rest)
        case "until":
            _read_until(reading, first, rest)
        case "seed":
            if len(rest) != 1:
                raise first.wrong("seed takes one number", "seed 17")
            reading.seed = whole(rest[0], "a seed")
        case "must" | "never" | "within" | "end":
            reading.claims.append(parse_claim(first, rest, _names(_setup(reading, first))))
        case unknown:
            raise first.wrong(f"unknown word '{unknown}'", suggestion(unknown, KEYWORDS))


def _read_command(reading: _Reading, first: Word, rest: list[Word]) -> None:
    if not rest:
        raise first.wrong("at which second?", "at 5 net c1 management down")
    at_s = number(rest[0], "an instant")
    words = _checked(reading, rest[0], rest[1:])
    reading.commands.append(Command(at_s, words, first.line))


def _read_trigger(reading: _Reading, first: Word, rest: list[Word]) -> None:
    usage = "when c3 enters fencing: pause leader 20"
    head, tail = split_at_colon(first, rest, usage)
    delay_s = 0.0
    if head and head[-1].text.startswith("+"):
        delay_s = number(head.pop().part(1), "a delay")
    if not head:
        raise first.wrong("when what?", usage)
    what = parse_what(head, _names(_setup(reading, first)))
    words = _checked(reading, head[-1], tail)
    reading.triggers.append(Trigger(what, delay_s, words, first.line))


def _checked(reading: _Reading, before: Word, words: list[Word]) -> str:
    """Return a command that the world understands."""
    if not words:
        raise before.wrong(f"nothing stands behind '{before.text}'", "at 5 power c1 off")
    spoken = " ".join(word.text for word in words)
    if complaint := reading.check(_setup(reading, before))(spoken):
        message, _, hint = complaint.partition("\nhint: ")
        raise words[0].wrong(message, hint)
    return spoken


def _read_until(reading: _Reading, first: Word, rest: list[Word]) -> None:
    if len(rest) != 1:
        raise first.wrong("until takes one instant", "until 190")
    if reading.until_s is not None:
        raise first.wrong("until stands twice")
    reading.until_s = number(rest[0], "an instant")
    if reading.until_s > UNTIL_MAX_S:
        raise rest[0].wrong("a story ends within thirty days")


def _setup(reading: _Reading, first: Word) -> Setup:
    """Return what was declared; from now on nothing more may be."""
    if reading.setup is None:
        if not reading.declared.hosts:
            raise first.wrong("nobody is there yet", "hosts c1 c2 c3")
        reading.setup = setup_of(reading.declared)
    return reading.setup


def _names(setup: Setup) -> Names:
    return Names(
        frozenset(setup.site.hosts),
        frozenset(server.id for server in setup.servers),
        frozenset(setup.site.controllers),
    )


def _finished(reading: _Reading, why: str) -> Scenario | ParseError:
    if not SENTENCE.search(why):
        return ParseError(1, 1, "the story does not say why it is told", "# One sentence, or more.")
    setup = _setup(reading, Word("", 1, 1))
    last = max((command.at_s for command in reading.commands), default=0.0)
    until_s = last + LINGERS_S if reading.until_s is None else reading.until_s
    return Scenario(
        why,
        setup,
        tuple(sorted(reading.commands, key=lambda command: command.at_s)),
        tuple(reading.triggers),
        tuple(reading.claims),
        until_s,
        reading.seed,
    )
