"""Faults of the OpenStack control plane, and what users and other rescuers do to it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ninelives.core import events as on
from ninelives.core.model import HostId, PacemakerFence, ServerId
from ninelives.sim import compute, health, nova, service_records, truth
from ninelives.sim.happenings import UserActed

from .grammar import Form, Slots

if TYPE_CHECKING:
    from ninelives.sim.world import World

USER = nova.Caller("user")
OPERATOR = nova.Caller("operator", is_admin=True)
RESCUER = nova.Caller("masakari", is_admin=True)
API_FAULTS = {
    "down": nova.ApiFault.UNREACHABLE,
    "errors": nova.ApiFault.ERROR_500,
    "lost": nova.ApiFault.REPLY_LOST,
    "timeout": nova.ApiFault.TIMEOUT_504,
    "backlog": nova.ApiFault.BACKLOG,
}
FAILED_SPAWN = "internal error: qemu unexpectedly closed the monitor"


def set_faults(world: "World", faults: nova.Faults) -> None:
    world.nova.set_faults(faults, world.now)
    compute.pump(world)
    health.cloud_changed(world)


def api(world: "World", slots: Slots) -> None:
    fault = next((fault for word, fault in API_FAULTS.items() if word in slots), None)
    set_faults(world, replace(world.nova.faults, api=fault, is_api_read="posts" in slots))


def scheduler(world: "World", slots: Slots) -> None:
    set_faults(world, replace(world.nova.faults, is_scheduler_down="down" in slots))


def bus(world: "World", slots: Slots) -> None:
    set_faults(world, replace(world.nova.faults, is_bus_down="down" in slots))
    for host in world.hosts:
        service_records.process_changed(world, host)


def database(world: "World", slots: Slots) -> None:
    set_faults(world, replace(world.nova.faults, is_database_down="down" in slots))
    for host in world.hosts:
        service_records.process_changed(world, host)


def failover(world: "World", slots: Slots) -> None:
    """Lose the last commits, and be away for some seconds."""
    del slots
    world.nova.lose_last_commit(world.now, 1)
    set_faults(world, replace(world.nova.faults, is_database_down=True))
    world.after(5.0, "command", ("nova", "database", "up"))


def services(world: "World", slots: Slots) -> None:
    set_faults(world, replace(world.nova.faults, is_service_list_stale="stale" in slots))
    for host in world.hosts:
        service_records.process_changed(world, host)


def placement(world: "World", slots: Slots) -> None:
    set_faults(world, replace(world.nova.faults, is_placement_refusing="refuses" in slots))


def image(world: "World", slots: Slots) -> None:
    set_faults(world, replace(world.nova.faults, is_image_service_down="down" in slots))


def cell(world: "World", slots: Slots) -> None:
    world.is_cell_down = "down" in slots


def keystone(world: "World", slots: Slots) -> None:
    if "down" in slots:
        world.broken.add("keystone")
    else:
        world.broken.discard("keystone")
    health.cloud_changed(world)


def spawn(world: "World", slots: Slots) -> None:
    """Let every spawn on one host fail, or succeed again."""
    host = slots["HOST"]
    others = tuple(each for each in world.nova.faults.spawn_errors if each[0] != host)
    errors = (*others, (host, FAILED_SPAWN)) if "fails" in slots else others
    world.nova.set_faults(replace(world.nova.faults, spawn_errors=errors), world.now)


def target_dies(world: "World", slots: Slots) -> None:
    """Cut the power of a host to which a server is being evacuated, now or at the next one."""
    del slots
    for record in world.nova.migrations.values():
        is_open = record.status in (
            nova.MigrationStatus.ACCEPTED,
            nova.MigrationStatus.PRE_MIGRATING,
        )
        if is_open and record.dest is not None:
            host = world.hosts[HostId(record.dest)]
            truth.cut_power(world, host, host.id, "")
            return
    world.broken.add("next-target")


def target_lives(world: "World", slots: Slots) -> None:
    del slots
    world.broken.discard("next-target")


# Users.

VERBS = {
    "stop": nova.Verb.STOP,
    "start": nova.Verb.START,
    "shelve": nova.Verb.SHELVE,
    "rebuild": nova.Verb.HARD_REBOOT,
    "reboot": nova.Verb.REBOOT,
    "pause": nova.Verb.PAUSE,
    "unpause": nova.Verb.UNPAUSE,
    "suspend": nova.Verb.SUSPEND,
    "resume": nova.Verb.RESUME,
    "rescue": nova.Verb.RESCUE,
    "unrescue": nova.Verb.UNRESCUE,
}


def user(world: "World", slots: Slots) -> None:
    """Let a user act at Nova's API, which may refuse, or act and lose its answer."""
    verb = next(word for word in slots if word in USER_WORDS)
    server = ServerId(slots["SERVER"])
    acted_before = world.nova.acted_at(server, who_asks(verb))  # perhaps at this very instant
    reply = world.nova.request(user_request(verb, server), world.now)
    compute.pump(world)
    if isinstance(reply, nova.Answer) or world.nova.acted_at(server, who_asks(verb)) > acted_before:
        world.happen(UserActed(server, verb))
        world.note(server, "user.acted", verb)
        return
    world.note(server, "user.refused", verb)
    if isinstance(reply, nova.NoAnswer):
        due = world.now + world.nova.backlog_s
        world.at_time(due + LATE_S, "user_late", server, verb, due)


