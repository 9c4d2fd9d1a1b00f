"""Breadth first through every path, so that the first path to a broken law is a shortest one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ninelives.engine.clock import SystemClock

from .choices import State, Step, possible
from .key import Key, Keys
from .laws import Broken
from .leader import Minds, Rules, Scene, begins, empty
from .steps import take
from .truth import beginnings


class Found(NamedTuple):
    """A broken law, and a shortest path to it."""

    broken: Broken
    beginning: str
    path: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explored:
    """What an exploration came to."""

    states: int
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
    clock = SystemClock()
    began = clock.now()
    search = Search(Minds(rules or Rules(), Keys(symmetric=symmetric)), faults_max)
    level = list(_begin(search))
    depth = 0
    while level and depth < depth_max:
        following: list[tuple[Key, State]] = []
        for place, (key, state) in enumerate(level):
            level[place] = level[0]  # what was walked is let go
            following.extend(_walk(search, key, state))
            if clock.now() - began > seconds_max:
                return _result(search, depth, False, clock.now() - began)
        depth += 1
        level = following
    return _result(search, depth, not level, clock.now() - began)


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


def _walk(search: Search, key: Key, state: State) -> Iterator[tuple[Key, State]]:
    for step in possible(state, search.faults_max):
        scene = take(state, step, search.minds)
        if scene is None:
            continue
        search.transitions += 1
        if scene.broken:
            _note(search, key, step, scene.broken)
            continue
        after = search.minds.keys.key(scene.cluster, scene.truth, scene.now)
        if after not in search.parents:
            search.parents[after] = (key, step)
            yield after, State(scene.cluster, scene.truth, scene.now)


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
