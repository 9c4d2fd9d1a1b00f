"""What Nova shows, read into the core's words: fields as in Nova's own samples of its API."""

import pytest

from ninelives.adapters.nova.fields import Fields, Json
from ninelives.adapters.nova.views import (
    Names,
    Surroundings,
    move_row,
    own_reboot,
    server_seen,
    service_row,
    user_action,
)
from ninelives.core.model import BackendId, HostId, MoveRecord, VmState
from ninelives.engine.errors import Garbled

FLAVOR: dict[str, Json] = {
    "original_name": "m1.tiny",
    "vcpus": 1,
    "ram": 512,
    "disk": 1,
    "ephemeral": 0,
    "swap": 0,
    "extra_specs": {},
}
ON_VOLUME: dict[str, Json] = {
    "image": "",
    "os-extended-volumes:volumes_attached": [{"id": "v1"}],
}
HOME = HostId("uuid-1")
AROUND = Surroundings(
    Names({HostId("uuid-1"): "c1"}),
    lambda _: BackendId("nfs"),
    BackendId("ceph"),
    {"c1": ("ssd",)},
)


def server(changes: dict[str, Json] | None = None) -> dict[str, Json]:
    shown: dict[str, Json] = {
        "id": "s1",
        "name": "web",
        "status": "ACTIVE",
        "tenant_id": "p1",
        "metadata": {"tier": "gold", "ninelives:group": "shop", "ninelives:order": "2"},
        "image": {"id": "i1", "links": []},
        "flavor": FLAVOR,
        "updated": "2026-11-22T10:00:00Z",
        "OS-EXT-AZ:availability_zone": "az1",
        "OS-EXT-SRV-ATTR:host": "c1",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [],
        "locked": False,
        "tags": ["HA_Enabled"],
    }
    return {**shown, **(changes or {})}


def test_a_server_is_read_whole() -> None:
    record = MoveRecord(7, "evacuation", HostId("uuid-1"), None, "accepted")

    seen = server_seen(server(), [record], "stop", AROUND)

    assert (seen.id, seen.host, seen.vm_state) == ("s1", "uuid-1", VmState.ACTIVE)
    assert (seen.task_state, seen.is_running, seen.user_action) == (None, True, "stop")
    assert seen.records == (record,)
    assert (seen.disks, seen.is_image_backed, seen.image) == (("nfs",), True, "i1")
    assert (seen.name, seen.project, seen.zone, seen.flavor) == ("web", "p1", "az1", "m1.tiny")
    assert (seen.group, seen.order, seen.aggregates) == ("shop", 2, ("ssd",))
    assert seen.tags is not None
    assert (seen.tags["tier"], seen.tags["HA_Enabled"]) == ("gold", "")


def test_a_server_on_a_volume_has_no_disk_of_its_host() -> None:
    seen = server_seen(server(ON_VOLUME), [], "", AROUND)

    assert (seen.disks, seen.is_image_backed) == (("ceph",), False)


def test_a_swap_disk_is_a_disk_of_the_host() -> None:
    swapping = server({**ON_VOLUME, "flavor": {**FLAVOR, "swap": 512}})

    assert server_seen(swapping, [], "", AROUND).disks == ("nfs", "ceph")


@pytest.mark.parametrize(
    ("power", "is_running"), [(0, None), (1, True), (3, False), (4, False), (7, False)]
)
def test_power_is_unknown_where_nova_says_no_state(power: int, is_running: bool | None) -> None:
    shown = server({"OS-EXT-STS:power_state": power})

    assert server_seen(shown, [], "", AROUND).is_running is is_running


@pytest.mark.parametrize(
    ("extras", "blocked"),
    [({"hw:tpm_version": "2.0"}, "vtpm"), ({"accel:device_profile": "gpu"}, "accelerator")],
)
def test_what_nova_can_never_evacuate_is_told(extras: dict[str, Json], blocked: str) -> None:
    shown = server({"flavor": {**FLAVOR, "extra_specs": extras}})

    assert server_seen(shown, [], "", AROUND).blocked == blocked


