"""What a story claims about its run, beside the timeline: must, never, within, end.

must: web runs on c2                     at some instant
must: c1 reaches fenced before web runs on c2
never: c3 shot
never: any server written twice
within 45: c1 reaches vacated            counted from the start of the story
within 45 of c1 reaches suspect: …       counted from the first time that came true
end: c1 is healthy                       when the story is over
must: "bmc c1 power off"                 a line of the timeline that contains these words
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from ninelives.core import states as at

from .facts import Fact, Facts, Pattern, first
from .scenario_words import Word, number, one_of, split_at_colon, suggestion

VERBS: Mapping[str, tuple[str, str]] = {  # phrase → (kind of its subject, kind of its object)
    "reaches": ("host or server", "state"),
    "enters": ("host or server", "state"),
    "is": ("host or server", "state"),
    "judged": ("host", "word"),
    "proved by": ("host", "word"),
    "ordered off": ("host", ""),  # we sent an `off`, whatever it found
    "shot": ("host", ""),  # our `off` cut the power of a host that had some
    "cut off": ("host", ""),  # its power went, by whomsoever
    "turns": ("host", "word"),  # frozen, hung, panicked, off, booting, running
    "forced down": ("host", ""),
    "forced up": ("host", ""),
    "disabled": ("host", ""),
    "enabled": ("host", ""),
    "lent": ("host", ""),  # a reserved host was enabled by us
    "given back": ("host", ""),
    "revoked on": ("host", "word"),
    "at risk": ("host", ""),  # zombie_risk
    "reported": ("any", "word"),
    "runs on": ("server", "host"),
    "runs twice": ("server", ""),
    "written twice": ("server", ""),
    "rebuilt": ("server", ""),
    "sent to": ("server", "host"),
    "rebooted on": ("server", "host"),
    "migrated": ("server", ""),
    "leads": ("controller", ""),
    "disarms": ("ninelives", ""),
}
WORDS_OF_OBJECT = {"": 0, "state": 2}  # a state may be followed by its reason; others are one word
NINELIVES = "ninelives"


def state_name(state: type) -> str:
    """Spell a state as operators read it: WaitingForHost is "waiting_for_host"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", state.__name__).lower()


STATES = tuple(map(state_name, (*get_args(at.HostState), *get_args(at.MoveState))))


@dataclass(frozen=True, slots=True)
class Names:
    """Whom claims may speak of."""

    hosts: frozenset[str]
    servers: frozenset[str]
    controllers: frozenset[str]

    def of(self, kind: str) -> frozenset[str]:
        """Return the names of a kind."""
        match kind:
            case "host":
                return self.hosts
            case "server":
                return self.servers
            case "controller":
                return self.controllers
            case "ninelives":
                return frozenset({NINELIVES})
            case "host or server":
                return self.hosts | self.servers
            case _:
                return self.hosts | self.servers | self.controllers | {NINELIVES}


class Kind(StrEnum):
    """How a claim speaks."""

    MUST = "must"
    NEVER = "never"
    WITHIN = "within"
    END = "end"


@dataclass(frozen=True, slots=True)
class Quoted:
    """A line of the timeline that contains these words, whatever the blanks between them."""

    text: str


What = Pattern | Quoted


def means_fact(what: What, words: tuple[str, ...]) -> bool:
    """Say whether a fact is what `what` speaks of."""
    return isinstance(what, Pattern) and what.means(words)


def means_line(what: What, line: str) -> bool:
    """Say whether a line of the timeline is what `what` quotes."""
    return isinstance(what, Quoted) and what.text in " ".join(line.split())


@dataclass(frozen=True, slots=True)
class Claim:
    """One assertion. `other` is what stands behind `before`, `after` or `of`."""

    kind: Kind
    what: What
    words: str  # as written
    line: int
    order: str = ""  # "before" or "after"
    other: What | None = None
    limit_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FailedClaim:
    """A claim that the run did not keep, and why."""

    line: int
    words: str
    reason: str

    def __str__(self) -> str:
        """Say it as an editor would show it."""
        return f"line {self.line}: {self.words}: {self.reason}"


# Reading.


def parse_claim(first_word: Word, words: list[Word], names: Names) -> Claim:
    """Read one claim."""
    head, tail = split_at_colon(first_word, [first_word, *words], "must: web runs on c2")
    kind = Kind(one_of(head[0], [each.value for each in Kind], "claim"))
    spoken = " ".join(word.text for word in [first_word, *words])
    if not tail:
        raise first_word.wrong(f"'{kind}' claims nothing", "must: web runs on c2")
    claim = _parse_order(kind, tail, names, spoken)
    if kind is not Kind.WITHIN:
        if len(head) > 1:
            raise head[1].wrong(f"'{kind}' is followed by a colon", f"{kind}: {spoken}")
        return claim
    if len(head) == 1:
        raise head[0].wrong("within how many seconds?", "within 45: c1 reaches vacated")
    limit_s = number(head[1], "a limit")
    if len(head) == 2:
        return Claim(kind, claim.what, spoken, first_word.line, limit_s=limit_s)
    one_of(head[2], ("of",), "word")
    if len(head) == 3:
        raise head[2].wrong("within so many seconds of what?", "within 45 of c1 reaches suspect: …")
    start = parse_what(head[3:], names)
    return Claim(kind, claim.what, spoken, first_word.line, other=start, limit_s=limit_s)


