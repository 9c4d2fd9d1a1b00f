"""Faults of networks, power devices and storage."""

from typing import TYPE_CHECKING

from ninelives.core.model import BackendId, HostId, Plane, Power
from ninelives.sim import bmc, health, storage
from ninelives.sim.network import DOWN, ONE_WAY, PLAIN, Link, changed_link, set_link
from ninelives.sim.setup import Setup

from .grammar import Form, Slots

if TYPE_CHECKING:
    from ninelives.sim.world import World

PLANE_ROWS = {"management": 19, "storage": 20, "tenant": 21, "all": 22}


def planes_in(slots: Slots) -> tuple[Plane, ...]:
    return tuple(Plane) if slots["PLANE"] == "all" else (Plane(slots["PLANE"]),)


def plane_row(slots: Slots, setup: Setup) -> tuple[int, ...]:
    is_host = slots["NODE"] in setup.site.hosts
    return (PLANE_ROWS[slots["PLANE"]],) if is_host else (61,)


def net(world: "World", slots: Slots) -> None:
    """Change the cables of one node."""
    node = slots["NODE"]
    for plane in planes_in(slots):
        set_link(world, node, plane, wanted(world, node, plane, slots))


def wanted(world: "World", node: str, plane: Plane, slots: Slots) -> Link:
    if "down" in slots:
        return DOWN
    if "oneway" in slots:
        return ONE_WAY
    if "loss" in slots:
        return changed_link(world, node, plane, loss=float(slots["SHARE"]))
    if "mtu" in slots:
        return changed_link(world, node, plane, passes_large=False)
    return PLAIN


def packets(world: "World", slots: Slots) -> None:
    network = world.net
    network.doubled = "duplicate" in slots
    seconds = float(slots.get("SECONDS", "0"))
    network.delay_s, network.echo_s = (0.0, seconds) if "echo" in slots else (seconds, 0.0)
    network.reorders = "reorder" in slots


def packets_again(world: "World", slots: Slots) -> None:
    """Let the last answers about one host or server come a second time, right now."""
    health.again(world, slots.get("HOST") or slots["SERVER"])


def partition(world: "World", slots: Slots) -> None:
    sides = slots["GROUPS"].split("|")
    world.net.groups = {name: side for side, names in enumerate(sides) for name in names.split(",")}
    touch_all(world)


def partition_row(slots: Slots, setup: Setup) -> tuple[int, ...]:
    names = slots["GROUPS"].replace("|", ",").split(",")
    return (61,) if set(names) & set(setup.site.controllers) else (26,)


def partition_over(world: "World", slots: Slots) -> None:
    del slots
    world.net.groups = {}
    touch_all(world)


def cut(world: "World", slots: Slots) -> None:
    pair = frozenset((slots["NODE"], slots["NODE2"]))
    if "over" in slots:
        world.net.cut_pairs.discard(pair)
    else:
        world.net.cut_pairs.add(pair)
    for node in sorted(pair):
        world.touched(node)


def switch(world: "World", slots: Slots) -> None:
    rack = slots["RACK"]
    for plane in planes_in(slots):
        if "up" in slots:
            world.net.dark_switches.discard((rack, plane))
        else:
            world.net.dark_switches.add((rack, plane))
    for node, where in world.net.racks.items():
        if where == rack:
            world.touched(node)


def burst(world: "World", slots: Slots) -> None:
    world.net.burst = "over" not in slots
    touch_all(world)


def topology(world: "World", slots: Slots) -> None:
    """Let a host truly stand in another rack than the inventory says."""
    host = HostId(slots["HOST"])
    rack = world.setup.site.hosts[host].rack
    if "wrong" in slots:
        others = sorted({other.rack for other in world.setup.site.hosts.values()} - {rack, ""})
        world.net.racks[host] = others[0] if others else "elsewhere"
    else:
        world.net.racks[host] = rack
    world.touched(host)


def touch_all(world: "World") -> None:
    for node in (*world.hosts, *world.controllers):
        world.touched(node)


# Power devices.


def device(world: "World", slots: Slots) -> None:
    """Change how every device of one host behaves."""
    host = HostId(slots["HOST"])
    for each in bmc.devices_of(world, host):
        now = bmc.reading(world, each)
        bmc.set_device(world, each, **behaviour(each, slots, now))


def one_device(world: "World", slots: Slots) -> None:
    """Change how one device behaves, where a host has several."""
    for each in tuple(world.devices.values()):
        if each.road == slots["ROAD"]:
            bmc.set_device(world, each, **behaviour(each, slots, bmc.reading(world, each)))


