"""What the sightings of many witnesses amount to: up, not down, down, or unknown."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.small_cloud import K1, SmallCloud, small_site

from ninelives.core import events as on
from ninelives.core.draft import Draft
from ninelives.core.evidence import (
    control_group,
    is_qualified,
    planes_seen,
    power_is,
    reads_off,
    watched,
    witnesses_required,
)
from ninelives.core.model import (
    LOCAL,
    BackendId,
    BootId,
    HostId,
    Plane,
    Power,
    RoadId,
    Seen,
    Sign,
    WitnessId,
)
from ninelives.core.policy import BALANCED
from ninelives.core.site import Road

C1, C2, C3 = HostId("c1"), HostId("c2"), HostId("c3")
MGMT = Plane.MANAGEMENT
W2, W3, W4 = WitnessId("c2"), WitnessId("c3"), WitnessId("c4")


def cloud_of(names: str = "c1 c2 c3 c4", **changes: object) -> SmallCloud:
    return SmallCloud(site=small_site(names, **changes)).started()


def says(
    cloud: SmallCloud, sign: Sign, witnesses: Iterable[str], host: str = "c1", plane: Plane = MGMT
) -> None:
    for witness in witnesses:
        boot = cloud.boots[HostId(host)] if sign is Sign.STRONG else None
        change = on.Change(HostId(host), plane, sign, boot)
        cloud.tell(on.Sighted(WitnessId(witness), (change,)))


def seen(cloud: SmallCloud, host: str = "c1", plane: Plane = MGMT) -> Seen:
    return planes_seen(Draft(cloud.cluster, cloud.now), HostId(host))[plane]


ALL = ("k1", "c2", "c3", "c4")


def test_one_strong_sign_beats_any_number_of_silences() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ("c2", "c3", "c4"))

    assert seen(cloud) is Seen.UP


def test_a_weak_sign_makes_a_plane_only_not_down() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ("k1", "c2", "c3"))

    assert seen(cloud) is Seen.NOT_DOWN


def test_three_qualified_witnesses_that_hear_nothing_make_it_down() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ALL)

    assert seen(cloud) is Seen.DOWN


def test_two_of_three_silences_with_the_rest_unknown_are_not_enough() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ("c2", "c3"))
    says(cloud, Sign.UNKNOWN, ("k1", "c4"))

    assert seen(cloud) is Seen.UNKNOWN


def test_no_data_is_never_down() -> None:
    cloud = cloud_of()
    says(cloud, Sign.UNKNOWN, ALL)

    assert seen(cloud) is Seen.UNKNOWN


def test_silence_of_one_plane_says_nothing_of_another() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ALL)

    assert seen(cloud, plane=Plane.STORAGE) is Seen.UP


# How many are needed.


@pytest.mark.parametrize(
    ("names", "required"), [("c1", 2), ("c1 c2", 2), ("c1 c2 c3", 3), ("c1 c2 c3 c4 c5 c6", 3)]
)
def test_as_many_are_needed_as_there_are_but_two_to_three(names: str, required: int) -> None:
    cloud = cloud_of(names)

    assert witnesses_required(Draft(cloud.cluster, 0.0), C1) == required


def test_an_operators_written_word_lets_one_witness_do() -> None:
    cloud = SmallCloud(site=small_site("c1"))
    cloud.policy = replace(cloud.policy, witnesses_min=1)
    cloud.cluster.policy = cloud.policy

    assert witnesses_required(Draft(cloud.cluster, 0.0), C1) == 1


def test_witnesses_of_one_rack_alone_are_one_failure_domain() -> None:
    cloud = cloud_of("c1 c2 c3 c4 c5")
    hosts = {
        host: replace(site, rack="r1" if host != C1 else "r2", witnesses=site.witnesses[1:])
        for host, site in cloud.site.hosts.items()
    }
    far = replace(hosts[HostId("c5")], rack="r9")
    cloud.cluster.site = replace(cloud.site, hosts={**hosts, far.id: far})
    says(cloud, Sign.UNKNOWN, ("k1", "c5"))
    says(cloud, Sign.SILENT, ("c2", "c3", "c4"))

    assert seen(cloud) is Seen.SILENT

    says(cloud, Sign.SILENT, ("c5",))
    assert seen(cloud) is Seen.DOWN


# Who is qualified.


def qualified(cloud: SmallCloud, witness: WitnessId) -> bool:
    return is_qualified(Draft(cloud.cluster, cloud.now), witness, MGMT, C1)


def test_a_witness_that_sees_its_other_targets_is_qualified() -> None:
    assert qualified(cloud_of(), W2)


def test_a_witness_that_is_itself_silent_is_not() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ("k1", "c1", "c3", "c4"), host="c2")

    assert not qualified(cloud, W2)


def test_a_witness_that_misses_more_than_a_fifth_of_its_others_is_not() -> None:
    cloud = cloud_of("c1 c2 c3 c4 c5 c6")
    says(cloud, Sign.SILENT, ("c2",), host="c3")

    assert qualified(cloud, W2)  # 5 of 6: three hosts and two references

    says(cloud, Sign.SILENT, ("c2",), host="c4")
    assert not qualified(cloud, W2)


def test_hosts_proved_dead_are_no_part_of_the_control_group() -> None:
    cloud = cloud_of("c1 c2 c3")
    before = control_group(Draft(cloud.cluster, cloud.now), W2, MGMT, C1)
    cloud.kill("c3")
    cloud.run(30)
    assert cloud.host("c3").proofs

    after = control_group(Draft(cloud.cluster, cloud.now), W2, MGMT, C1)

    assert before == (3, 0)  # c3 and two reference addresses
    assert after == (2, 0)
    assert qualified(cloud, W2)


def test_the_target_itself_is_no_part_of_the_control_group() -> None:
    cloud = cloud_of("c1 c2 c3")
    says(cloud, Sign.SILENT, ("c2",))

    assert control_group(Draft(cloud.cluster, cloud.now), W2, MGMT, C1) == (3, 0)


def test_references_that_are_out_of_reach_disqualify() -> None:
    cloud = cloud_of("c1 c2 c3")
    cloud.tell(on.Sighted(W2, (), ((MGMT, 0, 2),)))

    assert control_group(Draft(cloud.cluster, cloud.now), W2, MGMT, C1) == (1, 2)
    assert not qualified(cloud, W2)


def test_fewer_than_two_others_qualify_nobody() -> None:
    cloud = cloud_of("c1 c2")
    cloud.tell(on.Sighted(W2, (), ((MGMT, 1, 1),)))

    assert control_group(Draft(cloud.cluster, cloud.now), W2, MGMT, C1) == (1, 0)
    assert not qualified(cloud, W2)


def test_a_witness_that_froze_counts_again_after_a_full_window() -> None:
    cloud = cloud_of()
    cloud.tell(on.Sighted(W2, (), was_frozen=True))
    says(cloud, Sign.SILENT, ALL)

    assert not qualified(cloud, W2)

    cloud.run(cloud.policy.silence_s + 0.1)
    assert qualified(cloud, W2)


def test_what_a_frozen_witness_hears_makes_nothing_up() -> None:
    cloud = cloud_of()
    says(cloud, Sign.SILENT, ("c2", "c3", "c4"))
    assert seen(cloud) is Seen.UP
    cloud.tell(on.Sighted(K1, (), was_frozen=True))

    assert seen(cloud) is not Seen.UP


# What is no plane.


def reads(powers: dict[str, Power], levels: dict[str, tuple[int, str]]) -> Draft:
    """A host wired to these devices (level, kind), that read so a moment ago."""
    cloud = cloud_of("c1 c2 c3", roads=_wired(levels))
    for name, power in powers.items():
        cloud.tell(on.PowerRead(C1, RoadId(name), power))
    return Draft(cloud.cluster, cloud.now)


def _wired(levels: dict[str, tuple[int, str]]) -> tuple[Road, ...]:
    return tuple(Road(RoadId(name), level, kind=kind) for name, (level, kind) in levels.items())


TWO_FEEDS = {"a": (1, "pdu"), "b": (1, "pdu")}
BMC_AND_OUTLET = {"a": (1, "bmc"), "b": (2, "pdu")}


def test_every_device_of_a_level_must_read_off() -> None:
    both = reads({"a": Power.OFF, "b": Power.OFF}, TWO_FEEDS)
    one = reads({"a": Power.OFF, "b": Power.ON}, TWO_FEEDS)
    unread = reads({"a": Power.OFF, "b": Power.UNREADABLE}, TWO_FEEDS)

    assert reads_off(both, C1, both.now)
    assert not reads_off(one, C1, one.now)
    assert not reads_off(unread, C1, unread.now)
    assert power_is(one.sights(C1), Power.ON)


def test_an_outlet_that_is_on_does_not_speak_against_the_bmc() -> None:
    draft = reads({"a": Power.OFF, "b": Power.ON}, BMC_AND_OUTLET)

    assert reads_off(draft, C1, draft.now)


def test_an_outlet_that_was_switched_on_since_takes_the_off_back_until_the_bmc_reads_again() -> (
    None
):
    def told(*news: tuple[str, Power]) -> Draft:
        cloud = cloud_of("c1 c2 c3", roads=_wired(BMC_AND_OUTLET))
        for name, power in news:
            cloud.now += 1
            cloud.tell(on.PowerRead(C1, RoadId(name), power))
        return Draft(cloud.cluster, cloud.now)

    both_off = (("a", Power.OFF), ("b", Power.OFF))
    began = told(*both_off, ("b", Power.ON))
    stays = told(*both_off, ("b", Power.ON), ("a", Power.OFF), ("b", Power.ON))

    assert not reads_off(began, C1, began.now - 5)
    assert reads_off(stays, C1, stays.now - 5)


def test_a_read_of_off_from_before_does_not_count() -> None:
    draft = reads({"a": Power.OFF, "b": Power.OFF}, TWO_FEEDS)

    assert not reads_off(draft, C1, draft.now + 1)


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        ((True, False), True),
        ((False, False), False),
        ((False, None), None),
        ((None, True), True),
        ((True,), True),  # the other backend has not answered yet
        ((False,), None),
        ((), None),
    ],
)
def test_storage_is_unwatched_only_where_every_backend_of_the_host_says_so(
    views: tuple[bool | None, ...], expected: bool | None
) -> None:
    backends = (BackendId("b0"), LOCAL, BackendId("b1"))
    cloud = SmallCloud(site=small_site("c1 c2", backends=backends))
    for number, view in enumerate(views):
        cloud.tell(on.StorageSeen(C1, BackendId(f"b{number}"), watched=view, revoked=None))

    assert watched(Draft(cloud.cluster, cloud.now), C1) is expected


def test_promises_of_another_episode_are_not_counted() -> None:
    cloud = cloud_of()
    cloud.tell(on.Promised(W2, C1, cloud.host("c1").epoch + 1))
    cloud.tell(on.Promised(W3, C1, cloud.host("c1").epoch))

    assert cloud.cluster.sights[C1].promises == {W3}


def test_news_of_a_host_that_the_inventory_does_not_know_change_nothing() -> None:
    cloud = cloud_of()
    before = cloud.cluster.fork()

    cloud.tell(on.Sighted(K1, (on.Change(HostId("x"), MGMT, Sign.STRONG, BootId("b")),)))
    cloud.tell(on.PowerRead(HostId("x"), RoadId("r"), Power.OFF))

    assert cloud.cluster.hosts == before.hosts
    assert cloud.cluster.sights == before.sights


def test_the_last_strong_sign_and_its_end_are_remembered() -> None:
    cloud = cloud_of()
    at = cloud.now
    cloud.run(3)
    says(cloud, Sign.STRONG, ("k1",))
    heard = cloud.now
    cloud.run(2)
    for plane in cloud.site.hosts[C1].planes:
        says(cloud, Sign.WEAK, ("k1",), plane=plane)

    sights = cloud.cluster.sights[C1]
    assert sights.strong_at == heard > at
    assert sights.strong_until == cloud.now


@pytest.mark.parametrize(
    ("witness", "sign", "counted_s"),
    [
        ("k1", Sign.SILENT, 60.0 - BALANCED.silence_s),
        ("k1", Sign.WEAK, 60.0),
        ("c2", Sign.SILENT, 0.0),
    ],
)
def test_a_lease_counts_from_the_last_beat_that_the_leader_can_have_answered(
    witness: str, sign: Sign, counted_s: float
) -> None:
    cloud = cloud_of()
    says(cloud, Sign.STRONG, ("k1", "c2"))
    cloud.tell(on.Renewed(C1, cloud.boots[C1], watchdog_armed=True))
    began = cloud.now
    cloud.run(60.0)
    says(cloud, sign, (witness,))

    renewal = cloud.cluster.sights[C1].renewal

    assert renewal is not None
    assert renewal.at - began == pytest.approx(counted_s, abs=0.1)
