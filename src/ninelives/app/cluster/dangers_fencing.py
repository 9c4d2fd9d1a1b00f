"""Dangers of power devices and of the levels in which they stand. Pure."""

from collections.abc import Iterator

from ninelives.adapters.pacemaker.cib.tree import Element
from ninelives.app.findings import Grade

from .dangers_found import Danger, Judged
from .devices import pairs, seconds
from .exported_fencing import OUR_AGENTS
from .resources import Level, cuts_power, devices, hosts_of, levels, members, remotes
from .yaml_lines import Where

OFF_GOOD_S = 60
OFF_SILENT = frozenset({"2", "Disabled", "disabled"})  # fence_compute: exit 0, and nothing is done


def of_levels(judged: Judged) -> Iterator[Danger]:
    """Every level must cut the power, before anybody is told that it is cut."""
    known, fenced = devices(judged.pieces), set[str]()
    for level in levels(judged.pieces):
        fenced.add(level.node)
        yield from _of_level(level, known, _path(judged, level.node))
    for device in known.values():
        if cuts_power(device):
            fenced.update(hosts_of(device))
    for name in remotes(judged.pieces):
        if name not in fenced:
            what = f"{name} has no power device"
            reason = "it can never be proved off, and its servers never be brought back"
            yield Danger(
                "unfenceable", what, reason, "stonith: [{mode: …}]", path=("remotes", name)
            )
    for name in members(judged.pieces):
        if name not in fenced:
            what = f"the controller {name} has no power device"
            reason = "a controller that dies is never fenced, and the cluster waits for ever"
            path = ("members", name)
            yield Danger("unfenceable", what, reason, "stonith: [{mode: …}]", Grade.WARNING, path)


def _of_level(level: Level, known: dict[str, Element], path: Where) -> Iterator[Danger]:
    found = [known.get(name) for name in level.devices]
    here = f"level {level.number} of {level.node}"
    for name, device in zip(level.devices, found, strict=True):
        if device is None:
            reason = "the level fails each time, and the next one begins later"
            yield Danger(
                "no_such_device", f"{here}: there is no {name}", reason, "add it", path=path
            )
    powers = [index for index, each in enumerate(found) if each is not None and cuts_power(each)]
    if not powers:
        yield Danger(
            "no_power_device",
            f"{here} cuts no power",
            "Pacemaker takes the host for off while its servers still run: each would run twice",
            "put a power device before fence_ninelives",
            path=path,
        )
        return
    for index, device in enumerate(found):
        tells = device is not None and device.get("type") in OUR_AGENTS and not _is_brake(device)
        if tells and index < powers[-1]:
            yield Danger(
                "told_before_off",
                f"{here} tells ninelives before the power is off",
                "the gate closes, and the device behind it may still fail",
                "put fence_ninelives last",
                path=path,
            )


def _is_brake(device: Element) -> bool:
    return pairs(device, "instance_attributes").get("mode") == "brake"


def _path(judged: Judged, node: str) -> Where:
    return ("remotes" if node in remotes(judged.pieces) else "members", node, "stonith")


def of_devices(judged: Judged) -> Iterator[Danger]:
    """Judge each device: what it switches, and how long it may take."""
    wires = dict[tuple[str, ...], str]()
    for name, device in devices(judged.pieces).items():
        values, agent = pairs(device, "instance_attributes"), device.get("type")
        hosts = hosts_of(device)
        path = _path(judged, hosts[0]) if hosts else ()
        if agent == "fence_virsh":
            what = f"{name} switches a virtual machine by libvirt"
            reason = "for a lab: a controller that holds the hypervisor holds all of its guests"
            yield Danger("lab_only", what, reason, "a BMC in production", Grade.WARNING, path)
        if agent == "fence_compute" and values.get("record_only") in OFF_SILENT:
            what, reason = f"{name} records nothing", "it succeeds, and nobody evacuates anything"
            yield Danger("records_nothing", what, reason, "record_only: 1", path=path)
        if cuts_power(device):
            yield from _of_power(name, device, path)
            wire = _wire(device)
            if wire in wires and wire[1]:
                what = f"{name} and {wires[wire]} switch the same thing"
                reason = "whichever host dies, another one is shot for it"
                remedy = "give each node its own address, system or plug"
                yield Danger("shared_wire", what, reason, remedy, path=path)
            wires.setdefault(wire, name)


def _of_power(name: str, device: Element, path: Where) -> Iterator[Danger]:
    limit_s = seconds(pairs(device, "instance_attributes").get("pcmk_off_timeout", ""))
    if not limit_s or limit_s > OFF_GOOD_S:
        what = f"{name} may take {limit_s or 'any'} s to fail"
        reason = "the next level begins only then"
        yield Danger("slow_off", what, reason, "off_timeout_s: 20", Grade.WARNING, path)


def _wire(device: Element) -> tuple[str, ...]:
    """Tell apart what two devices switch; by what each of them is given."""
    values = pairs(device, "instance_attributes")
    mapped = values.get("pcmk_host_map", "").partition(":")[2]
    names = ("ip", "ipaddr"), ("ipport",), ("systems_uri",), ("plug", "port")
    found = ["".join(values.get(name, "") for name in each) for each in names]
    # Two hosts of one libvirt, or of one outlet strip, are told apart by the name that it is given.
    asks_by_name = device.get("type") not in {"fence_ipmilan", "fence_redfish"}
    name = mapped or ("" if not asks_by_name else " ".join(hosts_of(device)))
    return (device.get("type"), *found, name)


def of_serial(judged: Judged) -> Iterator[Danger]:
    """One device for several hosts must serve them at the same time."""
    used = {name for level in levels(judged.pieces) for name in level.devices}
    for name, device in devices(judged.pieces).items():
        values = pairs(device, "instance_attributes")
        limit = values.get("pcmk_action_limit", "1")
        if name in used and len(hosts_of(device)) > 1 and limit != "-1":
            is_ours = device.get("type") in OUR_AGENTS
            yield Danger(
                "serial_fencing",
                f"{name} serves one host at a time",
                "hosts that die together wait for each other",
                "options: {pcmk_action_limit: -1}",
                Grade.ERROR if is_ours else Grade.WARNING,
                ("ninelives", "fencing") if is_ours else (),
            )
