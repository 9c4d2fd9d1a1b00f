"""The control endpoint: what no cloud offers. It drives the machines, sets faults, tells the truth.

GET  /control                   everything, as it really is
GET  /control/twice             servers that run twice now, and that ever did
POST /control/reset             begin anew: {"hosts": 3, "servers": 6, …}
POST /control/hosts/HOST/VERB   the verbs stand in `drive`
PUT  /control/bmcs/HOST         {"is_silent": true, …}; what is not named is as it should be
PUT  /control/faults            Nova's: {"api": "error_500", …}; what is not named is well
PUT  /control/apis/NAME         the same of identity, placement or image, and "delay_s"
PUT  /control/pace              {"pace": 0.1}: all of Nova ten times as fast as measured
POST /control/servers           one more server, in any state
POST /control/tokens/revoke     forget every token
"""

from collections import Counter
from typing import TYPE_CHECKING

from ninelives.core.model import Plane
from ninelives.sim import nova

from .calls import Call, Document, Row, Said, Saying, text
from .catalogue import Plan, server_named
from .control_parse import Unreadable, record_from
from .machines import Bmc, Machine, running_twice
from .stand_in import Outage

if TYPE_CHECKING:
    from .stand_in import StandIn


def show(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    stand_in.advance()
    body: Document = {
        "now": stand_in.now,
        "hosts": [machine_view(stand_in, each) for each in stand_in.machines.values()],
        "twice": twice_view(stand_in),
        "names": {server.id: server.spec.name for server in stand_in.nova.servers.values()},
        "evacuations": evacuations(stand_in),
    }
    return Said(200, body)


def evacuations(stand_in: "StandIn") -> dict[str, int]:
    """Count by server what Nova ever accepted."""
    kinds = nova.MigrationKind
    records = stand_in.nova.migrations.values()
    return dict(Counter(each.server for each in records if each.kind is kinds.EVACUATION))


def machine_view(stand_in: "StandIn", machine: Machine) -> Document:
    return {
        "name": machine.name,
        "power": "on" if machine.is_on else "off",
        "is_up": machine.is_up,
        "is_frozen": machine.is_frozen,
        "cuts": sorted(machine.cuts),
        "boots": machine.boots,
        "compute": "alive" if machine.is_compute_alive else "dead",
        "guests": sorted(machine.running()),
        "bmc": stand_in.bmc_urls.get(machine.name, ""),
        "addresses": stand_in.addresses.get(machine.name, {}),
    }


def show_twice(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    stand_in.advance()
    return Said(200, twice_view(stand_in))


def twice_view(stand_in: "StandIn") -> Document:
    return {"now": running_twice(stand_in.machines), "ever": stand_in.ran_twice}


def reset(stand_in: "StandIn", call: Call) -> Saying:
    plan = record_from(Plan(), call.body)
    if isinstance(plan, Unreadable):
        return refused(plan.message)
    if not 1 <= plan.hosts <= len(stand_in.bmc_urls) and stand_in.bmc_urls:
        return refused(
            f"it was started with {len(stand_in.bmc_urls)} BMCs: no more hosts than that"
        )
    stand_in.reset(plan)
    return show(stand_in, call)


def drive(stand_in: "StandIn", call: Call) -> Saying:
    host, verb = call.parts["host"], call.parts["verb"]
    if host not in stand_in.machines:
        return refused(f"no host {host}")
    match verb, call.member("plane") or Plane.MANAGEMENT.value:
        case "off", _:
            stand_in.power_off(host)
        case "on", _:
            stand_in.power_on(host)
        case "freeze" | "thaw", _:
            stand_in.freeze(host, frozen=verb == "freeze")
        case "cut" | "mend", str(plane) if plane in set(Plane):
            stand_in.cut(host, Plane(plane), mended=verb == "mend")
        case "kill-compute", _:
            stand_in.kill_compute(host)
        case "start-compute", _:
            stand_in.start_compute(host)
        case "unmount" | "mount", _:
            stand_in.machines[host].sees_disks = verb == "mount"
        case "hold-compute" | "free-compute", _:
            stand_in.machines[host].starts_compute = verb == "free-compute"
        case "room", _:
            return set_room(stand_in, call, host)
        case _:
            return refused(f"no verb {verb}")
    return Said(200, machine_view(stand_in, stand_in.machines[host]))


def set_room(stand_in: "StandIn", call: Call, host: str) -> Saying:
    match call.member("vcpus"), call.member("ram_mb"):
        case int(vcpus), int(ram_mb):
            stand_in.advance()
            stand_in.nova.set_room(host, vcpus, ram_mb, stand_in.now)
            return Said(200, machine_view(stand_in, stand_in.machines[host]))
        case _:
            return refused("room takes vcpus and ram_mb")


def set_bmc(stand_in: "StandIn", call: Call) -> Saying:
    host = call.parts["host"]
    if host not in stand_in.bmcs:
        return refused(f"no host {host}")
    bmc = record_from(Bmc(host), call.body)
    if isinstance(bmc, Unreadable):
        return refused(bmc.message)
    stand_in.bmcs[host] = bmc
    return Said(204)


def set_faults(stand_in: "StandIn", call: Call) -> Saying:
    faults = record_from(nova.Faults(), call.body)
    if isinstance(faults, Unreadable):
        return refused(faults.message)
    stand_in.set_faults(faults)
    return Said(204)


def set_pace(stand_in: "StandIn", call: Call) -> Saying:
    match call.member("pace"):
        case int() | float() as pace if pace > 0:
            stand_in.set_pace(float(pace))
            return Said(204)
        case _:
            return refused("pace takes a share of the measured times")


def set_outage(stand_in: "StandIn", call: Call) -> Saying:
    outage = record_from(Outage(), call.body)
    if isinstance(outage, Unreadable):
        return refused(outage.message)
    stand_in.outages[call.parts["name"]] = outage
    return Said(204)


def add_server(stand_in: "StandIn", call: Call) -> Saying:
    """Put a server there in any state: no way through Nova leads to some of them."""
    name, host = text(call.member("name")), text(call.member("host"))
    if name is None or not isinstance(call.body, dict):
        return refused("a server has a name")
    changes = {key: each for key, each in call.body.items() if key != "name"}
    server = record_from(server_named(name, host), changes)
    if isinstance(server, Unreadable):
        return refused(server.message)
    stand_in.advance()
    stand_in.boot(server)
    return Said(201, {"id": server.id})


def revoke_tokens(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    stand_in.tokens.revoke_all()
    return Said(204)


def refused(message: str) -> Said:
    return Said(400, {"error": {"message": message}})


ROWS = (
    Row("GET", "", show),
    Row("GET", "/twice", show_twice),
    Row("POST", "/reset", reset),
    Row("POST", "/hosts/{host}/{verb}", drive),
    Row("PUT", "/bmcs/{host}", set_bmc),
    Row("PUT", "/faults", set_faults),
    Row("PUT", "/apis/{name}", set_outage),
    Row("PUT", "/pace", set_pace),
    Row("POST", "/servers", add_server),
    Row("POST", "/tokens/revoke", revoke_tokens),
)
