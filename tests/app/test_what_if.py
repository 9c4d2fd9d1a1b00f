"""A rehearsal tells what would become of each server, by the leader's own judgment."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tests.core.small_cloud import SmallCloud, small_site

from ninelives.app.what_if import WhatIf, what_if
from ninelives.core.events import NovaSeen
from ninelives.core.model import Candidate, HostId, MoveRecord, ServerId, ServerSeen, VmState
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Key, Promise, Rule
from ninelives.core.site import Site

C1, C2 = HostId("c1"), HostId("c2")


@dataclass
class Rooms:
    """Nova shows the cloud's servers; Placement has so many places on each host."""

    cloud: SmallCloud
    places: Mapping[str, int]
    kept: Collection[str] = ()  # in reserve: offered to who counts them as lent

    async def list_servers(self, host: HostId) -> tuple[tuple[ServerSeen, ...], bool]:
        return tuple(each for each in self.cloud.servers.values() if each.host == host), True

    async def targets_beside(
        self,
        server: ServerId,
        beside: Mapping[HostId, Collection[ServerId]],
        lent: Collection[HostId] = (),
    ) -> tuple[Candidate, ...]:
        open_to = {h: room for h, room in self.places.items() if h not in self.kept or h in lent}
        left = {HostId(h): room - len(beside.get(HostId(h), ())) for h, room in open_to.items()}
        return tuple(Candidate(h, room, sees_disk=False) for h, room in left.items() if room > 0)


def rehearse(cloud: SmallCloud, *hosts: HostId, **places: int) -> WhatIf:
    rooms = Rooms(cloud, places or dict.fromkeys(("c1", "c2", "c3", "c4"), 100))
    return asyncio.run(what_if(cloud.cluster, rooms, hosts, cloud.now))


def why_not(found: WhatIf) -> dict[str, str]:
    return {str(fate.server): fate.why_not for fate in found.fates if fate.target is None}


def test_servers_are_spread_over_the_living_and_nothing_changes_in_the_leader() -> None:
    cloud = SmallCloud().started()
    for number in range(6):
        cloud.add(f"s{number}", "c1")
    asked, before = len(cloud.done), dict(cloud.cluster.hosts)

    found = rehearse(cloud, C1)

    assert sorted(str(fate.target) for fate in found.fates) == ["c2", "c2", "c3", "c3", "c4", "c4"]
    assert {fate.turn for fate in found.fates} == {1}
    assert (len(cloud.done), cloud.cluster.hosts, cloud.cluster.moves) == (asked, before, {})


def test_what_one_takes_is_gone_for_the_next() -> None:
    cloud = SmallCloud().started()
    for number in range(3):
        cloud.add(f"s{number}", "c1")

    found = rehearse(cloud, C1, c2=1, c3=1)

    assert len(why_not(found)) == 1
    assert set(why_not(found).values()) == {"no_target"}


def test_the_limits_of_the_policy_make_turns_and_tiers_their_order() -> None:
    first = Rule(Promise("first", tier=1), ((Key.PROJECT, "gold"),))
    policy = replace(BALANCED, target_moves_max=1, rules=(first,))
    cloud = SmallCloud(policy=policy).started()
    for number in range(4):
        cloud.add(f"s{number}", "c1", project="gold" if number == 3 else "")

    found = rehearse(cloud, C1)

    assert [(str(fate.server), fate.turn) for fate in found.fates] == [
        ("s3", 1),
        ("s0", 1),
        ("s1", 1),
        ("s2", 2),
    ]


def test_a_turn_holds_as_many_as_may_move_at_once_and_everybody_gets_one() -> None:
    cloud = SmallCloud(policy=replace(BALANCED, moves_max=10, target_moves_max=50)).started()
    for number in range(25):
        cloud.add(f"s{number:02}", "c1")

    found = rehearse(cloud, C1)

    assert [fate.turn for fate in found.fates] == [1] * 10 + [2] * 10 + [3] * 5


def test_a_group_goes_in_its_order_turn_by_turn() -> None:
    cloud = SmallCloud().started()
    for order, name in enumerate(("db", "app", "web")):
        cloud.add(name, "c1", group="shop", order=order)

    found = rehearse(cloud, C1)

    assert [(str(fate.server), fate.turn) for fate in found.fates] == [
        ("db", 1),
        ("app", 2),
        ("web", 3),
    ]


def test_whoever_cannot_be_had_elsewhere_is_named_with_the_reason() -> None:
    cloud = SmallCloud().started()
    cloud.add("paused", "c1", vm_state=VmState.PAUSED)
    cloud.add("pet", "c1", is_image_backed=True)
    cloud.add("vtpm", "c1", blocked="vtpm")
    record = MoveRecord(7, "live-migration", C1, C2, "running")
    cloud.add("moving", "c1", records=(record,))

    found = rehearse(cloud, C1)

    assert why_not(found) == {
        "paused": "paused",
        "pet": "data_would_be_lost",
        "vtpm": "vtpm",
        "moving": "record_open",
    }


def test_hosts_that_die_together_are_no_targets_of_each_other() -> None:
    cloud = SmallCloud().started()
    cloud.add("a", "c1")
    cloud.add("b", "c2")

    found = rehearse(cloud, C1, C2)

    assert {str(fate.target) for fate in found.fates} <= {"c3", "c4"}
    assert [each.brake.value for each in found.holding[C1]] == ["storm"]


def test_reserved_hosts_are_counted_one_after_the_other_when_nobody_else_has_room() -> None:
    cloud = SmallCloud(site=kept_in_reserve("c3", "c4")).started()
    for number in range(3):
        cloud.add(f"s{number}", "c1")
    for host in (HostId("c3"), HostId("c4")):
        rests = NovaSeen(host, True, False, False, True, True, is_reserve=True)
        cloud.cluster.sights[host] = cloud.cluster.sights[host]._replace(nova=rests)
    rooms = Rooms(cloud, {"c1": 9, "c2": 1, "c3": 9, "c4": 9}, kept=("c3", "c4"))

    found = asyncio.run(what_if(cloud.cluster, rooms, [C1], cloud.now))

    assert [str(fate.target) for fate in found.fates] == ["c2", "c3", "c3"]
    assert found.lent == (HostId("c3"),)


def kept_in_reserve(*names: str) -> Site:
    plain = small_site()
    hosts = {name: replace(host, is_reserved=name in names) for name, host in plain.hosts.items()}
    return Site(hosts, plain.controllers)
