"""What Nova shows, in the core's words. Pure.

Where Nova leaves something out that a decision needs, because a cell is down or our role may not
see it, the answer is `Garbled`: it is never taken for "nothing there".
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from ninelives.core.model import (
    LOCAL,
    REBOOT,
    WORDLESS_ACTIONS,
    BackendId,
    HostId,
    MoveRecord,
    ServerId,
    ServerSeen,
    VmState,
)
from ninelives.engine.errors import Garbled

from .fields import Fields, flag, inner, instant, rows, text, text_or_none, whole, words

GROUP_KEY, ORDER_KEY = "ninelives:group", "ninelives:order"
RUNNING, NO_STATE = 1, 0  # nova/compute/power_state.py
VOLUMES = BackendId("volumes")  # which backend holds a volume Nova does not say


@dataclass(frozen=True, slots=True)
class Names:
    """How the inventory's hosts are called in Nova. Who is not in it keeps Nova's name."""

    nova_names: Mapping[HostId, str] = field(default_factory=dict[HostId, str])
    _hosts: dict[str, HostId] = field(default_factory=dict[str, HostId], init=False)

    def __post_init__(self) -> None:
        self._hosts.update({name: host for host, name in self.nova_names.items()})
        assert len(self._hosts) == len(self.nova_names), "two hosts under one name of Nova's"

    def of(self, host: HostId) -> str:
        """Return Nova's name of a host."""
        return self.nova_names.get(host, host)

    def host(self, name: str) -> HostId:
        """Return the inventory's name of a host of Nova's."""
        return self._hosts.get(name, HostId(name))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a server's own record does not say: where disks are, which aggregates a host is in."""

    names: Names = field(default_factory=Names)
    disk_of: Callable[[HostId | None], BackendId] = lambda _: LOCAL
    volumes: BackendId = VOLUMES
    aggregates: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


# Servers.


def server_seen(
    fields: Fields, records: Iterable[MoveRecord], user_action: str, around: Surroundings
) -> ServerSeen:
    """Read one server of `GET /servers/detail` or `GET /servers/ID`."""
    host_name = host_of(fields)
    host = around.names.host(host_name) if host_name else None
    flavor, metadata = inner(fields, "flavor"), _metadata(fields)
    return ServerSeen(
        id=ServerId(text(fields, "id")),
        host=host,
        vm_state=_vm_state(text(fields, "OS-EXT-STS:vm_state")),
        task_state=text_or_none(fields, "OS-EXT-STS:task_state"),
        is_running=_is_running(whole(fields, "OS-EXT-STS:power_state", NO_STATE)),
        records=tuple(sorted(records, key=lambda record: record.id)),
        user_action=user_action,
        disks=_disks(fields, flavor, host, around),
        is_image_backed=bool(image_of(fields)),
        blocked=_blocked(fields, flavor),
        is_locked=flag(fields, "locked"),
        name=text_or_none(fields, "name") or "",
        project=text(fields, "tenant_id"),
        zone=text_or_none(fields, "OS-EXT-AZ:availability_zone") or "",
        aggregates=around.aggregates.get(host_name or "", ()),
        flavor=text_or_none(flavor, "original_name") or "",
        image=image_of(fields),
        tags={**dict.fromkeys(words(fields, "tags"), ""), **metadata},
        group=metadata.get(GROUP_KEY, ""),
        order=_order(metadata.get(ORDER_KEY, "")),
    )


def host_of(fields: Fields) -> str | None:
    """Return Nova's name of the host. Absent is not null: then our role may not see hosts."""
    if "OS-EXT-SRV-ATTR:host" not in fields:
        status = text_or_none(fields, "status")
        hint = "its cell is down" if status == "UNKNOWN" else "does our role see hosts?"
        raise Garbled(f"server {fields.get('id')} is shown without its host", hint)
    return text_or_none(fields, "OS-EXT-SRV-ATTR:host")


def image_of(fields: Fields) -> str:
    """Return the image that the root disk was made from; "" for one that boots from a volume."""
    image = fields.get("image")
    return text(image, "id") if isinstance(image, dict) and image else ""


def updated_at(fields: Fields) -> datetime | None:
    """Return when Nova last changed the server's row, to the second."""
    return instant(fields, "updated")


def deleted(server: ServerId) -> ServerSeen:
    """Say what is left of a server that Nova does not know any more."""
    return ServerSeen(server, None, VmState.DELETED, None, is_running=False)


def _vm_state(word: str) -> VmState:
    try:
        return VmState(word)
    except ValueError as error:
        raise Garbled(f"vm_state {word!r} is unknown", "a version that nobody tested?") from error


def _is_running(power: int) -> bool | None:
    return None if power == NO_STATE else power == RUNNING


