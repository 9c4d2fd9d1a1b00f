"""The configuration of a lab's cluster as XML: remotes, a level per power device, rules of roles.

It is put on disk before the first start, as after any reboot of a real cluster: an empty one costs
twenty seconds until a DC is elected.
"""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ninelives.lab import ipmi
from ninelives.lab.bmcs import SYSTEMS, USER
from ninelives.lab.openstack.files import PASSWORD
from ninelives.lab.places import Network, Places

FEATURES = {  # of Pacemaker 2.1.5; a newer one reads them and writes its own
    "crm_feature_set": "3.16.1",
    "validate-with": "pacemaker-3.9",
    "admin_epoch": "0",
    "epoch": "1",
    "num_updates": "0",
}
# `off`, for who comes back is asked first; and a host that nobody switched on is not in anyone's
# way. No loss is to be believed by default: every host that was ever seen is fenced at a start.
PROPERTIES = {
    "cluster-infrastructure": "corosync",
    "cluster-name": "lab",
    "stonith-enabled": "true",
    "stonith-action": "off",
    "stonith-timeout": "60s",
    "concurrent-fencing": "true",
    "no-quorum-policy": "stop",
    "startup-fencing": "true",
    "cluster-recheck-interval": "60s",
    "dc-deadtime": "2s",
    "cluster-ipc-limit": "2000",
}
ROLE = "OpenStack-role"
# A silent loss is seen after at most the sum of the monitor's two; measured 5 to 8 s.
REMOTE = {
    "start": {"interval": "0s", "timeout": "15s"},
    "stop": {"interval": "0s", "timeout": "15s"},
    "monitor": {"interval": "3s", "timeout": "5s"},
}
RECONNECT = "60s"
# What a dead power device costs before the next level is tried; Pacemaker's own is 60 s, twice.
FENCING = {
    "pcmk_host_check": "static-list",
    "pcmk_off_timeout": "15s",
    "pcmk_off_retries": "1",
    "pcmk_monitor_timeout": "20s",
}


def written(places: Places) -> str:
    """Return the whole CIB of a new cluster."""
    cib = Element("cib", FEATURES)
    configuration = SubElement(cib, "configuration")
    properties = SubElement(configuration, "crm_config")
    _pairs(SubElement(properties, "cluster_property_set", id="cib-bootstrap-options"), PROPERTIES)
    _nodes(SubElement(configuration, "nodes"), places)
    resources = SubElement(configuration, "resources")
    for host in places.hosts:
        _remote(resources, places, host)
    for machine in places.machines:
        _device(resources, f"ipmi-{machine}", "fence_ipmilan", by_ipmi(places, machine))
    for host in places.hosts:
        _device(resources, f"chassis-{host}", "fence_redfish", by_chassis(places, host))
    SubElement(configuration, "constraints")
    topology = SubElement(configuration, "fencing-topology")
    for host in places.hosts:
        _levels(topology, host, (f"ipmi-{host}", f"chassis-{host}"))
    SubElement(cib, "status")
    indent(cib)
    return tostring(cib, encoding="unicode", xml_declaration=True)


def _nodes(nodes: Element, places: Places) -> None:
    """Name every member and every remote with its role, which no fencing takes from it."""
    for number, controller in enumerate(places.controllers, start=1):
        node = SubElement(nodes, "node", id=str(number), uname=controller)
        _attributes(node, f"nodes-{controller}", {ROLE: "controller"})
    for host in places.hosts:
        node = SubElement(nodes, "node", id=host, uname=host, type="remote")
        _attributes(node, f"nodes-{host}", {ROLE: "compute"})


def _remote(resources: Element, places: Places, host: str) -> None:
    names = {"class": "ocf", "provider": "pacemaker", "type": "remote"}
    remote = SubElement(resources, "primitive", names, id=host)
    server = places.host_at(Network.MANAGEMENT, host)
    own = {"server": server, "reconnect_interval": RECONNECT}
    _attributes(remote, f"{host}-instance_attributes", own)
    operations = SubElement(remote, "operations")
    for name, times in REMOTE.items():
        identity = f"{host}-{name}-{times['interval']}"
        SubElement(operations, "op", times, id=identity, name=name)


def _device(resources: Element, name: str, agent: str, options: Mapping[str, str]) -> None:
    kind = {"class": "stonith", "type": agent}
    device = SubElement(resources, "primitive", kind, id=name)
    _attributes(device, f"{name}-instance_attributes", {**options, **FENCING})


def by_ipmi(places: Places, machine: str) -> Mapping[str, str]:
    """Return what the stock agent needs to switch a machine by its own BMC."""
    return {
        "ip": places.host_at(Network.OOB, machine),
        "ipport": str(ipmi.port_of(places, machine)),
        "username": ipmi.USER,
        "password": PASSWORD,
        "lanplus": "1",
        "cipher": "3",
        "power_wait": "0",
        "pcmk_host_list": machine,
    }


def by_chassis(places: Places, host: str) -> Mapping[str, str]:
    """Return what the stock agent needs to switch a host by the manager of the chassis."""
    return {
        "ip": places.chassis_address,
        "ipport": str(places.port("chassis")),
        "username": USER,
        "password": PASSWORD,
        "ssl_insecure": "1",  # the lab signs its own certificate
        "systems_uri": f"{SYSTEMS}/{host}",
        "pcmk_host_list": host,
    }


def _levels(topology: Element, host: str, devices: Iterable[str]) -> None:
    for index, device in enumerate(devices, start=1):
        names = {"target": host, "index": str(index), "devices": device}
        SubElement(topology, "fencing-level", names, id=f"fencing-{host}-{index}")


def _attributes(owner: Element, name: str, pairs: Mapping[str, str]) -> None:
    _pairs(SubElement(owner, "instance_attributes", id=name), pairs)


def _pairs(owner: Element, pairs: Mapping[str, str]) -> None:
    for name, value in pairs.items():
        SubElement(owner, "nvpair", id=f"{owner.get('id')}-{name}", name=name, value=value)
