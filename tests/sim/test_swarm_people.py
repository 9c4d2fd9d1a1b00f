"""The people of the swarm settle what nobody but a person can, and never against the truth."""

from dataclasses import replace
from random import Random

import pytest
from tests.sim.small_world import C1, C2, C3, Story, small_setup

from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import EVERYTHING, HostId, Method, Proof, RoadId, ServerId, Validity
from ninelives.core.plan import plan
from ninelives.core.policy import BALANCED
from ninelives.core.site import QuorumSet, Site
from ninelives.sim.cloud_reads import show
from ninelives.sim.faults.grammar import Words
from ninelives.sim.swarm_people import NEGLECTED_S, is_kept_dark, waiting
from ninelives.sim.truth import Condition
from ninelives.sim.world import World

ORDERED = at.Fencing(1.0, at.Class.ORDERED, told_unfenceable=True)
FENCE = ("operator", "fence", C1)
CONFIRM = ("operator", "confirm", C1, "second", "another")


def world_of(*hosts: at.Host, road_is_verified: bool = True) -> World:
    setup = small_setup()
    if not road_is_verified:
        setup = replace(setup, site=unverified(setup.site))
    world = World(setup, 1)
    for host in hosts:
        world.ledger.hosts[host.id] = host
    return world


def unverified(site: Site) -> Site:
    roads = tuple(replace(road, is_verified=False) for road in site.hosts[C1].roads)
    return replace(site, hosts={**site.hosts, C1: replace(site.hosts[C1], roads=roads)})


def orders(world: World) -> list[Words]:
    return list(waiting(world, Random(1)))


def doubted(state: at.HostState) -> at.Host:
    return at.Host(C1, 1, state, zombie_risk="the mapping may be wrong")


def test_a_living_host_whose_proof_was_contradicted_is_shot_anew() -> None:
    for state in (ORDERED, at.Fenced(1.0), at.Evacuating(1.0)):
        assert orders(world_of(doubted(state))) == [FENCE]


def test_where_a_shot_may_be_refused_for_ever_the_button_is_pressed_in_the_end() -> None:
    world = world_of(doubted(at.Evacuating(1.0)))
    pressed = ("power", C1, "off")

    assert {words for seed in range(9) for words in waiting(world, Random(seed))} == {
        FENCE,
        pressed,
    }


def test_a_living_host_that_no_road_may_shoot_is_switched_off_and_kept_dark() -> None:
    setup = small_setup()
    sites = {**setup.site.hosts, C1: replace(setup.site.hosts[C1], roads=())}
    world = World(replace(setup, site=replace(setup.site, hosts=sites)), 1)
    world.ledger.hosts[C1] = doubted(at.Evacuating(1.0))
    dark = ("power", C1, "off")

    assert orders(world) == [dark]
    assert is_kept_dark(world, dark)

    world.ledger.hosts[C1] = at.Host(C1, 1, at.Evacuating(1.0))

    assert not is_kept_dark(world, dark)


def test_who_is_only_shut_out_of_storage_is_proved_by_hand_once_all_else_is_well() -> None:
    world = world_of(at.Host(C1, 1, at.Evacuating(1.0)))
    assert ("operator", "road", C1, "c1-bmc", "verified") in orders(world)

    world.faults_on["power", C2, "off"] = (("power", C2, "on"), (1,))

    assert not orders(world)


def test_who_is_needed_by_a_quorum_that_stands_is_switched_off_and_kept_dark() -> None:
    """World 954 of seed day5: the other member, up but not led back, waited for this very host."""
    members = frozenset({C1, C2, C3})
    setup = small_setup()
    sites = {
        host: replace(site, quorum_sets=("galera",) if host in members else ())
        for host, site in setup.site.hosts.items()
    }
    galera = {"galera": QuorumSet("galera", members, needed=2)}
    site = replace(setup.site, hosts=sites, quorum_sets=galera)
    world = World(replace(setup, site=site), 1)
    world.run(60)
    leader = world.leader()
    assert leader is not None
    assert leader.node is not None
    for host, state in ((C1, at.Evacuating(1.0)), (C2, at.Returning(1.0, at.Stage.LIFTING, 1.0))):
        world.ledger.hosts[host] = at.Host(host, 1, state)
    healthy = {host: at.Host(host, 1, at.Healthy(1.0)) for host in (C3, HostId("c4"))}
    leader.node.cluster = replace(leader.node.cluster, hosts={**world.ledger.hosts, **healthy})
    dark = ("power", C1, "off")

    assert dark in orders(world)
    assert FENCE not in orders(world)
    assert is_kept_dark(world, dark)

    world.hosts[C2].condition = Condition.FROZEN  # and now it would really be lost

    assert dark not in orders(world)
    assert not is_kept_dark(world, dark)