def _disks(
    fields: Fields, flavor: Fields, host: HostId | None, around: Surroundings
) -> tuple[BackendId, ...]:
    """Name every backend with a disk of the server. Ephemeral and swap disks are Nova's own too."""
    extra = whole(flavor, "ephemeral", 0) + whole(flavor, "swap", 0)
    has_own = bool(image_of(fields)) or extra > 0
    has_volumes = bool(rows(fields, "os-extended-volumes:volumes_attached"))
    own = (around.disk_of(host),) if has_own else ()
    return tuple(dict.fromkeys((*own, *((around.volumes,) if has_volumes else ()))))


def _blocked(fields: Fields, flavor: Fields) -> str:
    """Say why Nova can never evacuate it (nova/compute/api.py, `evacuate`)."""
    extras = inner(flavor, "extra_specs")
    image = fields.get("image")  # "" for one that boots from a volume
    has_chip = isinstance(image, dict) and "hw_tpm_version" in inner(image, "properties")
    if "hw:tpm_version" in extras or has_chip:  # the image's properties are shown from 2.98
        return "vtpm"
    return "accelerator" if "accel:device_profile" in extras else ""


def _metadata(fields: Fields) -> dict[str, str]:
    found = inner(fields, "metadata")
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _order(word: str) -> int:
    return int(word) if word.removeprefix("-").isdecimal() else 0


# Migration records.


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One migration record and whose it is."""

    server: ServerId
    record: MoveRecord
    uuid: str  # its own: Placement knows the room it holds under this name (from 2.59)
    created_at: datetime | None


def move_row(fields: Fields, names: Names) -> MoveRow:
    """Read one row of `GET /os-migrations`."""
    source = text_or_none(fields, "source_compute")
    if source is None:
        raise Garbled("a migration without its source", "does our role see hosts there?")
    target = text_or_none(fields, "dest_compute")
    record = MoveRecord(
        id=whole(fields, "id"),
        kind=text(fields, "migration_type"),
        source=names.host(source),
        target=None if target is None else names.host(target),
        status=text(fields, "status"),
    )
    server = ServerId(text(fields, "instance_uuid"))
    uuid = text_or_none(fields, "uuid") or ""
    return MoveRow(server, record, uuid, instant(fields, "created_at"))


def user_action(actions: Iterable[Fields], ours: str) -> str:
    """Return the last thing that anybody but us did to a server; "" where nobody did anything.

    Who moves, resizes or locks it takes no word of its user back: an evacuation by somebody else
    must not hide that it was deleted, in a database that forgot the deletion and not that it was
    asked for, nor a resize that failed that it had been stopped.
    What has no user Nova did by itself: at the next look after a host died and came back it finds
    the guest off and stops the server (`_sync_instance_power_state`), and nobody wished for that.
    """
    by_users = [(text_or_none(entry, "user_id"), entry) for entry in actions]
    theirs = [
        entry
        for user, entry in by_users
        if user not in (None, ours) and text(entry, "action") not in WORDLESS_ACTIONS
    ]
    last = max(theirs, key=lambda entry: text_or_none(entry, "start_time") or "", default=None)
    return text(last, "action") if last is not None else ""


def own_reboot(actions: Iterable[Fields], ours: str, host: HostId | None) -> MoveRecord | None:
    """Return the last reboot that we asked for, on record; None where there is none."""
    asked = [
        entry
        for entry in actions
        if text_or_none(entry, "user_id") == ours and text(entry, "action") == REBOOT
    ]
    last = max(asked, key=lambda entry: text_or_none(entry, "start_time") or "", default=None)
    if last is None or host is None:
        return None
    # Nova numbers migrations alone: what is below zero is none of them.
    number = blake2b(text(last, "request_id").encode(), digest_size=REBOOT_NUMBER_BYTES)
    return MoveRecord(~int.from_bytes(number.digest(), "big"), REBOOT, host, None, "completed")


REBOOT_NUMBER_BYTES = 6  # a JSON number holds it exactly


# Services.


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One row of `GET /os-services`. `is_known` is False for one in a cell that is down."""

    id: str
    host: str
    binary: str
    zone: str
    is_known: bool
    is_up: bool
    is_disabled: bool
    reason: str
    is_forced_down: bool
    reported_at: datetime | None


def service_row(fields: Fields) -> ServiceRow:
    """Read one row of `GET /os-services`."""
    status = text(fields, "status")
    is_known = status != "UNKNOWN"  # all that Nova says of a cell that is down (from 2.69)
    return ServiceRow(
        id=text(fields, "id") if is_known else "",
        host=text(fields, "host"),
        binary=text(fields, "binary"),
        zone=text_or_none(fields, "zone") or "",
        is_known=is_known,
        is_up=text_or_none(fields, "state") == "up",
        is_disabled=status == "disabled",
        reason=text_or_none(fields, "disabled_reason") or "",
        is_forced_down=flag(fields, "forced_down"),
        reported_at=instant(fields, "updated_at"),
    )
