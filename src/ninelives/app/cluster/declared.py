"""From the file to the cluster: the pieces that a declared cluster has. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from ninelives.adapters.pacemaker.cib.pieces import (
    KEPT,
    Key,
    Kind,
    Pieces,
    constraint,
    level,
    pair,
    pairs_in,
    plain,
)
from ninelives.adapters.pacemaker.cib.tree import Element, element

from .devices import monitor_of, named, primitive, stonith
from .model import (
    DEFAULTS,
    GATE,
    RECOMMENDED,
    UNSET,
    Cluster,
    Corosync,
    Device,
    Fencing,
    Member,
    Options,
    Remote,
    Resource,
    Service,
)

WAIT_FOR_ALL, AUTOSTART = "ninelives-corosync-wait-for-all", "ninelives-corosync-autostart"


def pieces_from(cluster: Cluster) -> Pieces:
    """Return every piece that this file says, and none that it does not speak of."""
    return dict(_each(cluster))


def _each(cluster: Cluster) -> Iterator[tuple[Key, Element]]:
    yield from _pairs(Kind.PROPERTY, {**RECOMMENDED, **cluster.properties})
    yield from _corosync(cluster.corosync)
    yield from _pairs(Kind.DEFAULT, {**DEFAULTS, **cluster.defaults})
    for index, (name, member) in enumerate(cluster.members.items(), start=1):
        number = str(member.id or index)
        yield Key(Kind.NODE, "", name), element("node", uname=name, id=number)
        yield from _node(cluster, name, member)
        yield from _levels(name, member.stonith, ())
    for name, remote in cluster.remotes.items():
        yield Key(Kind.RESOURCE, "", name), plain(remote_piece(name, remote))
        yield from _node(cluster, name, remote)
        yield from _levels(name, remote.stonith, _ends(cluster) if remote.recover else ())
    yield from _ours(cluster)
    for name, service in services_of(cluster).items():
        yield from _service(cluster, name, service)
    for order in cluster.orders:
        symmetrical = str(order.symmetrical).lower()
        ends = {"first": order.first, "then": order.then}
        yield constraint(
            plain(element("rsc_order", **ends, kind=order.kind, symmetrical=symmetrical))
        )
    for name, alert in cluster.alerts.items():
        told = (element("recipient", value=each) for each in alert.recipients)
        yield Key(Kind.ALERT, "", name), plain(element("alert", *told, id=name, path=alert.path))


def _pairs(kind: Kind, values: Options, of: str = "") -> Iterator[tuple[Key, Element]]:
    yield from (pair(kind, of, name, text) for name, text in values.items() if text != UNSET)


def _corosync(corosync: Corosync | None) -> Iterator[tuple[Key, Element]]:
    """Write down what was declared: the CIB is the one file that every controller shares."""
    if corosync is not None:
        yield pair(Kind.PROPERTY, "", WAIT_FOR_ALL, str(corosync.wait_for_all).lower())
        yield pair(Kind.PROPERTY, "", AUTOSTART, str(corosync.autostart).lower())


# --------------------------------------------------------------------------------------- nodes


def _node(cluster: Cluster, name: str, node: Member | Remote) -> Iterator[tuple[Key, Element]]:
    role: Options = {cluster.role_attribute: node.role} if node.role else {}
    yield from _pairs(Kind.ATTRIBUTE, {**node.attributes, **role}, name)
    for device in named(name, node.stonith):
        yield Key(Kind.RESOURCE, "", device.name), plain(primitive(name, device))


def nodes_of(cluster: Cluster) -> dict[str, Member | Remote]:
    """Return controllers and compute hosts together."""
    return {**cluster.members, **cluster.remotes}


def remote_piece(name: str, remote: Remote) -> Element:
    """Make the connection to a compute host."""
    implied = {"server": remote.server or name}
    if remote.reconnect_interval_s:
        implied["reconnect_interval"] = f"{remote.reconnect_interval_s}s"
    values = {name: text for name, text in {**implied, **remote.options}.items() if text != UNSET}
    times = {"start": remote.start_timeout_s, "stop": remote.stop_timeout_s}
    operations = [
        *(element("op", name=each, timeout=f"{times[each]}s") for each in times if times[each]),
        *_some(monitor_of(remote.monitor_interval_s, remote.monitor_timeout_s)),
    ]
    return element(
        "primitive", *_sets(values, remote.meta), element("operations", *operations),
        id=name, class_="ocf", provider="pacemaker", type="remote",
    )  # fmt: skip


def _sets(values: Options, meta: Options) -> Iterator[Element]:
    for tag, each in {"instance_attributes": values, "meta_attributes": meta}.items():
        given = {name: text for name, text in each.items() if text != UNSET}
        if given:
            yield pairs_in(tag, given)


def _some(operation: Element | None) -> Iterable[Element]:
    return () if operation is None else (operation,)


# ------------------------------------------------------------------------------------- fencing


def _levels(
    node: str, devices: tuple[Device, ...], ends: tuple[str, ...]
) -> Iterator[tuple[Key, Element]]:
    """Make the levels of a node. `ends` is our own device, with the brake before it if any."""
    by_index: dict[int, list[str]] = {}
    for device in named(node, devices):
        by_index.setdefault(device.level or 0, []).append(device.name)
    for index, names in sorted(by_index.items()):
        if index:
            every = [*ends[1:], *names, *ends[:1]]
            devices_of = {"devices": ",".join(every), "index": str(index)}
            yield level(element("fencing-level", target=node, **devices_of))


def _ends(cluster: Cluster) -> tuple[str, ...]:
    ours = cluster.ninelives
    return (ours.fencing.name, *((ours.brake,) if ours.brake else ()))


def _ours(cluster: Cluster) -> Iterator[tuple[Key, Element]]:
    """Make our own devices, where there is a level for them to stand in."""
    hosts = recovered_hosts(cluster)
    if not hosts:
        return
    for index, name in enumerate(_ends(cluster)):
        values = our_parameters(cluster.ninelives.fencing, hosts, is_brake=index == 1)
        fencing = cluster.ninelives.fencing
        monitor = monitor_of(fencing.monitor_interval_s, fencing.monitor_timeout_s)
        device = stonith(name, fencing.agent, values, monitor, fencing.meta)
        yield Key(Kind.RESOURCE, "", name), plain(device)


def recovered_hosts(cluster: Cluster) -> dict[str, str]:
    """Map each node in whose levels our agent stands to its host at Nova."""
    return {
        name: remote.nova or name
        for name, remote in sorted(cluster.remotes.items())
        if remote.recover and any(each.level for each in named(name, remote.stonith))
    }


def our_parameters(fencing: Fencing, hosts: Mapping[str, str], *, is_brake: bool) -> dict[str, str]:
    """Return what our agent is given; `hosts` maps nodes to Nova's hosts."""
    found = {**our_implied(fencing, hosts), **fencing.options}
    found |= dict.fromkeys(fencing.kept, KEPT)
    if is_brake:
        found["mode"] = "brake"
    return {name: text for name, text in found.items() if text != UNSET}


