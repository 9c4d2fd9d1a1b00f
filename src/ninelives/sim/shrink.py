"""Make a failing run small, so that a person can read what goes wrong.

    commands   delta debugging: halves, quarters, … down to single ones
    servers    one by one, as long as no command names them
    hosts      one by one, as long as no server lives there and no command names them
    controllers, then the time after the last command

Whatever is left out, the same law must still be broken. The result is a scenario file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ninelives.core.model import HostId, WitnessId
from ninelives.core.site import HostSite, QuorumSet, Site
from ninelives.engine.node import Decide, lawless

from .judging import BUG, BUGS, judge_end, pass_time, watched
from .memory_store import MemoryStore
from .minds import real_objection
from .scenario_write import written
from .setup import Setup
from .world import World

HOSTS_MIN = 2
TRIES_MAX = 2_000  # runs that one shrinking may take

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Story:
    """A run: everything that determines it."""

    setup: Setup
    commands: tuple[tuple[float, str], ...]  # instant, words; in order of time
    until_s: float
    seed: int = 0
    is_stored: bool = False  # every commit goes through the codec


Breaks = Callable[[Story], bool]


def laws_broken(story: Story, decide: Decide | None = None) -> frozenset[str]:
    """Run a story to the first broken law, or to its end, and name the laws that it breaks."""
    store = MemoryStore() if story.is_stored else None
    world = World(story.setup, story.seed, decide, real_objection(), store)
    world.laws = lawless
    oracle = watched(world)
    for at_s, words in story.commands:
        world.at(at_s, tuple(words.split()))
    try:
        if pass_time(world, oracle, story.until_s):
            judge_end(world, oracle)
    except BUGS:
        return frozenset({BUG})
    return frozenset(broken.law for broken in oracle.violations)


def breaks(law: str, decide: Decide | None = None) -> Breaks:
    """Return a judge that says whether a story breaks `law`."""
    return lambda story: law in laws_broken(story, decide)


def shrink(story: Story, is_broken: Breaks, tries_max: int = TRIES_MAX) -> Story:
    """Return the smallest story found that is still broken. `story` itself must be."""
    tries = 0

    def still(candidate: Story) -> bool:
        nonlocal tries
        tries += 1
        return tries <= tries_max and is_broken(candidate)

    assert is_broken(story), "nothing to shrink: the story breaks no law"
    before = None
    while story != before:  # a server that went may free a command, and so on
        before = story
        story = fewer_commands(story, still)
        story = first_that(story, without_servers, still)
        story = first_that(story, without_hosts, still)
        story = first_that(story, without_controllers, still)
        story = first_that(story, shorter, still)
    return story


def fewer_commands(story: Story, still: Breaks) -> Story:
    """Leave out as many commands as possible (delta debugging, Zeller 1999)."""
    size = len(story.commands)
    while size >= 1:
        smaller = first_smaller(story, size, still)
        if smaller is None:
            size //= 2
        else:
            story = smaller
            size = min(size, len(story.commands))
    return story


def first_smaller(story: Story, size: int, still: Breaks) -> Story | None:
    """Leave out one run of `size` commands, if any can be left out."""
    for start in range(0, len(story.commands), size):
        rest = story.commands[:start] + story.commands[start + size :]
        candidate = replace(story, commands=rest)
        if still(candidate):
            return candidate
    return None


def first_that(story: Story, smaller: Callable[[Story], Iterator[Story]], still: Breaks) -> Story:
    """Take the first smaller story that is still broken, again and again."""
    while (found := next(filter(still, smaller(story)), None)) is not None:
        story = found
    return story


# What may be left out.


def without_servers(story: Story) -> Iterator[Story]:
    named = words_of(story)
    for server in story.setup.servers:
        if server.id not in named:
            rest = without(story.setup.servers, server)
            yield replace(story, setup=replace(story.setup, servers=rest))


def without_hosts(story: Story) -> Iterator[Story]:
    setup, named = story.setup, words_of(story)
    homes = {server.host for server in setup.servers}
    seats = set(setup.site.controller_hosts.values())
    for host in setup.site.hosts:
        if host not in named | homes | seats and len(setup.site.hosts) > HOSTS_MIN:
            rooms = {name: room for name, room in setup.rooms.items() if name != host}
            site, dark = site_without(setup.site, host), setup.dark - {host}
            smaller = replace(setup, site=site, rooms=rooms, dark=dark)
            yield replace(story, setup=smaller)


def without_controllers(story: Story) -> Iterator[Story]:
    site, named = story.setup.site, words_of(story)
    for controller in site.controllers[1:]:
        if controller in named or controller in site.controller_hosts:
            continue
        hosts = {name: unwatched(host, controller) for name, host in site.hosts.items()}
        smaller = replace(site, hosts=hosts, controllers=without(site.controllers, controller))
        yield replace(story, setup=replace(story.setup, site=smaller))


def shorter(story: Story) -> Iterator[Story]:
    last = max((at_s for at_s, _ in story.commands), default=0.0)
    half = last + (story.until_s - last) / 2
    if half < story.until_s - 1.0:
        yield replace(story, until_s=float(round(half)))


def words_of(story: Story) -> set[str]:
    """Return every name that a command may mean; "c1,c2|c3" names three."""
    text = " ".join(words for _, words in story.commands)
    return set(text.replace(",", " ").replace("|", " ").split())


def site_without(site: Site, host: HostId) -> Site:
    hosts = {
        name: unwatched(each, WitnessId(host)) for name, each in site.hosts.items() if name != host
    }
    sets = {name: quorum_without(each, host) for name, each in site.quorum_sets.items()}
    return replace(site, hosts=hosts, quorum_sets=sets)


def unwatched(host: HostSite, witness: WitnessId) -> HostSite:
    return replace(host, witnesses=without(host.witnesses, witness))


def quorum_without(quorum: QuorumSet, host: HostId) -> QuorumSet:
    members = quorum.members - {host}
    return replace(quorum, members=members, needed=min(quorum.needed, len(members)))


def without(parts: Sequence[Part], one: Part) -> tuple[Part, ...]:
    return tuple(part for part in parts if part != one)


# Writing it down.


def scenario_text(story: Story, law: str, why: str = "") -> str:
    """Return a scenario file; its `never:` lines say the law in words where there are any."""
    opening = why or f"The law {law} was broken by this story."
    head = [f"# {opening}", f"# Found by chance under seed {story.seed}, and made small."]
    seed = [f"seed {story.seed}"] if story.seed else []
    commands = [f"at {at_s:g} {words}" for at_s, words in story.commands]
    end = [f"until {story.until_s:g}"]
    claims = [*CLAIMS.get(law, ()), "never: ninelives disarms"]
    parts = ("\n".join(head), written(story.setup).rstrip(), "\n".join([*seed, *commands, *end]))
    return "\n\n".join((*parts, "\n".join(claims))) + "\n\n----\n"


CLAIMS = {
    "I1": ("never: any server written twice",),
    "I2": ("never: any server runs twice",),
    "I15": ("never: any server runs twice",),
    "I16": ("never: any server runs twice",),
}
