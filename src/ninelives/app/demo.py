"""The demo: four outages in a simulated cloud, live in a terminal, then their incident reports.

Each story is played first, which takes a moment, and then shown: quiet stretches pass quickly,
what happens is held long enough to be read. The same code decides here as in production.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ninelives.sim.happenings import Happening
from ninelives.sim.scenario import Played, parse, play
from ninelives.sim.scenario_parse import Scenario
from ninelives.sim.scenario_words import ParseError

from .demo_screen import Scene, line_text, screen
from .incidents import Incident, Incidents
from .picture import Picture

STORIES = (
    ("power_loss", "A host loses power"),
    ("freeze", "A host freezes, and wakes up"),
    ("switch", "A switch fails"),
    ("dead_bmc", "A host dies, and its BMC with it"),
)
STORY_S = 7.0  # how long one story is shown at speed 1
LAST_LOOK_S = 1.2
FRAMES_PER_S = 15
READABLE_S = 20.0  # a longer silence in a timeline is not shown at length


@dataclass(slots=True)
class Show:
    """One story, played, with everything that happened in it."""

    title: str
    scenario: Scenario
    played: Played
    happenings: Sequence[tuple[float, Happening]]
    incidents: Sequence[Incident] = field(default_factory=list[Incident])


def shows() -> Iterator[Show]:
    """Play the stories one after another."""
    for name, title in STORIES:
        story = files("ninelives.sim").joinpath("stories", f"{name}.txt").read_text()
        scenario = parse(story)
        assert not isinstance(scenario, ParseError), f"{name}: {scenario}"
        yield show_of(title, scenario)


def show_of(title: str, scenario: Scenario) -> Show:
    """Play one story and keep all that happened."""
    happenings: list[tuple[float, Happening]] = []
    incidents = Incidents()

    def hear(when: float, happening: Happening) -> None:
        happenings.append((when, happening))
        incidents.saw(when, happening)

    played = play(scenario, listeners=(hear,))
    return Show(title, scenario, played, happenings, incidents.found)


# Live.


def show_live(console: Console, speed: float) -> list[Show]:
    """Show every story in the terminal; the screen is given back as it was, also on Ctrl-C."""
    shown: list[Show] = []
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for number, show in enumerate(shows(), start=1):
            scene = Scene(show.title, show.scenario.why, number, len(STORIES))
            _show_one(live, console, scene, show, speed)
            shown.append(show)
    return shown


def _show_one(live: Live, console: Console, scene: Scene, show: Show, speed: float) -> None:
    picture, told, lines = Picture(show.scenario.setup), 0, show.played.lines
    began = time.monotonic()
    for real_s, clock_s in frames(show, STORY_S / speed):
        while told < len(show.happenings) and show.happenings[told][0] <= clock_s:
            picture.saw(*show.happenings[told])
            told += 1
        seen = [line for line in lines if line.when <= clock_s]
        live.update(screen(console, scene, picture, seen, clock_s), refresh=True)
        time.sleep(max(0.0, began + real_s - time.monotonic()))
    time.sleep(LAST_LOOK_S / speed)


def frames(show: Show, length_s: float) -> Iterator[tuple[float, float]]:
    """Yield (seconds since the story began on screen, world seconds), frame by frame."""
    knots = pace(sorted({line.when for line in show.played.lines}), length_s)
    count = max(1, round(length_s * FRAMES_PER_S))
    for frame in range(1, count + 1):
        real_s = length_s * frame / count
        yield real_s, world_time(knots, real_s)


def pace(instants: Sequence[float], length_s: float) -> list[tuple[float, float]]:
    """Spread the instants at which something is said over `length_s`: (real, world) seconds."""
    knots, real = [(0.0, 0.0)], 0.0
    for before, after in pairwise((0.0, *instants)):
        real += 0.15 + min(after - before, READABLE_S) / READABLE_S
        knots.append((real, after))
    scale = length_s / real if real else 1.0
    return [(each * scale, world) for each, world in knots]


def world_time(knots: Sequence[tuple[float, float]], real_s: float) -> float:
    """Interpolate the world's clock."""
    for (real, world), (next_real, next_world) in pairwise(knots):
        if real_s <= next_real:
            share = (real_s - real) / (next_real - real)
            return world + share * (next_world - world)
    return knots[-1][1]


# Plain.


def show_plain(console: Console) -> list[Show]:
    """Tell every story in lines, without waiting: for logs, pipes and screen readers."""
    shown: list[Show] = []
    for number, show in enumerate(shows(), start=1):
        console.print(Text(f"{number}/{len(STORIES)}  {show.title}", style="bold"))
        console.print(Text(show.scenario.why, style="italic"))
        for line in show.played.lines:
            console.print(line_text(line), soft_wrap=True)
        console.print()
        shown.append(show)
    return shown
