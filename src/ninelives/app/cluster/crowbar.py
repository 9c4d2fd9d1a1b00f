"""The batch form of Crowbar (SUSE OpenStack Cloud): what of it says something here, and what not.

    proposals: barclamp pacemaker, name services ──▶ members, remotes, STONITH, quorum policy
               barclamp nova: cluster:NAME, remotes:NAME ──▶ roles, the services on compute hosts

Law: nothing is passed over in silence. Each part of the batch is either taken, or reported as
having no meaning here, or as something that a person has to decide.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from ninelives.engine.errors import ConfigError

from .model import Cluster, Corosync, Device, Member, Remote, Resource, Service
from .yaml_lines import Text, Value, Where

ALIAS = re.compile(r"^@@(.+)@@$")
SECRETS = "/etc/ninelives/secrets"
COMPUTE = Service(
    role="compute",
    gated=True,
    resources=(
        Resource(name="libvirtd", agent="systemd:libvirtd"),
        Resource(name="nova-compute", agent="systemd:openstack-nova-compute", stop_timeout_s=300),
    ),
)


class Fate(StrEnum):
    """What became of a part of the batch."""

    TAKEN = "taken"
    MEANINGLESS = "has no meaning here"
    TO_DECIDE = "to be decided"


class Line(NamedTuple):
    """One line of the report."""

    path: Where
    fate: Fate
    words: str


@dataclass(slots=True)
class Import:
    """What has been made of a batch so far."""

    text: Text
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    remotes: dict[str, Remote] = field(default_factory=dict[str, Remote])
    groups: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    properties: dict[str, str] = field(default_factory=dict[str, str])
    is_served: bool = False
    report: list[Line] = field(default_factory=list[Line])

    def say(self, path: Where, fate: Fate, words: str) -> None:
        self.report.append(Line(path, fate, words))


def imported(text: Text) -> tuple[Cluster, tuple[Line, ...]]:
    """Turn a batch into a cluster and a report. Raises `ConfigError` where it names no member."""
    found = Import(text)
    proposals = [*_proposals(text.value)]
    for path, name, proposal in sorted(proposals, key=lambda each: each[1] != "pacemaker"):
        match name:
            case "pacemaker":
                _pacemaker(found, path, proposal)
            case "nova":
                _nova(found, path, proposal)
            case _:
                found.say(path, Fate.MEANINGLESS, f"barclamp {name}: no part of the cluster")
    if not found.members:
        hint = "barclamp: pacemaker, deployment.elements.pacemaker-cluster-member"
        raise ConfigError(f"{text.file}: no member of a cluster is named", hint)
    return _cluster(found), tuple(found.report)


def _proposals(value: Value) -> Iterator[tuple[Where, str, Mapping[str, Value]]]:
    listed = value.get("proposals") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise ConfigError("no batch of Crowbar: `proposals:` is missing", "`crowbar batch export`")
    for index, each in enumerate(listed):
        if isinstance(each, dict):
            yield ("proposals", index), str(each.get("barclamp", "")), each


def _cluster(found: Import) -> Cluster:
    corosync = None
    if len(found.members) == 2:
        corosync = Corosync(wait_for_all=True, autostart=False)
        words = "two controllers: set wait_for_all: 1, and keep corosync from starting by itself"
        found.say((), Fate.TO_DECIDE, words)
    return Cluster(
        members=found.members,
        remotes=found.remotes,
        corosync=corosync,
        properties=found.properties,
        services={"compute": COMPUTE} if found.is_served else {},
    )


# ----------------------------------------------------------------------------------- pacemaker


def _pacemaker(found: Import, path: Where, proposal: Mapping[str, Value]) -> None:
    name = str(proposal.get("name", "default"))
    elements = _table(_table(proposal, "deployment"), "elements")
    there = (*path, "deployment", "elements")
    for role, listed in elements.items():
        nodes = [_node(each) for each in listed] if isinstance(listed, list) else []
        match role:
            case "pacemaker-cluster-member":
                found.members |= {node: Member(role="controller") for node in nodes}
                found.groups[f"cluster:{name}"] = nodes
                found.say((*there, role), Fate.TAKEN, f"members: {' '.join(nodes)}")
            case "pacemaker-remote":
                found.remotes |= {node: Remote() for node in nodes}
                found.groups[f"remotes:{name}"] = nodes
                found.say((*there, role), Fate.TAKEN, f"remotes: {' '.join(nodes)}")
            case _:
                found.say((*there, role), Fate.MEANINGLESS, f"{role}: a face of Crowbar's own")
    attributes, above = _table(proposal, "attributes"), (*path, "attributes")
    for key, value in attributes.items():
        match key, value:
            case "stonith", dict():
                _stonith(found, (*above, key), value)
            case "crm", dict():
                _crm(found, (*above, key), value)
            case _:
                found.say((*above, key), Fate.MEANINGLESS, f"{key}: left to whoever runs it")


def _crm(found: Import, path: Where, crm: Mapping[str, Value]) -> None:
    for key, value in crm.items():
        if key == "no_quorum_policy" and isinstance(value, str) and value:
            found.properties["no-quorum-policy"] = value
            words = f"no-quorum-policy: {value}"
            if value == "ignore":
                words += "; `build` will refuse it"
            found.say((*path, key), Fate.TO_DECIDE if value == "ignore" else Fate.TAKEN, words)
        else:
            found.say((*path, key), Fate.MEANINGLESS, f"{key}: a setting of Crowbar's")


def _stonith(found: Import, path: Where, stonith: Mapping[str, Value]) -> None:
    mode = str(stonith.get("mode", ""))
    for key in stonith:
        if key not in {"mode", mode}:
            found.say((*path, key), Fate.MEANINGLESS, f"{key}: the mode is {mode}")
    own = _table(stonith, mode)
    match mode:
        case "libvirt":
            address = str(own.get("hypervisor_ip", "hypervisor"))
            for name in (*found.members, *found.remotes):
                _fence(found, name, Device(mode="libvirt", address=address))
            found.say((*path, "mode"), Fate.TO_DECIDE, "libvirt: for a lab alone; kept")
        case "ipmi_barclamp":
            for name in (*found.members, *found.remotes):
                file = f"{SECRETS}/{name}"
                _fence(
                    found, name, Device(mode="ipmi", address=f"bmc-of-{name}", password_file=file)
                )
            words = "ipmi: Crowbar knew the addresses, and a batch does not: write each of them"
            found.say((*path, "mode"), Fate.TO_DECIDE, words)
        case "per_node":
            _per_node(found, (*path, mode), own)
        case "sbd":
            _sbd(found, (*path, mode), own)
        case _:
            found.say((*path, "mode"), Fate.TO_DECIDE, f"{mode or 'no mode'}: name power devices")


def _fence(found: Import, name: str, device: Device) -> None:
    if name in found.members:
        member = found.members[name]
        found.members[name] = replace(member, stonith=(*member.stonith, device))
    elif name in found.remotes:
        remote = found.remotes[name]
        found.remotes[name] = replace(remote, stonith=(*remote.stonith, device))


def _per_node(found: Import, path: Where, own: Mapping[str, Value]) -> None:
    agent = str(own.get("agent", ""))
    for alias, each in _table(own, "nodes").items():
        node, said = _node(alias), each if isinstance(each, dict) else {}
        options, secret = _params(str(said.get("params", "")))
        _fence(found, node, _device(agent, options, node if secret else ""))
        words = f"{node}: {agent}"
        if secret:
            words += f"; put its password into {SECRETS}/{node}, on every controller"
        fate = Fate.TO_DECIDE if secret else Fate.TAKEN
        found.say((*path, "nodes", alias), fate, words)


def _device(agent: str, options: dict[str, str], secret_of: str) -> Device:
    file = f"{SECRETS}/{secret_of}" if secret_of else ""
    address = _taken(options, "ip", "ipaddr")
    user = _taken(options, "username", "login", "userid")
    if agent == "fence_ipmilan" and address:
        return Device(mode="ipmi", address=address, user=user, password_file=file, options=options)
    name = agent or "fence_unknown"
    return Device(
        mode="agent", agent=name, address=address, user=user, password_file=file, options=options
    )


def _taken(options: dict[str, str], *names: str) -> str:
    """Take an option out under whichever of its names it is given."""
    return next((options.pop(name) for name in names if name in options), "")


def _params(words: str) -> tuple[dict[str, str], bool]:
    """Split `name=value name="other value"`; a password stays behind. Say whether there was one."""
    pairs = dict[str, str]()
    for name, quoted, plain in re.findall(r'([\w.-]+)=(?:"([^"]*)"|(\S+))', words):
        pairs[name] = quoted or plain
    secrets = {name for name in pairs if re.search("passw", name)}
    hosts = {"hostname", "hostlist", "pcmk_host_list"}
    return {name: pairs[name] for name in pairs if name not in secrets | hosts}, bool(secrets)


def _sbd(found: Import, path: Where, own: Mapping[str, Value]) -> None:
    for alias, each in _table(own, "nodes").items():
        node, said = _node(alias), each if isinstance(each, dict) else {}
        disks = said.get("devices")
        listed = ",".join(map(str, disks)) if isinstance(disks, list) else str(disks or "")
        if listed:
            _fence(found, node, Device(mode="sbd", options={"devices": listed}))
        fate = Fate.TAKEN if listed else Fate.TO_DECIDE
        found.say((*path, "nodes", alias), fate, f"{node}: sbd on {listed or 'no disk'}")
    for key in own.keys() - {"nodes"}:
        found.say((*path, key), Fate.TO_DECIDE, f"{key}: set it in /etc/sysconfig/sbd of each node")


# ---------------------------------------------------------------------------------------- nova


def _nova(found: Import, path: Where, proposal: Mapping[str, Value]) -> None:
    for key in _table(proposal, "attributes"):
        found.say((*path, "attributes", key), Fate.MEANINGLESS, f"{key}: Nova's own")
    elements = _table(_table(proposal, "deployment"), "elements")
    for role, listed in elements.items():
        there = (*path, "deployment", "elements", role)
        named = listed if isinstance(listed, list) else []
        nodes = [name for each in named for name in _of_group(found, each)]
        known = [name for name in nodes if name in found.remotes]
        match role:
            case "nova-controller":
                found.say(there, Fate.TAKEN, f"role controller: {' '.join(nodes)}")
            case "nova-compute-kvm" | "nova-compute-qemu" | "nova-compute-xen" if known:
                for name in known:
                    found.remotes[name] = replace(found.remotes[name], role="compute")
                found.is_served = True
                found.say(there, Fate.TAKEN, f"role compute: {' '.join(known)}")
            case _:
                words = f"{role}: on {' '.join(nodes) or 'nothing'}, which Pacemaker does not watch"
                found.say(there, Fate.TO_DECIDE if nodes else Fate.MEANINGLESS, words)


def _of_group(found: Import, name: Value) -> list[str]:
    return found.groups.get(str(name), [_node(name)])


def _node(name: Value) -> str:
    """Return the alias of a node as the name that it gets here."""
    words = str(name)
    aliased = ALIAS.match(words)
    return re.sub(r"[^\w.-]", "-", aliased[1] if aliased else words.partition(".")[0])


def _table(above: Mapping[str, Value], key: str) -> Mapping[str, Value]:
    value = above.get(key)
    return value if isinstance(value, dict) else {}