LATE_S = 0.05


def user_late(world: "World", server: ServerId, verb: str, due: float) -> None:
    """See whether a request that nobody waits for any more was taken out of the API's backlog."""
    if abs(world.nova.acted_at(server, who_asks(verb)) - due) < LATE_S:
        world.happen(UserActed(server, verb))
        world.note(server, "user.acted", verb)


def who_asks(verb: str) -> str:
    return (OPERATOR if verb == "live-migrate" else USER).user


def user_request(verb: str, server: ServerId) -> nova.Request:
    match verb:
        case "delete":
            return nova.DeleteServer(server, USER)
        case "lock":
            return nova.Lock(server, locked=True, by=USER)
        case "live-migrate":
            return nova.LiveMigrate(server, by=OPERATOR)
        case "resize":
            return nova.Resize(server, by=USER)
        case _:
            return nova.ActOn(server, VERBS[verb], USER)


USER_WORDS = (*VERBS, "delete", "lock", "live-migrate", "resize")
USER_ROWS = {"live-migrate": (52,), "lock": ()}


# Others who rescue, fence, or say so.


def rescuer(world: "World", slots: Slots) -> None:
    """Let a foreign rescuer force the service down and evacuate everything, in its own name."""
    host = slots["HOST"]
    world.nova.request(nova.UpdateService(host, forced_down=True), world.now)
    if "forces" not in slots:
        for server in tuple(world.nova.servers.values()):
            if server.host == host and not server.is_deleted:
                world.nova.request(nova.Evacuate(server.id, by=RESCUER), world.now)
    compute.pump(world)
    service_records.service_changed(world)


def rescuer_gone(world: "World", slots: Slots) -> None:
    """Let whoever forced the service down take it back, unless we did it as well."""
    host = HostId(slots["HOST"])
    if host not in world.forced_by_us:
        world.nova.request(nova.UpdateService(host, forced_down=False), world.now)
        service_records.service_changed(world)


def pacemaker_fenced(world: "World", slots: Slots) -> None:
    """Let Pacemaker fence a host in truth, and its history say so."""
    host = world.hosts[HostId(slots["HOST"])]
    truth.cut_power(world, host, host.id, "")  # nobody of ours ordered it
    action = "off" if "off" in slots else "reboot"
    is_off_on = "off-on" in slots
    if action == "reboot":
        world.at(world.now + 5.0, ("technician", host.id, "on"))
    claim(world, host.id, action=action, is_off_on=is_off_on)


