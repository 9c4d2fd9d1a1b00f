"""How each mode of STONITH becomes a device of the cluster, and how such a device is read back.

    Device ──▶ stonith primitive ──▶ Device       what a mode implies is left out on the way back

Law: whatever parameters a device has, it can be said: at worst as the mode `agent`, with every
parameter among the options, and those that it lacks `unset`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from ninelives.adapters.pacemaker.cib.pieces import KEPT, pairs_in
from ninelives.adapters.pacemaker.cib.tree import Element, element

from .model import UNSET, Device

Mode: TypeAlias = Literal["ipmi", "redfish", "sbd", "libvirt", "agent"]
AGENTS: Mapping[str, Mode] = {
    "fence_ipmilan": "ipmi",
    "fence_redfish": "redfish",
    "fence_sbd": "sbd",
    "fence_virsh": "libvirt",
}
AGENT_OF = {mode: agent for agent, mode in AGENTS.items()}
IMPLIED: Mapping[Mode, Mapping[str, str]] = {
    "ipmi": {"lanplus": "1", "method": "onoff"},
    "redfish": {},
    "sbd": {},
    "libvirt": {},
    "agent": {},
}
PARAMETER = {"address": "ip", "user": "username", "system": "systems_uri"}
A_FILE = re.compile(r"^cat ([\w./@+-]+)$")


def named(node: str, devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Give each device its name and its level in full. Pure."""
    return tuple(
        replace(
            each,
            name=each.name or usual_name(node, devices, index),
            agent=each.agent or AGENT_OF.get(each.mode, ""),
            level=index + 1 if each.level is None else each.level,
        )
        for index, each in enumerate(devices)
    )


def usual_name(node: str, devices: tuple[Device, ...], index: int) -> str:
    """Name a device by its mode and its node; the second of a kind gets a number."""
    word = _word(devices[index])
    before = sum(_word(each) == word for each in devices[:index])
    return f"{word}-{node}-{before + 1}" if before else f"{word}-{node}"


def _word(device: Device) -> str:
    if device.mode != "agent":
        return device.mode
    return re.sub(r"[^\w.-]", "-", device.agent.removeprefix("fence_")) or "agent"


def parameters(node: str, device: Device) -> dict[str, str]:
    """Return everything that the agent is given."""
    own = {PARAMETER[name]: getattr(device, name) for name in PARAMETER}
    script = f"cat {device.password_file}" if device.password_file else device.password_script
    found = {**_implied(node, device), **own, "password_script": script, **device.options}
    found |= dict.fromkeys(device.kept, KEPT)
    return {name: text for name, text in found.items() if text not in {"", UNSET}}


def _implied(node: str, device: Device) -> dict[str, str]:
    """List what is always given, unless the options say otherwise."""
    off = {"pcmk_off_timeout": f"{device.off_timeout_s}s"} if device.off_timeout_s else {}
    found = {**IMPLIED[device.mode], **off, "pcmk_host_check": "static-list"}
    if device.plug:
        return {**found, "pcmk_host_map": f"{node}:{device.plug}"}
    return {**found, "pcmk_host_list": node}


def primitive(node: str, device: Device) -> Element:
    """Make the device, as a piece."""
    monitor = monitor_of(device.monitor_interval_s, device.monitor_timeout_s)
    return stonith(device.name, device.agent, parameters(node, device), monitor, device.meta)


def stonith(
    name: str, agent: str, values: Mapping[str, str], monitor: Element | None,
    meta: Mapping[str, str],
) -> Element:  # fmt: skip
    """Make any device. Its sets stand in the order in which pieces have them."""
    inside = [
        *([pairs_in("instance_attributes", values)] if values else []),
        *([pairs_in("meta_attributes", meta)] if meta else []),
        *([element("operations", monitor)] if monitor is not None else []),
    ]
    return element("primitive", *inside, id=name, class_="stonith", type=agent)


def monitor_of(interval_s: int, timeout_s: int) -> Element | None:
    """Make the operation that looks again and again; none where nobody looks."""
    if not interval_s:
        return None
    timeout = f"{timeout_s}s" if timeout_s else None
    return element("op", name="monitor", interval=f"{interval_s}s", timeout=timeout)


# ------------------------------------------------------------------------------------- back again


def device_of(node: str, piece: Element, level: int) -> Device:
    """Read a device of this node. Whoever asks holds the answer against the piece."""
    values = pairs(piece, "instance_attributes")
    agent = piece.get("type")
    mode = AGENTS.get(agent, "agent")
    kept = tuple(name for name in sorted(values) if values[name] == KEPT)
    rest = {name: text for name, text in values.items() if text != KEPT}
    script = rest.pop("password_script", "")
    file = A_FILE.match(script)
    interval_s, timeout_s = monitor_times(piece)
    device = Device(
        mode=mode,
        agent=agent if mode == "agent" else "",
        name=piece.get("id"),
        address=rest.pop("ip", ""),
        user=rest.pop("username", ""),
        system=rest.pop("systems_uri", ""),
        password_file=file[1] if file else "",
        password_script="" if file else script,
        plug=_plug(node, rest),
        level=level,
        off_timeout_s=seconds(rest.get("pcmk_off_timeout", "")),
        monitor_interval_s=interval_s,
        monitor_timeout_s=timeout_s,
        meta=pairs(piece, "meta_attributes"),
        kept=kept,
    )
    return replace(device, options=differing(_implied(node, device), rest))


def _plug(node: str, values: Mapping[str, str]) -> str:
    name, _, plug = values.get("pcmk_host_map", "").partition(":")
    return plug if name == node and not re.search(r"[;, \t]", plug) else ""


def differing(implied: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Say what must be given, and unset, to come from what is implied to what is found. Pure."""
    lacking = {name: UNSET for name in implied if name not in found}
    other = {name: text for name, text in found.items() if implied.get(name) != text}
    return dict(sorted({**lacking, **other}.items()))


def pairs(piece: Element, tag: str) -> dict[str, str]:
    """Read one set of names and values; empty where there is none."""
    which = piece.one(tag)
    return {each.get("name"): each.get("value") for each in which.children} if which else {}


def operations(piece: Element) -> dict[str, Element]:
    """Map the name of each operation to it."""
    which = piece.one("operations")
    return {each.get("name"): each for each in which.children} if which else {}


def monitor_times(piece: Element, usual_s: int = 20) -> tuple[int, int]:
    """Return interval and timeout of the monitor; 0 and the usual where there is none."""
    monitor = operations(piece).get("monitor")
    if monitor is None:
        return 0, usual_s
    return seconds(monitor.get("interval")), seconds(monitor.get("timeout"))


def seconds(text: str) -> int:
    """Read a time as pieces write it; 0 where it is none."""
    digits = text.removesuffix("s")
    return min(int(digits), 86_400) if digits.isdigit() else 0
