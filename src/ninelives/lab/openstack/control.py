"""The whole control plane, up and down, in the one order that works."""

import sys
from collections.abc import Callable

from ninelives.lab.hosts import Hosts
from ninelives.lab.places import LOOPBACK
from ninelives.lab.processes import Processes, is_open, until

from . import catalogue, files, foundation, install, services
from .api import logged_in

Say = Callable[[str], None]

SERVICE_S = 3.0  # a nova service would wait a minute for its own graceful end
# What others need until their own end is ended last.
LAST = ("fork-server", "messages", "database", "epmd")


def up(processes: Processes, say: Say) -> None:
    """Start what does not run. Safe to repeat: also after half an `up`."""
    places = processes.places
    install.demand_system_parts()
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
    hosts = Hosts(processes)
    on = [host for host in places.hosts if hosts.is_on(host)]
    for host in on:
        hosts.thaw(host)
        services.start_compute(processes, host)
    processes.listens("nova-api", "nova")
    processes.listens("glance", "glance")
    processes.listens("network", "network")
    catalogue.once(places, "furnish", lambda: catalogue.furnish(places, api))
    say("users, catalogue, flavors and image are there")
    services.wait_for_hosts(processes, api, on)
    start_bmcs(processes)
    say(f"nova-compute is up: {' '.join(on)}")


def start_bmcs(processes: Processes) -> None:
    """Start the power devices and probed ports of all hosts, in an interpreter of our own."""
    places = processes.places
    catalogue.once(places, "certificate", lambda: make_certificate(processes))
    processes.start("bmcs", [sys.executable, "-m", "ninelives.lab.bmcs", str(places.folder)])
    ports = [places.port("chassis"), *map(places.bmc_port, places.hosts)]
    until(lambda: all(map(is_open, ports)), f"no BMC answers: {processes.log('bmcs')}")


def make_certificate(processes: Processes) -> None:
    """Sign a certificate of loopback by itself: fence_redfish speaks TLS and nothing else."""
    words = ["/usr/bin/openssl", "req", "-x509", "-newkey", "ec"]
    kind = ["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
    names = ["-subj", "/CN=chassis", "-addext", f"subjectAltName=IP:{LOOPBACK}"]
    place = str(processes.places.certificate)
    processes.run("certificate", [*words, *kind, *names, "-keyout", place, "-out", place])


def down(processes: Processes) -> int:
    """End all of it; return how many processes had left their session."""
    names = processes.names()
    processes.end([name for name in names if name not in LAST], patience_s=SERVICE_S)
    for name in LAST:
        processes.end([name])
    return processes.sweep()