def pacemaker_claims(world: "World", slots: Slots) -> None:
    """Let the history hold an entry that proves nothing: confirmed by hand, failed, or old."""
    claim(
        world,
        HostId(slots["HOST"]),
        succeeded="failed" not in slots,
        by_confirmation="confirmed" in slots,
        after_life="old" not in slots,
    )


def claim(
    world: "World",
    host: HostId,
    *,
    action: str = "off",
    succeeded: bool = True,
    is_off_on: bool = False,
    by_confirmation: bool = False,
    after_life: bool = True,
) -> None:
    world.numbers += 1
    key = f"{host}/{world.numbers}"
    device = "" if by_confirmation else "fence_ipmilan"
    fence = PacemakerFence(key, succeeded, action, device, is_off_on, by_confirmation, after_life)
    for leader in world.leading():
        world.deliver(leader, on.PacemakerFenced(host, fence))


def pacemaker_sees(world: "World", slots: Slots) -> None:
    host = HostId(slots["HOST"])
    world.tell_news("pacemaker", host, on.PacemakerLost(host, "lost" in slots))


def operator_service(world: "World", slots: Slots) -> None:
    """Let an operator disable, enable or force down a service at Nova, past us."""
    host = HostId(slots["HOST"])
    if "force-down" in slots:
        request = nova.UpdateService(host, forced_down=True)
    else:
        off = "disable" in slots
        request = nova.UpdateService(host, disabled=off, reason="work" if off else None)
    world.nova.request(request, world.now)
    compute.pump(world)
    service_records.service_changed(world)


FORMS: tuple[Form, ...] = (
    *(
        Form(f"nova api {word}", api, (45,), "nova api up")
        for word in ("down", "errors", "lost", "timeout", "backlog")
    ),
    Form("nova api up", api),
    *(
        Form(f"nova posts {word}", api, (45,), "nova api up")
        for word in ("errors", "lost", "timeout", "backlog")
    ),
    Form("nova keystone down", keystone, (45,), "nova keystone up"),
    Form("nova keystone up", keystone),
    Form("nova services stale", services, (46,), "nova services ok"),
    Form("nova services ok", services),
    Form("nova scheduler down", scheduler, (47,), "nova scheduler up"),
    Form("nova scheduler up", scheduler),
    Form("nova bus down", bus, (48,), "nova bus up"),
    Form("nova bus up", bus),
    Form("nova database down", database, (49,), "nova database up"),
    Form("nova database failover", failover, (49,), "nova database up"),
    Form("nova database up", database),
    Form("spawn HOST fails", spawn, (50,), "spawn HOST ok"),
    Form("spawn HOST ok", spawn),
    Form("nova placement refuses", placement, (51,), "nova placement ok"),
    Form("nova placement ok", placement),
    Form("nova image down", image, (55,), "nova image up"),
    Form("nova image up", image),
    Form("nova cell down", cell, heal="nova cell up"),
    Form("nova cell up", cell),
    Form("target dies", target_dies, (54,), "target lives"),
    Form("target lives", target_lives),
    *(Form(f"user {verb} SERVER", user, USER_ROWS.get(verb, (53,))) for verb in USER_WORDS),
    Form("rescuer HOST", rescuer, heal="rescuer HOST gone"),
    Form("rescuer HOST forces", rescuer, heal="rescuer HOST gone"),
    Form("rescuer HOST gone", rescuer_gone),
    Form("pacemaker HOST fenced off|reboot|off-on", pacemaker_fenced),
    Form("pacemaker HOST claims confirmed|failed|old|off", pacemaker_claims),
    Form("pacemaker HOST lost", pacemaker_sees, heal="pacemaker HOST seen"),
    Form("pacemaker HOST seen", pacemaker_sees),
    Form("operator disable HOST", operator_service, heal="operator enable HOST"),
    Form("operator force-down HOST", operator_service, heal="rescuer HOST gone"),
    Form("operator enable HOST", operator_service),
)