def test_a_dead_host_whose_proof_was_contradicted_is_confirmed() -> None:
    world = world_of(doubted(ORDERED))
    world.hosts[C1].condition = Condition.OFF

    assert orders(world) == [CONFIRM]


def test_nobody_repeats_a_word_before_it_would_have_expired() -> None:
    story = Story().run(10)
    world, leader = story.world, story.world.leader()
    assert leader is not None
    node = leader.node
    assert node is not None
    world.hosts[C1].condition = Condition.OFF

    def asked_after(seconds: float) -> list[Words]:
        at_s = node.cluster.now - seconds
        word = Proof(Method.HUMAN, C1, 1, 1, at_s, None, EVERYTHING, "ann", Validity.VOID)
        world.ledger.hosts[C1] = replace(doubted(at.Evacuating(1.0)), proofs=(word,))
        return [words for words in orders(world) if words == CONFIRM]

    assert asked_after(100.0) == []
    assert asked_after(BALANCED.human_valid_s) == [CONFIRM]


def test_those_that_are_ordered_to_be_shot_together_are_allowed_their_storm() -> None:
    world = world_of(at.Host(C1, 1, ORDERED), at.Host(C2, 1, ORDERED))

    assert ("operator", "storm", "allow", "rack:a", "2") in orders(world)


def test_a_road_that_nobody_verified_is_signed_where_it_leads_to_its_host() -> None:
    held = at.Host(C1, 1, at.Held(1.0, "doctor_red", at.Class.DEAD_OR_FROZEN))
    world = world_of(held, road_is_verified=False)
    sign = ("operator", "road", C1, "c1-bmc", "verified")
    assert orders(world) == [sign]

    key = (C1, RoadId("c1-bmc"))
    world.devices[key] = replace(world.devices[key], leads_to=C2)
    assert orders(world) == []


def test_one_that_is_ordered_to_be_shot_needs_no_storm() -> None:
    assert not orders(world_of(at.Host(HostId(C1), 1, ORDERED)))


def test_one_that_went_dark_after_its_reboot_is_confirmed() -> None:
    proof = Proof(Method.REBOOTED, C1, 1, 1, 1.0, None, EVERYTHING, "boot c1-boot2, gate closed")
    world = world_of(at.Host(C1, 1, at.Evacuating(1.0), proofs=(proof,)))
    world.hosts[C1].is_gate_open = False
    assert orders(world) == []

    world.hosts[C1].condition = Condition.OFF

    assert orders(world) == [CONFIRM]


@pytest.mark.parametrize("method", [Method.REBOOTED, Method.HUMAN, Method.LEASE_EXPIRED])
def test_one_that_rebooted_and_stands_open_is_rebooted_again(method: Method) -> None:
    proof = Proof(method, C1, 1, 1, 1.0, None, EVERYTHING, "dead, and on again")
    world = world_of(at.Host(C1, 1, at.Evacuating(1.0), proofs=(proof,)))
    world.hosts[C1].is_gate_open = True
    assert orders(world) == [("reboot", C1)]

    world.hosts[C1].is_gate_open = False
    assert orders(world) == []


def test_a_server_that_only_a_word_moves_on_is_signed_off_within_half_an_hour_and_a_bit() -> None:
    """World 225 of seed s4c: in 32 rounds nobody happened to."""
    story = Story().run(10)
    world, leader = story.world, story.world.leader()
    assert leader is not None
    node = leader.node
    assert node is not None
    draft = Draft(node.cluster, node.cluster.now)
    server = next(iter(world.nova.servers))
    seen = show(world, ServerId(server))
    assert seen is not None

    def signed_off_after(seconds: float) -> int:
        waits = at.Planned(node.cluster.now - seconds, "needs c2")
        world.ledger.moves[seen.id] = replace(plan(draft, C1, seen), state=waits)
        word = ("operator", "sign-off", seen.id)
        return sum(word in waiting(world, Random(seed)) for seed in range(20))

    assert 0 < signed_off_after(60.0) < 20
    assert signed_off_after(NEGLECTED_S) == 20
