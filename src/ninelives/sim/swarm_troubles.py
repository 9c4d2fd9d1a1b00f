"""Faults drawn by chance: a sentence of the fault language for a row of the table of 72."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from . import faults
from .faults.grammar import Words, choices
from .setup import Setup

SPANS_S: Mapping[str, tuple[float, float]] = {  # verb → how many seconds its SECONDS may be
    "panic": (60.0, 600.0),
    "hang": (5.0, 300.0),
    "freeze": (3.0, 400.0),
    "slow": (1.0, 30.0),
    "packets": (0.1, 4.0),
    "switch": (120.0, 240.0),
    "burst": (2.0, 50.0),
    "bmc": (1.0, 60.0),
    "revoke": (60.0, 3000.0),
    "controller": (1.0, 300.0),
    "leader": (1.0, 300.0),
    "store": (0.05, 3.0),
    "overheat": (60.0, 300.0),
    "rolling": (20.0, 200.0),
}
LASTS_S = (10.0, 60.0, 200.0, 900.0)  # how long a fault stands until somebody heals it
SOONER = frozenset({69, 66, 59})  # these stop everything: healed within minutes, or nothing happens
DRAWS_MAX = 40  # for a sentence that makes a wanted row
SOONER_S = (20.0, 60.0, 150.0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault with its instant, and how long it stands until it is healed."""

    at_s: float
    row: int
    words: Words
    lasts_s: float


def drawn_rows(rng: Random) -> tuple[int, ...]:
    """Draw which rows of the table befall a world: a few, or many, never always all."""
    rows = sorted(faults.TABLE)
    return tuple(sorted(rng.sample(rows, rng.choice((2, 5, 10, 20, 40)))))


def drawn_troubles(
    rng: Random, setup: Setup, rows: tuple[int, ...], until_s: float, per_hour: float
) -> list[Trouble]:
    """Draw the faults of one run, in order of time."""
    found = list[Trouble]()
    at_s = rng.expovariate(per_hour / 3600.0) + 30.0
    while at_s < until_s:
        row = rng.choice(rows)
        words = drawn_sentence(rng, setup, row)
        if words is not None:
            spans = SOONER_S if row in SOONER else LASTS_S
            lasts_s = rng.choice(spans) * rng.uniform(0.5, 1.5)
            found.append(Trouble(round(at_s, 3), row, words, round(lasts_s, 3)))
        at_s += rng.expovariate(per_hour / 3600.0)
    return found


def drawn_sentence(rng: Random, setup: Setup, row: int) -> Words | None:
    """Draw a sentence that makes this row. None: this world has nothing that it could befall."""
    usage = rng.choice(faults.TABLE[row].sentences)
    for _ in range(DRAWS_MAX):  # which row some sentences make is decided by what fills them
        words = tuple(filled(rng, setup, usage, word) for word in usage.split())
        if all(words) and row in faults.numbers_of(words, setup):
            return words
    return None


def filled(rng: Random, setup: Setup, usage: str, word: str) -> str:
    """Fill one slot. "" where there is nothing to fill it with."""
    if not word.isupper():
        return rng.choice(word.split("|"))
    match word:
        case "SECONDS":
            low, high = SPANS_S[usage.split(maxsplit=1)[0]]
            return f"{rng.uniform(low, high):.2f}"
        case "OFFSET":
            return rng.choice(("3600", "-3600", "1", "27"))
        case "PPM":
            return rng.choice(("500", "-500", "200"))
        case "SHARE":
            return f"{rng.uniform(0.1, 0.6):.2f}"
        case "GROUPS":
            return drawn_sides(rng, setup)
        case "HOSTS":
            hosts = list(setup.site.hosts)
            return ",".join(rng.sample(hosts, rng.randint(2, max(2, len(hosts) // 2))))
        case _:
            known = choices(word.rstrip("2"), setup)
            return rng.choice(known) if known else ""


def drawn_sides(rng: Random, setup: Setup) -> str:
    """Draw two sides of a partition: of hosts alone, or with the controllers."""
    hosts = list[str](setup.site.hosts)
    names = hosts if rng.random() < 0.5 else [*hosts, *setup.site.controllers]
    rng.shuffle(names)
    cut = rng.randint(1, len(names) - 1)
    return f"{','.join(names[:cut])}|{','.join(names[cut:])}"
