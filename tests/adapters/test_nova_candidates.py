"""What a server needs, and who may have it: Placement's answers under Nova's rules."""

from dataclasses import replace

import pytest

from ninelives.adapters.nova.candidates import (
    Group,
    Needs,
    Rules,
    needs_of,
    ranked,
    rooms,
    zone_of,
)
from ninelives.adapters.nova.fields import Fields, Json
from ninelives.adapters.nova.views import ServiceRow
from ninelives.core.model import HostId

TINY = Needs({"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1})


def server(extras: dict[str, Json] | None = None, **changes: Json) -> Fields:
    flavor: dict[str, Json] = {"vcpus": 2, "ram": 1024, "disk": 10, "ephemeral": 1, "swap": 100}
    return {"image": {"id": "i"}, "flavor": {**flavor, "extra_specs": extras or {}}, **changes}


IN_SERVICE = ServiceRow(
    id="1",
    host="c0",
    binary="nova-compute",
    zone="az1",
    is_known=True,
    is_up=True,
    is_disabled=False,
    reason="",
    is_forced_down=False,
    reported_at=None,
)


def summary(capacity: int, used: int, root: str) -> dict[str, Json]:
    amounts: Json = {"capacity": capacity, "used": used}
    return {"resources": {"VCPU": amounts}, "root_provider_uuid": root}


def test_a_flavor_asks_for_processors_memory_and_disk() -> None:
    assert needs_of(server()).resources == {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 12}


def test_a_root_disk_on_a_volume_takes_no_room_on_the_host() -> None:
    assert needs_of(server(image="")).resources["DISK_GB"] == 2


def test_extra_specs_ask_for_classes_and_traits() -> None:
    extras: dict[str, Json] = {
        "resources:CUSTOM_FPGA": "1",
        "resources:DISK_GB": "0",
        "trait:HW_CPU_X86_AVX2": "required",
        "trait:CUSTOM_SLOW": "forbidden",
        "hw:cpu_policy": "dedicated",
    }

    needs = needs_of(server(extras))

    assert needs.resources == {"PCPU": 2, "MEMORY_MB": 1024, "CUSTOM_FPGA": 1}
    assert needs.query(5) == {
        "resources": "CUSTOM_FPGA:1,MEMORY_MB:1024,PCPU:2",
        "required": "!CUSTOM_SLOW,HW_CPU_X86_AVX2,!COMPUTE_STATUS_DISABLED",
        "limit": "5",
    }


def test_room_is_counted_per_tree_of_providers() -> None:
    answer: Fields = {
        "allocation_requests": [
            {"allocations": {"c2": {}, "c2-numa0": {}}},
            {"allocations": {"c3": {}}},
        ],
        "provider_summaries": {
            "c2": summary(8, 5, "c2"),
            "c2-numa0": summary(4, 3, "c2"),
            "c3": summary(8, 0, "c3"),
        },
    }

    assert rooms(answer, TINY) == {"c2": 1, "c3": 8}
    beside = {"c3": {"VCPU": 3}, "c2": {"VCPU": 9}}
    assert rooms(answer, TINY, beside) == {"c2": 0, "c3": 5}


def order(rules: Rules, *services: ServiceRow, room: int = 5) -> list[str]:
    found = ranked(
        {row.host: room for row in services}, rules, services, HostId, lambda host: host == "c2"
    )
    return [candidate.host for candidate in found]


@pytest.mark.parametrize(
    "out",
    [
        replace(IN_SERVICE, host="c3", is_disabled=True),
        replace(IN_SERVICE, host="c3", is_up=False),
        replace(IN_SERVICE, host="c3", is_forced_down=True),
        replace(IN_SERVICE, host="c3", zone="az2"),
        replace(IN_SERVICE, host="c1"),
    ],
    ids=["disabled", "down", "forced down", "other zone", "its own host"],
)
def test_a_host_that_nova_would_refuse_is_no_candidate(out: ServiceRow) -> None:
    assert order(Rules("c1", "az1"), out, replace(IN_SERVICE, host="c2")) == ["c2"]


def test_a_full_host_is_no_candidate() -> None:
    assert order(Rules("c1"), replace(IN_SERVICE, host="c2"), room=0) == []


def test_a_group_keeps_apart_or_together() -> None:
    hosts = replace(IN_SERVICE, host="c2"), replace(IN_SERVICE, host="c3")

    apart = Rules("c1", None, (Group("anti-affinity", frozenset({"c2"})),))
    together = Rules("c1", None, (Group("affinity", frozenset({"c2"})),))
    rather_apart = Rules("c1", None, (Group("soft-anti-affinity", frozenset({"c2"})),))
    assert order(apart, *hosts) == ["c3"]
    assert order(together, *hosts) == ["c2"]
    assert order(rather_apart, *hosts) == ["c3", "c2"]


def test_an_aggregate_has_what_the_flavor_asks_of_it() -> None:
    extras = {"aggregate_instance_extra_specs:ssd": "true"}
    rules = Rules("c1", None, (), extras, {"c3": {"ssd": "true"}})

    assert order(rules, replace(IN_SERVICE, host="c2"), replace(IN_SERVICE, host="c3")) == ["c3"]


def test_the_most_room_comes_first_and_who_sees_the_disk_is_told() -> None:
    found = ranked(
        {"c2": 1, "c3": 7},
        Rules("c1"),
        [replace(IN_SERVICE, host="c2"), replace(IN_SERVICE, host="c3")],
        HostId,
        lambda host: host == "c2",
    )

    assert [(each.host, each.room, each.sees_disk) for each in found] == [
        ("c3", 7, False),
        ("c2", 1, True),
    ]


def test_a_zone_binds_only_who_asked_for_it_where_nova_tells() -> None:
    shown: Fields = {"OS-EXT-AZ:availability_zone": "az1"}

    assert zone_of(shown) == "az1"
    assert zone_of({**shown, "pinned_availability_zone": None}) is None
    assert zone_of({**shown, "pinned_availability_zone": "az2"}) == "az2"
