"""The worlds in which policies are compared: hosts die in all, and one more kind of trouble comes.

One world has one family of the fault table beside the deaths, so that its account can be read by
family. All of chance that concerns trouble is drawn before anybody decides anything: every policy
meets the same faults at the same instants.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from ninelives.core.policy import Policy

from .scenario_site import own_bmc, peers_of
from .setup import Setup
from .swarm_troubles import Trouble, drawn_troubles
from .swarm_worlds import drawn_setup

ACTIVE_S = 3600.0  # faults begin and are healed
CALM_S = 3600.0  # all is healed, and everybody has time to end what he began
WORLD_HOURS = (ACTIVE_S + CALM_S) / 3600.0
DEATHS_PER_HOUR = 3.0
FAULTS_PER_HOUR = 6.0
DEATHS = (1, 2, 3, 6)  # power, power with its BMC, panic, a freeze that wakes up
DEAD_S = (600.0, 1800.0)  # how long a host lies dead until somebody heals it

FAMILIES: Mapping[str, tuple[int, ...]] = {
    "hosts": tuple(range(1, 12)),
    "host services": tuple(range(12, 19)),
    "network": tuple(range(19, 32)),
    "power devices": tuple(range(32, 39)),
    "storage": tuple(range(39, 45)),
    "OpenStack": tuple(range(45, 56)),
    "controllers": tuple(range(56, 64)),
    "many at once": tuple(range(64, 70)),
    "operators": (),
}
BY_OPERATORS = (  # what people do at Nova and to the controllers, without any tool's knowledge
    "operator force-down HOST",
    "operator disable HOST",
    "leader crash",
)
MENDED_S = (60.0, 900.0)  # how long until they take it back


@dataclass(frozen=True, slots=True)
class Plan:
    """One world before anybody decides in it."""

    family: str
    seed: str
    setup: Setup
    troubles: tuple[Trouble, ...]


def drawn_plan(seed: int, number: int) -> Plan:
    """Draw the world of this number. Families take turns."""
    family = tuple(FAMILIES)[number % len(FAMILIES)]
    name = f"{seed}/{number}"
    rng = Random(f"compare {name}")
    setup = equipped(drawn_setup(rng))
    deaths = drawn_troubles(rng, setup, DEATHS, ACTIVE_S, DEATHS_PER_HOUR)
    lasting = [replace(each, lasts_s=round(rng.uniform(*DEAD_S), 3)) for each in deaths]
    rows = FAMILIES[family]
    others = (
        drawn_troubles(rng, setup, rows, ACTIVE_S, FAULTS_PER_HOUR)
        if rows
        else drawn_errands(rng, setup)
    )
    troubles = sorted((*lasting, *others), key=lambda trouble: trouble.at_s)
    return Plan(family, name, setup, tuple(troubles))


def drawn_errands(rng: Random, setup: Setup) -> list[Trouble]:
    """Draw what operators do past every tool."""
    hosts, found = list(setup.site.hosts), list[Trouble]()
    at_s = rng.expovariate(FAULTS_PER_HOUR / 3600.0)
    while at_s < ACTIVE_S:
        usage, host = rng.choice(BY_OPERATORS), rng.choice(hosts)
        words = tuple(host if word == "HOST" else word for word in usage.split())
        found.append(Trouble(round(at_s, 3), 0, words, round(rng.uniform(*MENDED_S), 3)))
        at_s += rng.expovariate(FAULTS_PER_HOUR / 3600.0)
    return found


def equipped(setup: Setup) -> Setup:
    """Install everything as every tool's own documentation asks: nothing is left half done.

    So every host has a power device that is wired as the inventory says, and an agent, and none is
    kept in reserve. What is drawn otherwise stays: planes, backends, room, watchdogs, servers.
    """
    names = list(setup.site.hosts)
    hosts = {
        name: replace(
            host,
            witnesses=(*setup.site.controllers, *peers_of(name, names)),
            has_agent=True,
            is_reserved=False,
            roads=tuple(replace(road, is_verified=True) for road in host.roads) or (own_bmc(name),),
        )
        for name, host in setup.site.hosts.items()
    }
    return replace(setup, site=replace(setup.site, hosts=hosts))


def for_ninelives(setup: Setup, policy: Policy) -> Setup:
    """Let one preset hold everywhere; power comes back by itself after an evacuation."""
    ours = replace(policy, power_on_after_vacated=True)
    return replace(setup, policy=ours, segment_policies={})


def for_rivals(setup: Setup, policy: Policy) -> Setup:
    """Take our agents, and with them gates and leases, from the hosts; devices stay."""
    hosts = {
        name: replace(host, has_agent=False, witnesses=setup.site.controllers)
        for name, host in setup.site.hosts.items()
    }
    bare = replace(setup, site=replace(setup.site, hosts=hosts))
    return for_ninelives(bare, policy)