def our_implied(fencing: Fencing, hosts: Mapping[str, str]) -> dict[str, str]:
    """List what our agent is always given. One device serves all hosts, at the same time."""
    found = {"pcmk_action_limit": "-1", "pcmk_host_check": "static-list"}
    if fencing.off_timeout_s:
        found["pcmk_off_timeout"] = f"{fencing.off_timeout_s}s"
    if any(node != host for node, host in hosts.items()):
        return {**found, "pcmk_host_map": ";".join(f"{node}:{hosts[node]}" for node in hosts)}
    return {**found, "pcmk_host_list": " ".join(hosts)}


# ------------------------------------------------------------------------------------ services


def services_of(cluster: Cluster) -> dict[str, Service]:
    """Return every service, our own controller among them."""
    ours = cluster.ninelives
    own = {"ninelives": Service(resources=(ours.controller,), role=ours.role)}
    return {**cluster.services, **(own if ours.enabled else {})}


def _service(cluster: Cluster, name: str, service: Service) -> Iterator[tuple[Key, Element]]:
    members = [resource_piece(each) for each in service.resources]
    inner = members[0] if len(members) == 1 else element("group", *members, id=name)
    clone = f"{inner.get('id')}-clone"
    interleave = pairs_in("meta_attributes", {"interleave": "true"})
    yield Key(Kind.RESOURCE, "", clone), plain(element("clone", interleave, inner, id=clone))
    if service.role:
        yield constraint(place(clone, cluster.role_attribute, service.role))
    if service.gated:
        yield constraint(gate(clone))


def place(clone: str, attribute: str, role: str) -> Element:
    """Let it run on the nodes of a role, and be looked for nowhere else."""
    where = element("expression", attribute=attribute, operation="eq", value=role)
    rule = element("rule", where, score="0")
    return plain(element("rsc_location", rule, rsc=clone, resource_discovery="exclusive"))


def gate(clone: str) -> Element:
    """Keep it off a host that comes back, without blocking anything (a start that waits would)."""
    where = element("expression", attribute=GATE, operation="defined")
    return plain(element("rsc_location", element("rule", where, score="-INFINITY"), rsc=clone))


def resource_piece(resource: Resource) -> Element:
    """Make one service. A stop that fails blocks: by default it would fence a healthy host."""
    kind, _, agent = resource.agent.rpartition(":")
    kind, _, provider = kind.partition(":")
    meta = {**limits_of(resource), **resource.meta}
    return element(
        "primitive", *_sets(resource.options, meta), element("operations", *_operations(resource)),
        id=resource.name, class_=kind, provider=provider or None, type=agent,
    )  # fmt: skip


def limits_of(resource: Resource) -> dict[str, str]:
    """Say how often a service is tried before it is left down, and when failures are forgotten."""
    tries = {"migration-threshold": str(resource.tries)} if resource.tries else {}
    return {**tries, "failure-timeout": f"{resource.forget_s}s"} if resource.forget_s else tries


def _operations(resource: Resource) -> Iterator[Element]:
    if resource.start_timeout_s:
        yield element("op", name="start", timeout=f"{resource.start_timeout_s}s")
    timeout = f"{resource.stop_timeout_s}s" if resource.stop_timeout_s else None
    on_fail = "block" if resource.stop_failure == "block" else None
    if timeout or on_fail:
        yield element("op", name="stop", timeout=timeout, on_fail=on_fail)
    yield from _some(monitor_of(resource.monitor_interval_s, resource.monitor_timeout_s))