def test_a_virtual_tpm_may_come_from_the_image() -> None:
    shown = server({"image": {"id": "i1", "properties": {"hw_tpm_version": "2.0"}}})

    assert server_seen(shown, [], "", AROUND).blocked == "vtpm"


def test_a_server_of_a_cell_that_is_down_is_not_taken_for_one_without_host() -> None:
    minimal: Fields = {"id": "s1", "status": "UNKNOWN", "tenant_id": "p1"}

    with pytest.raises(Garbled, match="its cell is down"):
        server_seen(minimal, [], "", AROUND)


def test_a_role_that_sees_no_hosts_is_told() -> None:
    shown = {name: value for name, value in server().items() if not name.endswith("ATTR:host")}

    with pytest.raises(Garbled, match="does our role see hosts"):
        server_seen(shown, [], "", AROUND)


@pytest.mark.parametrize("state", list(VmState))
def test_every_state_of_nova_is_known(state: VmState) -> None:
    shown = server({"OS-EXT-STS:vm_state": state.value})

    assert server_seen(shown, [], "", AROUND).vm_state is state


def test_an_unknown_state_is_no_guess() -> None:
    with pytest.raises(Garbled):
        server_seen(server({"OS-EXT-STS:vm_state": "dreaming"}), [], "", AROUND)


def test_a_migration_is_read_with_the_names_of_the_inventory() -> None:
    fields: Fields = {
        "id": 4,
        "uuid": "m-4",
        "instance_uuid": "s1",
        "migration_type": "evacuation",
        "source_compute": "c1",
        "dest_compute": None,
        "status": "accepted",
        "created_at": "2026-11-22T10:00:00.000000",
    }

    row = move_row(fields, AROUND.names)

    assert (row.server, row.uuid) == ("s1", "m-4")
    assert row.record == MoveRecord(4, "evacuation", HostId("uuid-1"), None, "accepted")
    assert not row.record.is_final


def test_a_migration_without_its_source_is_never_skipped() -> None:
    with pytest.raises(Garbled):
        move_row({"id": 4, "source_compute": None}, AROUND.names)


def test_the_last_word_is_that_of_the_last_user_who_said_whether_it_runs() -> None:
    actions: list[Fields] = [
        {"action": "resize", "user_id": "bob", "start_time": "2026-11-22T10:06:00.000000"},
        {"action": "evacuate", "user_id": "masakari", "start_time": "2026-11-22T10:05:00.000000"},
        {"action": "live-migration", "user_id": "eve", "start_time": "2026-11-22T10:04:00.000000"},
        {"action": "evacuate", "user_id": "us", "start_time": "2026-11-22T10:03:00.000000"},
        {"action": "stop", "user_id": None, "start_time": "2026-11-22T10:02:00.000000"},
        {"action": "start", "user_id": "bob", "start_time": "2026-11-22T10:01:00.000000"},
        {"action": "stop", "user_id": "bob", "start_time": "2026-11-22T10:00:00.000000"},
    ]

    assert user_action(actions, "us") == "start"
    assert user_action([], "us") == ""


def test_of_the_reboots_on_record_ours_is_told_by_its_request() -> None:
    actions: list[Fields] = [
        {"action": "reboot", "user_id": who, "start_time": at, "request_id": request}
        for who, at, request in [
            ("bob", "2026-11-22T10:03:00.000000", "req-4"),
            ("us", "2026-11-22T10:02:00.000000", "req-3"),
            ("us", "2026-11-22T10:01:00.000000", "req-2"),
        ]
    ]

    last, before = (own_reboot(entries, "us", HOME) for entries in (actions, actions[2:]))

    assert last is not None
    assert before is not None
    assert last == own_reboot([actions[1]], "us", HOME) != before
    assert last.is_final
    assert own_reboot(actions[:1], "us", HOME) is None


def test_a_service_of_a_cell_that_is_down_is_told_apart() -> None:
    row = service_row({"binary": "nova-compute", "host": "c1", "status": "UNKNOWN"})

    assert not row.is_known
    assert not row.is_up
    assert row.reported_at is None


def test_two_hosts_of_one_name_are_a_bug_of_the_inventory() -> None:
    with pytest.raises(AssertionError):
        Names({HostId("a"): "c1", HostId("b"): "c1"})
