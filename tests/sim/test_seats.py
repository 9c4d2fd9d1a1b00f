"""A controller that runs on a compute host stands, ends and starts with that host."""

from dataclasses import replace

import pytest
from tests.sim.small_world import C1, C2, small_setup, thoughtless

from ninelives.core.model import WitnessId
from ninelives.core.site import Site
from ninelives.sim.swarm_people import last_seats
from ninelives.sim.world import World

N1, N2 = WitnessId("n1"), WitnessId("n2")


def seated() -> World:
    """Two controllers, each on a host of its own; the first one leads."""
    setup = small_setup()
    site = Site(setup.site.hosts, (N1, N2), {}, {N1: C1, N2: C2})
    world = World(replace(setup, site=site), 1, decide=thoughtless)
    world.run(5.0)
    leader = world.leader()
    assert leader is not None
    assert leader.id == N1
    return world


def leader_after(world: World, seconds: float, *words: str) -> str:
    world.command(words)
    world.run(world.now + seconds)
    leader = world.leader()
    return leader.id if leader is not None else ""


@pytest.mark.parametrize("words", ["power c1 off", "panic c1"])
def test_a_leader_dies_with_its_host_and_the_other_one_takes_over(words: str) -> None:
    world = seated()

    assert leader_after(world, 30.0, *words.split()) == N2
    assert not world.controllers[N1].is_alive


def test_it_starts_again_with_its_host() -> None:
    world = seated()
    leader_after(world, 30.0, "power", "c1", "off")

    leader_after(world, 300.0, "power", "c1", "on")

    assert world.controllers[N1].is_running


def test_nobody_starts_it_while_its_host_is_down() -> None:
    world = seated()
    world.command(("controller", "n1", "crash"))

    leader_after(world, 120.0, "power", "c1", "off")

    assert not world.controllers[N1].is_alive


def test_a_leader_on_a_frozen_host_goes_on_where_it_stood() -> None:
    """Its clock stood, too: the worst case. Whoever watched its beat has taken over meanwhile."""
    world = seated()

    assert leader_after(world, 120.0, "freeze", "c1") == N2
    assert not world.controllers[N1].is_running

    leader_after(world, 30.0, "thaw", "c1")
    assert world.controllers[N1].is_running
    assert not world.controllers[N1].leads


def test_it_does_not_start_on_a_frozen_host() -> None:
    world = seated()
    world.command(("controller", "n1", "crash"))
    leader_after(world, 60.0, "freeze", "c1")

    assert not world.controllers[N1].is_alive
    leader_after(world, 60.0, "thaw", "c1")
    assert world.controllers[N1].is_running


def test_people_start_a_machine_where_no_controller_is_left_to_ask_for_it() -> None:
    """World 332 of seed day7: the only controller lay on a host that nobody but it asked for."""
    world = seated()
    leader_after(world, 30.0, "power", "c1", "off")
    assert list(last_seats(world)) == []

    leader_after(world, 30.0, "power", "c2", "off")
    assert list(last_seats(world)) == [("power", "c1", "on"), ("power", "c2", "on")]
