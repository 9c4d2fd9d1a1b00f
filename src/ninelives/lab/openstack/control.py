"""The whole control plane, up and down, in the one order that works."""

import sys
from collections.abc import Callable

from ninelives.engine.errors import ConfigError
from ninelives.lab import planes
from ninelives.lab.hosts import Hosts
from ninelives.lab.namespaces import Namespaces
from ninelives.lab.places import LOOPBACK, Network, Places
from ninelives.lab.processes import Processes, is_open, until

from . import catalogue, files, foundation, install, services
from .api import logged_in

Say = Callable[[str], None]

SERVICE_S = 3.0  # a nova service would wait a minute for its own graceful end
# What others need until their own end is ended last.
LAST = ("fork-server", "messages", "database", "epmd")


def begun(places: Places, wants_namespaces: bool | None = None) -> Places:
    """Make the lab's folder, and its networks where it is to have any: by default, as root.

    Safe to repeat. Raises `PartMissing` where hosts in namespaces lack root or a package.
    """
    if wants_namespaces is None:
        wants_namespaces = planes.is_root()
    if not wants_namespaces:
        places.prepare()
        return places
    if not planes.is_root():
        raise install.PartMissing("hosts in namespaces need root", "run it by sudo")
    if packages := planes.missing():
        raise install.PartMissing(
            f"hosts in namespaces need {' and '.join(packages)}",
            f"apt-get install --no-install-recommends {' '.join(packages)}; or --no-namespaces",
        )
    return planes.claimed(places)


def described(places: Places) -> str:
    """Say in one line where the hosts live."""
    if places.slot is None:
        why = "" if planes.is_root() else " (root's labs have them)"
        return f"hosts are processes on loopback, without namespaces{why}"
    nets = " ".join(f"{network} {places.at(network, 0)}/24" for network in Network)
    return f"hosts are in namespaces: {nets}"


def up(processes: Processes, say: Say) -> None:
    """Start what does not run. Safe to repeat: also after half an `up`."""
    places = processes.places
    install.demand_system_parts()
    demand_same_address(places)
    if not install.is_installed():
        say("installing OpenStack from the Python package index (once, some minutes)")
        install.install(processes.log("install"))
    files.write(places)
    foundation.start_messages(processes)
    services.start_fork_server(processes)
    foundation.start_database(processes)
    processes.listens("database", "database")
    say("database up")
    catalogue.once(places, "schemas", lambda: services.make_schemas(processes))
    services.start_web(processes)
    processes.listens("messages", "messages")
    say("messages up, schemas made")
    services.start_nova_api(processes)
    processes.listens("keystone", "keystone")
    api = logged_in(places.url("keystone"))
    catalogue.once(places, "register", lambda: catalogue.register(places, api))
    processes.listens("placement", "placement")
    services.start_minds(processes)
    services.await_conductor(processes)
    hosts = Hosts(processes)
    on = [host for host in places.hosts if hosts.is_on(host)]
    for host in on:
        hosts.thaw(host)
        hosts.boot(host)
    processes.listens("nova-api", "nova")
    processes.listens("glance", "glance")
    processes.listens("network", "network")
    catalogue.once(places, "furnish", lambda: catalogue.furnish(places, api))
    say("users, catalogue, flavors and image are there")
    services.wait_for_hosts(processes, api, on)
    start_bmcs(processes)
    say(f"nova-compute is up: {' '.join(on)}")


def demand_same_address(places: Places) -> None:
    """Complain where the databases name another address than this lab has: they hold its URLs."""
    kept, is_made = places.kept / "address", (places.kept / "schemas.done").exists()
    made_for = kept.read_text() if kept.exists() else LOOPBACK
    if is_made and made_for != places.address:
        raise ConfigError(
            f"the databases of this lab are those of {made_for}, and it is at {places.address} now",
            f"ninelives lab down --wipe --folder {places.folder}",
        )
    kept.write_text(places.address)


def start_bmcs(processes: Processes) -> None:
    """Start the power devices and probed ports of all hosts, in an interpreter of our own."""
    places = processes.places
    if places.slot is not None:
        planes.make_bmc_spaces(places)
    catalogue.once(places, "certificate", lambda: make_certificate(processes))
    processes.start("bmcs", [sys.executable, "-m", "ninelives.lab.bmcs", str(places.folder)])
    doors = [
        (places.port("chassis"), places.chassis_address),
        *((places.bmc_port(host), places.host_at(Network.OOB, host)) for host in reached(places)),
    ]
    until(lambda: all(is_open(*door) for door in doors), f"no BMC answers: {processes.log('bmcs')}")


def reached(places: Places) -> list[str]:
    """List the hosts the cable of whose BMC nobody cut."""
    return [host for host in places.machines if not planes.is_cut(places, host, Network.OOB)]


def make_certificate(processes: Processes) -> None:
    """Sign a certificate by itself: fence_redfish speaks TLS and nothing else."""
    words = ["/usr/bin/openssl", "req", "-x509", "-newkey", "ec"]
    kind = ["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
    address = processes.places.chassis_address
    names = ["-subj", "/CN=chassis", "-addext", f"subjectAltName=IP:{address}"]
    place = str(processes.places.certificate)
    processes.run("certificate", [*words, *kind, *names, "-keyout", place, "-out", place])


def down(processes: Processes) -> int:
    """End all of it; return how many processes had left their session."""
    if processes.places.slot is not None:
        for host in processes.places.machines:
            Namespaces(processes).end(host)
    names = processes.names()
    processes.end([name for name in names if name not in LAST], patience_s=SERVICE_S)
    for name in LAST:
        processes.end([name])
    strays = processes.sweep()
    planes.torn_down(processes.places)
    return strays
