"""Hunt with one method through whichever ninelives stands first on PYTHONPATH; print JSON.

Run by bench/planted.py: `python -m bench.planted_hunt METHOD FOLDER`, METHOD one of scenarios,
swarm, explorer. How the tree itself does stands in `FOLDER/known.json` and counts for nothing: a
bug is caught by a complaint that nobody had before it, by a law that the tree does not break in the
very same world, or by a story that unfolds otherwise.

    {"caught": "I7 …", "laws": ["I7"], "seconds": 3.1}      "caught" is "" where nothing was found
"""

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench.planted_bugs import PACKAGE, ROOT

from ninelives.sim.explore import explore
from ninelives.sim.judging import BUG, BUGS, bug_of
from ninelives.sim.memory_store import MemoryStore
from ninelives.sim.oracle import Violation
from ninelives.sim.scenario import parse, play
from ninelives.sim.scenario_parse import Scenario
from ninelives.sim.swarm_run import drawn_plan, run_plan

SWARM_H = 25.0  # no more simulated hours than these
SWARM_ACTIVE_S = 1800.0
EXPLORE_DEPTH = 7
EXPLORE_S = 600.0  # longer than the walk takes on a machine that does other things too
NAMES = re.compile(r"[\w.-]*\d[\w.-]*")


class Known(NamedTuple):
    """What the tree is blamed for without any bug, and how each of its stories unfolds."""

    complaints: frozenset[str]
    stories: dict[str, list[str]]
    worlds: list[list[str]] | None = None  # the laws that it breaks in each; None: not asked yet


NOTHING = Known(frozenset(), {})


class Caught(NamedTuple):
    """What a method found, in a few words, and the laws that broke."""

    caught: str
    laws: list[str]


def shape_of(law: str, what: str) -> str:
    """Spell a complaint without the names and figures that differ from world to world."""
    return f"{law} {NAMES.sub('#', what)}"


def scenarios(known: Known) -> Caught:
    """Play story after story until one unfolds otherwise.

    Of what is wrong with it a broken law tells most, then a claim, then another timeline.
    """
    for path in stories():
        usual = known.stories.get(path.stem, [])
        fresh = [mark for mark in marks_of(path) if mark not in usual]
        if fresh:
            marks = sorted({mark.split(":")[0] for mark in fresh})
            return Caught(f"{min(marks, key=rank)} in {path.stem}", marks)
    return Caught("", [])


def stories() -> list[Path]:
    shown = ROOT / PACKAGE / "sim" / "stories"
    return sorted([*(ROOT / "tests" / "scenarios").glob("*.txt"), *shown.glob("*.txt")])


RANKS = ("claim", "timeline")


def rank(mark: str) -> int:
    kind = mark.split(":", maxsplit=1)[0]
    return RANKS.index(kind) + 1 if kind in RANKS else 0


def marks_of(path: Path) -> list[str]:
    """Play one story and spell how it unfolds: its broken laws, broken claims and its timeline."""
    scenario = parse(path.read_text(encoding="utf-8"))
    if not isinstance(scenario, Scenario):
        return ["claim:unreadable"]
    try:
        played = play(scenario, store=MemoryStore())
    except BUGS as error:
        return [f"{BUG}: {type(error).__name__}"]
    laws = dict.fromkeys(f"{each.law}:{shape_of('', each.what)}" for each in played.violations)
    claims = [f"claim:{each.words}" for each in played.failed]
    digest = hashlib.sha256(played.timeline.encode()).hexdigest()
    return [*laws, *claims, f"timeline:{digest[:16]}"]


def swarm(known: Known) -> Caught:
    """Let world after world run until one complains of something new, or the hours are over.

    A bug ends worlds early, and would meet some in which the tree was never asked: they are left.
    """
    for number, (hours, broken) in enumerate(worlds()):
        if known.worlds is not None and number >= len(known.worlds):
            break
        usual = known.worlds[number] if known.worlds is not None else []
        shapes = {each: shape_of(each.law, each.what) for each in broken if each.law not in usual}
        fresh = [each for each, shape in shapes.items() if shape not in known.complaints]
        if fresh:
            laws = list(dict.fromkeys(each.law for each in fresh))
            return Caught(f"{laws[0]} after {hours:.1f} h", laws)
    return Caught("", [])


def worlds() -> Iterator[tuple[float, tuple[Violation, ...]]]:
    """Yield what broke in each world, and the hours until then."""
    hours = 0.0
    number = 0
    while hours < SWARM_H:
        plan = drawn_plan(f"planted {number}", SWARM_ACTIVE_S)
        number += 1
        try:
            seen = run_plan(plan)
        except BUGS as error:  # of the world itself, which ends it at once
            yield hours, (bug_of(0.0, error),)
            continue
        hours += seen.simulated_s / 3600.0
        yield hours, seen.violations


def explorer(known: Known) -> Caught:
    """Walk every path of so many steps, and see whether a law breaks that did not before."""
    walked = explore(EXPLORE_DEPTH, EXPLORE_S).violations
    found = [each for each in walked if shape_of(*each.broken[::2]) not in known.complaints]
    if not found:
        return Caught("", [])
    found.sort(key=lambda each: len(each.path))
    laws = list(dict.fromkeys(each.broken.law.replace("BUG", BUG) for each in found))
    return Caught(f"{laws[0]} at depth {len(found[0].path)}", laws)


METHODS: dict[str, Callable[[Known], Caught]] = {
    "scenarios": scenarios,
    "swarm": swarm,
    "explorer": explorer,
}


def known_of(folder: Path) -> Known:
    path = folder / "known.json"
    if not path.exists():
        return NOTHING
    found = json.loads(path.read_text(encoding="utf-8"))
    return Known(frozenset(found["complaints"]), found["stories"], found["worlds"])


def tree_itself() -> Known:
    """Hunt where no bug is planted."""
    broken = [list(found) for _, found in worlds()]
    complaints = {shape_of(each.law, each.what) for found in broken for each in found}
    complaints |= {
        shape_of(*each.broken[::2]) for each in explore(EXPLORE_DEPTH, EXPLORE_S).violations
    }
    laws = [[each.law for each in found] for found in broken]
    return Known(frozenset(complaints), {path.stem: marks_of(path) for path in stories()}, laws)


def main() -> None:
    method, folder = sys.argv[1], Path(sys.argv[2])
    began = time.monotonic()
    if method == "known":
        known = tree_itself()
        print(json.dumps(known._asdict() | {"complaints": sorted(known.complaints)}))
        return
    caught = METHODS[method](known_of(folder))
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"caught": caught.caught, "laws": caught.laws, "seconds": seconds}))


if __name__ == "__main__":
    main()
