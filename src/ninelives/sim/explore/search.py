"""Breadth first through every path, so that the first path to a broken law is a shortest one."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ninelives.engine.clock import SystemClock

from .choices import State, Step, possible
from .key import Key, Keys
from .laws import Broken
from .leader import Minds, Rules, Scene, begins, empty
from .steps import take
from .truth import beginnings

Level: TypeAlias = list[tuple[Key, State]]


class Found(NamedTuple):
    """A broken law, and a shortest path to it."""

    broken: Broken
    beginning: str
    path: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explored:
    """What an exploration came to."""

    states: int  # told apart; where the longest paths end is not, for nobody goes on from there
    transitions: int
    depth: int  # every path of so many steps was walked
    exhausted: bool  # no longer path leads anywhere new
    violations: tuple[Found, ...]  # one for each law that broke, the shortest path to it
    seconds: float


@dataclass(slots=True)
class Search:
    """What is known while searching."""

    minds: Minds
    faults_max: int
    parents: dict[Key, tuple[Key, Step | str]] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    transitions: int = 0


def explore(
    depth_max: int = 12,
    seconds_max: float = 300.0,
    faults_max: int = 3,
    symmetric: bool = True,
    rules: Rules | None = None,
) -> Explored:
    """Walk every path of up to `depth_max` steps, as long as `seconds_max` lasts."""
    search = Search(Minds(rules or Rules(), Keys(symmetric=symmetric)), faults_max)
    was_collecting = gc.isenabled()
    gc.disable()  # nothing here is a cycle, and looking for one walks millions of records
    try:
        return _explore(search, depth_max, seconds_max)
    finally:
        if was_collecting:
            gc.enable()


def _explore(search: Search, depth_max: int, seconds_max: float) -> Explored:
    clock = SystemClock()
    began = clock.now()
    level = list(_begin(search))
    depth = 0
    while level and depth < depth_max:
        is_last = depth + 1 == depth_max
        level = _next_level(search, level, is_last, lambda: clock.now() - began > seconds_max)
        if clock.now() - began > seconds_max:
            return _result(search, depth, False, clock.now() - began)
        depth += 1
    return _result(search, depth, not level, clock.now() - began)


def _next_level(search: Search, level: Level, is_last: bool, is_late: Callable[[], bool]) -> Level:
    """Walk every step from a level, and let go of each state that was walked.

    Where the last steps lead nobody goes on: once one of them led somewhere new, the others are
    judged by the laws and not told apart.
    """
    following: Level = []
    level.reverse()
    while level and not is_late():
        key, state = level.pop()
        for scene, step in _taken(search, key, state):
            if not (is_last and following):
                following.extend(_if_new(search, key, scene, step))
    return following


def _result(search: Search, depth: int, exhausted: bool, seconds: float) -> Explored:
    found = tuple(search.found.values())
    return Explored(len(search.parents), search.transitions, depth, exhausted, found, seconds)


def _begin(search: Search) -> Iterator[tuple[Key, State]]:
    for name, truth in beginnings():
        scene = Scene(empty(), truth, 0.0, search.minds)
        begins(scene)
        key = search.minds.keys.key(scene.cluster, scene.truth, scene.now)
        search.parents[key] = (0, name)
        yield key, State(scene.cluster, scene.truth, scene.now)


def _taken(search: Search, key: Key, state: State) -> Iterator[tuple[Scene, Step]]:
    """Take every step from a state, and yield those that broke no law."""
    for step in possible(state, search.faults_max):
        scene = take(state, step, search.minds)
        if scene is None:
            continue
        search.transitions += 1
        if scene.broken:
            _note(search, key, step, scene.broken)
        else:
            yield scene, step


def _if_new(search: Search, key: Key, scene: Scene, step: Step) -> Level:
    after = search.minds.keys.key(scene.cluster, scene.truth, scene.now)
    if after in search.parents:
        return []
    search.parents[after] = (key, step)
    return [(after, State(scene.cluster, scene.truth, scene.now))]


def _note(search: Search, key: Key, step: Step, broken: list[Broken]) -> None:
    for entry in broken:
        if entry.law not in search.found:
            beginning, path = _path(search, key)
            search.found[entry.law] = Found(entry, beginning, (*path, step))


def _path(search: Search, key: Key) -> tuple[str, tuple[Step, ...]]:
    path: list[Step] = []
    while True:
        key, step = search.parents[key]
        if isinstance(step, str):
            return step, tuple(reversed(path))
        path.append(step)
