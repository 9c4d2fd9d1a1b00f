"""Storage backends: who has a session there, who is shut out, and what the backend says of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import LOCAL, BackendId, HostId, WitnessId

from .happenings import WritesCut
from .network import storage_reached
from .truth import Condition

if TYPE_CHECKING:
    from .world import World

OK, SLOW, DOWN = "ok", "slow", "down"


@dataclass(slots=True)
class Backend:
    """One storage system."""

    id: BackendId
    health: str = OK
    cut: set[HostId] = field(default_factory=set[HostId])  # shut out in truth
    listed: set[HostId] = field(default_factory=set[HostId])  # shut out as its list says
    stale_watchers: set[HostId] = field(default_factory=set[HostId])
    is_unpropagated: bool = False  # takes a revocation, and some of its parts never learn of it
    refuses: bool = False  # takes no revocation at all
    expires_s: float | None = None  # forgets a revocation after this
    renewed: dict[HostId, float] = field(default_factory=dict[HostId, float])


def usable(world: "World", host: HostId, backend: BackendId) -> bool:
    """Say whether I/O of this host to this backend succeeds."""
    if backend == LOCAL:
        return True
    known = world.backends[backend]
    return known.health != DOWN and host not in known.cut and storage_reached(world, host)


def is_watched(world: "World", host_id: HostId, backend: Backend) -> bool:
    """Say whether the backend still holds a session of this host."""
    host = world.hosts[host_id]
    if host_id in backend.stale_watchers:
        return True
    if host_id in backend.cut:
        return False
    ended = host.io_ended_at
    if ended is None and not storage_reached(world, host_id):
        ended = world.storage_cut_at.get(host_id, world.now)
    return ended is None or world.now < ended + world.setup.knobs.watch_lapse_s


def is_working(world: "World", host_id: HostId) -> bool:
    """Say whether guest I/O of this host goes on."""
    site = world.setup.site.hosts[host_id]
    host = world.hosts[host_id]
    shared = [backend for backend in site.backends if backend != LOCAL]
    return host.condition is Condition.RUNNING and all(
        usable(world, host_id, backend) for backend in shared
    )


# What a controller asks.


def read_storage(world: "World", controller: WitnessId, life: int, host: HostId) -> None:
    for backend in world.setup.site.hosts[host].backends:
        if backend != LOCAL:
            wait = delay_of(world, backend)
            world.after(wait, "storage_read", controller, life, host, backend)


def storage_read(
    world: "World", controller: WitnessId, life: int, host: HostId, backend_id: BackendId
) -> None:
    backend = world.backends[backend_id]
    watched: bool | None = None
    revoked: bool | None = None
    if backend.health != DOWN:
        watched = is_watched(world, host, backend)
        revoked = host in backend.listed and host in backend.cut
    world.answer(controller, life, on.StorageSeen(host, backend_id, watched, revoked))


def delay_of(world: "World", backend: BackendId) -> float:
    slow = 4.0 if world.backends[backend].health == SLOW else 1.0
    return world.jitter(world.setup.knobs.storage_s) * slow


def revoke(
    world: "World", controller: WitnessId, life: int, action: do.Revoke | do.LiftRevocation
) -> None:
    world.after(delay_of(world, action.backend), "revoked", controller, life, action)


def revoked(
    world: "World", controller: WitnessId, life: int, action: do.Revoke | do.LiftRevocation
) -> None:
    backend = world.backends[action.backend]
    site = world.setup.site.hosts[action.host]
    if backend.health == DOWN:
        timeout = world.policy_of(action.host).request_timeout_s
        world.reply_after(timeout, controller, life, action, on.Outcome.UNKNOWN, "timeout")
        return
    if isinstance(action, do.LiftRevocation):
        backend.listed.discard(action.host)
        let_in(world, backend, action.host)
    elif backend.refuses or action.backend not in site.revocable:
        world.reply_now(controller, life, action, on.Outcome.REFUSED, "not_revocable")
        return
    else:
        shut_out(world, backend, action.host)
    world.reply_now(controller, life, action, on.Outcome.DONE)


def shut_out(world: "World", backend: Backend, host: HostId) -> None:
    backend.listed.add(host)
    if not backend.is_unpropagated and host not in backend.cut:
        backend.cut.add(host)
        world.happen(WritesCut(host, backend.id, is_cut=True))
        world.touched(host)
    backend.renewed[host] = world.now
    if backend.expires_s is not None:
        world.after(backend.expires_s, "revocation_expired", backend.id, host)


def let_in(world: "World", backend: Backend, host: HostId) -> None:
    if host in backend.cut:
        backend.cut.discard(host)
        world.happen(WritesCut(host, backend.id, is_cut=False))
        world.touched(host)


def revocation_expired(world: "World", backend_id: BackendId, host: HostId) -> None:
    backend = world.backends[backend_id]
    if backend.expires_s is None:
        return
    if world.now >= backend.renewed.get(host, 0.0) + backend.expires_s - ROUNDING_S:
        backend.listed.discard(host)
        let_in(world, backend, host)


ROUNDING_S = 1e-6


def propagate(world: "World", backend: Backend) -> None:
    """Let a revocation that was only listed come into force everywhere."""
    backend.is_unpropagated = False
    for host in sorted(backend.listed - backend.cut):
        shut_out(world, backend, host)


def set_health(world: "World", backend: Backend, health: str) -> None:
    """Change how a backend does; a probe notices a little later."""
    if backend.health == health:
        return
    backend.health = health
    world.after(world.jitter(world.setup.knobs.canary_s), "backend_probe", backend.id)
    for host in world.setup.site.hosts.values():
        if backend.id in host.backends:
            world.touched(host.id)


def backend_probe(world: "World", backend_id: BackendId) -> None:
    is_ok = world.backends[backend_id].health == OK
    world.tell_news("backend", backend_id, on.BackendSeen(backend_id, is_ok))
