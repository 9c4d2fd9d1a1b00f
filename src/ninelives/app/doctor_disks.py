"""What the doctor finds about disks: who would come back without its data, or not at all.

    where a server's disks are         told by Nova: an image or none, volumes, ephemeral and swap
    whether others see the same ones   told by the inventory: `instances`, `shared` of a backend
    whether that can be so             told by Placement: all who share one disk report its size

The inventory's word decides on the day. So where what others report speaks against it, that is an
error: a server would be built anew from its image beside its own disk.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from ninelives.core.model import LOCAL, BackendId, HostId, ServerSeen
from ninelives.core.protection import Keep, Promise, promise_for

from .config.configuration import Configuration
from .findings import Finding, Grade

NAMED_MAX = 5  # servers, in one sentence
SIZES_DIFFER = 0.02  # of the larger one: each host rounds what its file system says to gigabytes


class Loss(StrEnum):
    """What becomes of the disks of a server whose host is dead."""

    NONE = "none"  # volumes, or a disk that others see
    STAYS_DOWN = "stays_down"  # a pet: it waits for its host rather than to lose them
    BUILT_ANEW = "built_anew"  # cattle: from its image, what it wrote is gone
    EXTRA_DISKS = "extra_disks"  # its root is a volume, and its ephemeral disk or swap is not


def of_disks(configuration: Configuration, servers: Iterable[ServerSeen]) -> Iterator[Finding]:
    """Find whom a dead host would cost data, host by host."""
    lost = dict[tuple[HostId, Loss], list[ServerSeen]]()
    for server in servers:
        loss = loss_of(configuration, server)
        if server.host is not None and loss is not Loss.NONE:
            lost.setdefault((server.host, loss), []).append(server)
    for (host, loss), those in sorted(lost.items()):
        yield _told(configuration, host, loss, those)


def loss_of(configuration: Configuration, server: ServerSeen) -> Loss:
    """Say what one server would lose with its host."""
    own = _own_disks_on(configuration, server.host)
    if own not in server.disks or own in configuration.shared:
        return Loss.NONE
    if not server.is_image_backed:
        return Loss.EXTRA_DISKS
    keeps = _promise(configuration, server).data is Keep.PRESERVE
    return Loss.STAYS_DOWN if keeps else Loss.BUILT_ANEW


def _own_disks_on(configuration: Configuration, host: HostId | None) -> BackendId:
    known = configuration.names.get(host) if host is not None else None
    return known.instances if known is not None else LOCAL


def _promise(configuration: Configuration, server: ServerSeen) -> Promise:
    policy = configuration.setting.policy
    return promise_for(server, policy.rules, policy.default)


def _told(
    configuration: Configuration, host: HostId, loss: Loss, those: list[ServerSeen]
) -> Finding:
    own = _own_disks_on(configuration, host)
    where = "on its own disk" if own == LOCAL else f"on {own}, which nobody declared shared"
    names = ", ".join(each.name or each.id for each in those[:NAMED_MAX])
    more = " …" if len(those) > NAMED_MAX else ""
    who = f"{len(those)} servers {where} ({names}{more})"
    shared = f"[storage.{own}] shared = true, if it is" if own != LOCAL else "shared storage"
    match loss:
        case Loss.STAYS_DOWN:
            remedy = f'{shared}, volumes, or data = "disposable" in their rule'
            return Finding(Grade.WARNING, host, f"were it dead, {who} would stay down", remedy)
        case Loss.BUILT_ANEW:
            what = f"were it dead, {who} would be built anew from their images"
            return Finding(Grade.NOTE, host, what, "their rule says disposable: is that so?")
        case _:
            what = f"were it dead, {who} would lose their ephemeral disks and swap"
            return Finding(Grade.NOTE, host, what, f"{shared}; their root disks are volumes")


# --------------------------------------------------------------------------------- really shared


def of_shared(
    configuration: Configuration,
    sizes_gb: Mapping[HostId, int],
    servers: Iterable[ServerSeen],
) -> Iterator[Finding]:
    """Hold the declared backends against the size of the disk that each host reports."""
    users = dict[BackendId, list[HostId]]()
    for host, each in sorted(configuration.names.items()):
        if each.instances in configuration.shared:
            users.setdefault(each.instances, []).append(host)
    there = Counter(server.host for server in servers if server.is_image_backed)
    for backend, hosts in users.items():
        told = {host: sizes_gb[host] for host in hosts if host in sizes_gb}
        unknown = len(hosts) - len(told)
        odd = _who_differs(told)
        if odd:
            yield _not_shared(backend, odd, told, sum(there[host] for host in hosts))
        elif unknown:
            what = f"shared, you say; {unknown} of {len(hosts)} hosts report no disk of their own"
            remedy = "nobody can check it from here: see the mount or the pool on each"
            yield Finding(Grade.NOTE, f"storage {backend}", what, remedy)


def _who_differs(told: Mapping[HostId, int]) -> list[HostId]:
    """Name whose size is not that of most."""
    if not told:
        return []
    usual = Counter(told.values()).most_common(1)[0][0]
    return [
        host
        for host, size in told.items()
        if abs(size - usual) > SIZES_DIFFER * max(size, usual, 1)
    ]


def _not_shared(
    backend: BackendId, odd: list[HostId], told: Mapping[HostId, int], at_stake: int
) -> Finding:
    usual = next(size for host, size in told.items() if host not in odd)
    others = ", ".join(f"{host} {told[host]} GB" for host in odd[:NAMED_MAX])
    what = (
        f"declared shared, but not all report the same disk: most {usual} GB, {others}. "
        f"{at_stake} servers without a volume would be rebuilt beside their own disks"
    )
    return Finding(
        Grade.ERROR,
        f"storage {backend}",
        what,
        "mount it on every host, or take `shared` and `instances` off: those servers then wait",
    )