def _parse_order(kind: Kind, words: list[Word], names: Names, spoken: str) -> Claim:
    line = words[0].line
    for index, word in enumerate(words):
        if word.text in {"before", "after"} and kind in {Kind.MUST, Kind.NEVER}:
            if index in {0, len(words) - 1}:
                raise word.wrong(f"'{word.text}' stands between two facts")
            what, other = (parse_what(w, names) for w in (words[:index], words[index + 1 :]))
            return Claim(kind, what, spoken, line, word.text, other)
    return Claim(kind, parse_what(words, names), spoken, line)


def parse_what(words: list[Word], names: Names) -> What:
    text = " ".join(word.text for word in words)
    if text.startswith('"'):
        if len(text) < 3 or not text.endswith('"'):
            raise words[0].wrong("a quotation has no end", '"bmc c1 power off"')
        return Quoted(text[1:-1])
    subjects, rest = _parse_subject(words, names)
    if not rest:
        raise words[-1].wrong(f"what about '{words[-1].text}'?", "web runs on c2")
    phrase, _, objects = _parse_verb(rest)
    kind_of_subject, kind_of_object = VERBS[phrase]
    for subject in subjects - names.of(kind_of_subject):
        raise words[0].wrong(f"'{phrase}' is said of a {kind_of_subject}, not of '{subject}'")
    if kind_of_object == "host" and objects:
        one_of(objects[0], names.hosts | {"any"}, "host")
    if kind_of_object == "state" and objects:
        one_of(objects[0], (*STATES, "any"), "state")
    room = WORDS_OF_OBJECT.get(kind_of_object, 1)
    if len(objects) > room:
        raise objects[room].wrong(f"'{objects[room].text}' is a word too many")
    if kind_of_object and not objects:
        raise rest[-1].wrong(f"'{phrase}' what?", f"{phrase} {kind_of_object}")
    verb = "reaches" if phrase in {"enters", "is"} else phrase
    return Pattern(subjects, (*verb.split(), *(word.text for word in objects)))


def _parse_subject(words: list[Word], names: Names) -> tuple[frozenset[str], list[Word]]:
    if words[0].text != "any":
        subject = one_of(words[0], sorted(names.of("any")), "name")
        return frozenset({subject}), words[1:]
    if len(words) == 1:
        raise words[0].wrong("any what?", "any host, any server, any controller")
    kind = one_of(words[1], ("host", "server", "controller"), "kind")
    return names.of(kind), words[2:]


def _parse_verb(words: list[Word]) -> tuple[str, list[Word], list[Word]]:
    for length in (2, 1):
        phrase = " ".join(word.text for word in words[:length])
        if len(words) >= length and phrase in VERBS:
            return phrase, words[:length], words[length:]
    spoken = " ".join(word.text for word in words[:2])
    raise words[0].wrong(f"unknown claim '{spoken}'", suggestion(spoken, VERBS))


# Judging.


def judge(claims: Iterable[Claim], facts: Facts, lines: Iterable[str]) -> list[FailedClaim]:
    """Return the claims that a run did not keep, in their order."""
    spoken = [(float(line.split()[0]), " ".join(line.split()[1:])) for line in lines]
    reasons = ((claim, _objection(claim, facts, spoken)) for claim in claims)
    return [FailedClaim(claim.line, claim.words, reason) for claim, reason in reasons if reason]


def _objection(claim: Claim, facts: Facts, lines: list[tuple[float, str]]) -> str:
    """Say why a claim does not hold, "" if it does."""
    found = _seen(claim.what, facts, lines)
    others = _seen(claim.other, facts, lines) if claim.other else []
    match claim.kind:
        case Kind.MUST:
            return "" if _in_order(claim, found, others) else _absence(found, others)
        case Kind.NEVER:
            bad = first(_in_order(claim, found, others))
            return f"but {bad}" if bad else ""
        case Kind.END:
            return "" if any(fact.until is None for fact in found) else _at_the_end(found)
        case Kind.WITHIN:
            return _lateness(claim, found, others)


def _seen(what: What, facts: Facts, lines: list[tuple[float, str]]) -> list[Fact]:
    if isinstance(what, Pattern):
        return list(facts.matching(what))
    return [Fact((text,), when, when) for when, text in lines if means_line(what, text)]


def _in_order(claim: Claim, found: list[Fact], others: list[Fact]) -> list[Fact]:
    """Keep what happened on the right side of the first of `others`."""
    match claim.order:
        case "before":
            end = others[0].since if others else float("inf")
            is_idle = claim.kind is Kind.MUST and not others
            return [] if is_idle else [fact for fact in found if fact.since < end]
        case "after":
            return [fact for fact in found if others and fact.since >= others[0].since]
        case _:
            return found


def _absence(found: list[Fact], others: list[Fact]) -> str:
    if not found:
        return "it did not happen"
    if not others:
        return f"{found[0]}, but the other part did not happen"
    return f"{found[0]}, but {others[0]}"


def _at_the_end(found: list[Fact]) -> str:
    return f"no longer: {found[-1]} until {found[-1].until:.1f}" if found else "it never held"


def _lateness(claim: Claim, found: list[Fact], others: list[Fact]) -> str:
    if claim.other and not others:
        return "what it counts from did not happen"
    start = others[0].since if others else 0.0
    later = [fact for fact in found if fact.since >= start]
    if not later:
        return "it did not happen"
    took = later[0].since - start
    return "" if took <= claim.limit_s else f"it took {took:.1f} s"