def behaviour(device: bmc.Device, slots: Slots, now: Power) -> dict[str, object]:
    if "silent" in slots:
        return {"is_silent": True}
    if "lies" in slots:
        return {"says": Power.OFF}
    if "stale" in slots:
        return {"says": now}
    if "slow" in slots:
        return {"slow_s": float(slots["SECONDS"])}
    if "refuses" in slots:
        return {"refuses": True}
    if "stuck" in slots:
        return {"is_stuck": True}
    if "late" in slots:
        return {"late_s": float(slots["SECONDS"])}
    if "wrong" in slots:
        return {"leads_to": HostId(slots["OTHER"])}
    if "password" in slots:
        return {"is_locked": True}
    return {
        "is_silent": False,
        "says": None,
        "slow_s": 0.0,
        "refuses": False,
        "is_stuck": False,
        "late_s": 0.0,
        "leads_to": device.host,
        "is_locked": False,
    }


# Storage.


def backend(world: "World", slots: Slots) -> None:
    state = next(word for word in ("slow", "down", "ok") if word in slots)
    storage.set_health(world, world.backends[BackendId(slots["BACKEND"])], state)


def revocations(world: "World", slots: Slots) -> None:
    """Change what becomes of revocations at one backend."""
    known = world.backends[BackendId(slots["BACKEND"])]
    known.expires_s = float(slots["SECONDS"]) if "expires" in slots else None
    known.refuses = "refuses" in slots
    if "unpropagated" in slots:
        known.is_unpropagated = True
    else:
        storage.propagate(world, known)


def watcher(world: "World", slots: Slots) -> None:
    for known in world.backends.values():
        if "stale" in slots:
            known.stale_watchers.add(HostId(slots["HOST"]))
        else:
            known.stale_watchers.discard(HostId(slots["HOST"]))


UP = "net NODE PLANE up"
FORMS: tuple[Form, ...] = (
    Form("net NODE PLANE down", net, plane_row, UP),
    Form("net NODE PLANE oneway", net, (23,), UP),
    Form("net NODE PLANE loss SHARE", net, (24,), UP),
    Form("net NODE PLANE mtu", net, (30,), UP),
    Form("net NODE PLANE up", net),
    Form("packets duplicate", packets, (25,), "packets ok"),
    Form("packets delay SECONDS", packets, (25,), "packets ok"),
    Form("packets reorder", packets, (25,), "packets ok"),
    Form("packets echo SECONDS", packets, heal="packets ok"),
    Form("packets again HOST", packets_again),
    Form("packets again SERVER", packets_again),
    Form("packets ok", packets),
    Form("partition over", partition_over),
    Form("partition GROUPS", partition, partition_row, "partition over"),
    Form("cut NODE NODE2", cut, (26,), "cut NODE NODE2 over"),
    Form("cut NODE NODE2 over", cut),
    Form("switch RACK PLANE down", switch, (27,), "switch RACK PLANE up"),
    Form("switch RACK PLANE reboot SECONDS", switch, (28,), "switch RACK PLANE up", lasts=True),
    Form("switch RACK PLANE up", switch),
    Form("burst SECONDS", burst, (29,), "burst over", lasts=True),
    Form("burst over", burst),
    Form("topology HOST wrong", topology, (70,), "topology HOST ok"),
    Form("topology HOST ok", topology),
    Form("bmc HOST silent", device, (32,), "bmc HOST ok"),
    Form("bmc HOST slow SECONDS", device, (32,), "bmc HOST ok"),
    Form("bmc HOST lies", device, (33,), "bmc HOST ok"),
    Form("bmc HOST stale", device, (33,), "bmc HOST ok"),
    Form("bmc HOST late SECONDS", device, (34,), "bmc HOST ok"),
    Form("bmc HOST stuck", device, (34,), "bmc HOST ok"),
    Form("bmc HOST refuses", device, (35,), "bmc HOST ok"),
    Form("bmc HOST wrong OTHER", device, (36,), "bmc HOST ok"),
    Form("bmc HOST password", device, (37,), "bmc HOST ok"),
    Form("bmc HOST ok", device),
    Form("road ROAD silent", one_device, (32,), "road ROAD ok"),
    Form("road ROAD stuck", one_device, (34,), "road ROAD ok"),
    Form("road ROAD refuses", one_device, (35,), "road ROAD ok"),
    Form("road ROAD password", one_device, (37,), "road ROAD ok"),
    Form("road ROAD ok", one_device),
    Form("storage BACKEND slow", backend, (39,), "storage BACKEND ok"),
    Form("storage BACKEND down", backend, (40,), "storage BACKEND ok"),
    Form("storage BACKEND ok", backend),
    Form("revoke BACKEND unpropagated", revocations, (41,), "revoke BACKEND ok"),
    Form("revoke BACKEND expires SECONDS", revocations, (42,), "revoke BACKEND ok"),
    Form("revoke BACKEND refuses", revocations, (44,), "revoke BACKEND ok"),
    Form("revoke BACKEND ok", revocations),
    Form("watcher HOST stale", watcher, (43,), "watcher HOST ok"),
    Form("watcher HOST ok", watcher),
)
