"""How each service of the control plane is started, and how one knows that it is there."""

import base64
import json
import os
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files as resources
from pathlib import Path

from ninelives.adapters.nova.fields import flag, parsed, rows, text, whole
from ninelives.lab.places import Places
from ninelives.lab.processes import Processes, until

from . import files, install
from .api import Api

API_THREADS = 16
OTHER_THREADS = 8
INSIDE = Path(str(resources("ninelives.lab.openstack").joinpath("inside")))


def program(name: str) -> str:
    return str(install.environment() / "bin" / name)


def inside(name: str) -> str:
    return str(INSIDE / name)


# ------------------------------------------------------------------------------------- schemas


def make_schemas(processes: Processes) -> None:
    """Make every database's tables, all projects at once, and Keystone's first user."""
    places = processes.places
    for kind in ("fernet-keys", "credential-keys"):
        _make_keys(places.etc / "keystone" / kind)
    etc, nova = places.etc, map(str, files.nova_files(places))
    cell0 = files.database_url(places, "nova_cell0")
    with ThreadPoolExecutor() as pool:
        under_way = [
            pool.submit(_make_keystone, processes),
            pool.submit(
                processes.run,
                "placement-schema",
                [program("placement-manage"), "--config-file", f"{etc}/placement/placement.conf",
                 "db", "sync"],
            ),
            pool.submit(
                processes.run,
                "glance-schema",
                [program("glance-manage"), "--config-file", f"{etc}/glance/glance-api.conf",
                 "db_sync"],
            ),
            pool.submit(
                processes.run,
                "nova-schema",
                [program("python"), inside("schemas.py"), *nova, cell0],
            ),
        ]  # fmt: skip
    for each in under_way:
        each.result()


def _make_keys(folder: Path) -> None:
    """Write the keys that keystone-manage would make: 0, which is staged, and 1, the primary."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("0", "1"):
        key = folder / name
        if not key.exists():
            key.touch(mode=0o600)
            key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))


def _make_keystone(processes: Processes) -> None:
    places = processes.places
    folder = {"OS_KEYSTONE_CONFIG_DIR": f"{places.etc}/keystone"}
    manage = [program("keystone-manage"), "--config-file", f"{places.etc}/keystone/keystone.conf"]
    url = f"{places.url('keystone')}/v3"
    urls = [f"--bootstrap-{kind}-url={url}" for kind in ("admin", "internal", "public")]
    processes.run("keystone-schema", [*manage, "db_sync"], **folder)
    processes.run(
        "keystone-schema",
        [*manage, "bootstrap", f"--bootstrap-region-id={files.REGION}", *urls],
        OS_BOOTSTRAP_PASSWORD=files.PASSWORD,
        **folder,
    )


# ------------------------------------------------------------------------------------ services


def start_web(processes: Processes) -> None:
    """Start what answers HTTP, Nova excepted."""
    etc = processes.places.etc
    _serve(processes, "keystone", "keystone.wsgi.api", OS_KEYSTONE_CONFIG_DIR=etc / "keystone")
    _serve(processes, "placement", "placement.wsgi.api", OS_PLACEMENT_CONFIG_DIR=etc / "placement")
    _serve(processes, "glance", "glance.wsgi.api", OS_GLANCE_CONFIG_DIR=etc / "glance")
    _serve(processes, "network", "network", PYTHONPATH=INSIDE)


def _serve(processes: Processes, name: str, module: str, **environment: Path) -> None:
    at = [processes.places.address, str(processes.places.port(name))]
    words = [program("python"), inside("serve.py"), name, module, *at, str(OTHER_THREADS)]
    processes.start(name, words, {key: str(path) for key, path in environment.items()})


def start_fork_server(processes: Processes) -> None:
    words = [program("python"), inside("fork_server.py"), str(_fork_socket(processes.places))]
    processes.start("fork-server", words, {"PYTHONPATH": str(INSIDE)})


def _fork_socket(places: Places) -> Path:
    return places.run / "fork.sock"


def start_nova_api(processes: Processes) -> None:
    places = processes.places
    # The first of the files is the one that paste reads.
    names = "api-paste.ini;nova.conf;nova-db.conf"
    at = [places.address, str(places.port("nova"))]
    _fork(
        processes,
        "nova-api",
        "serve:main",
        ["nova-api"],
        ["nova-api", "nova.wsgi.osapi_compute", *at, str(API_THREADS)],
        {"OS_NOVA_CONFIG_DIR": str(places.etc / "nova"), "OS_NOVA_CONFIG_FILES": names},
    )


def start_minds(processes: Processes) -> None:
    """Start conductor and scheduler. Both end at once where Keystone does not know them yet."""
    for name in ("conductor", "scheduler"):
        log = ["--log-file", str(processes.log(f"nova-{name}"))]
        words = [f"nova-{name}", *_nova_words(processes.places), *log]
        _fork(processes, f"nova-{name}", f"nova.cmd.{name}:main", words)


def await_conductor(processes: Processes) -> None:
    """Wait until the conductor listens: a nova-compute that asks before waits for ten seconds."""
    places = processes.places
    at = [places.address, str(places.port("messages"))]
    processes.run("conductor-served", [program("python"), inside("served.py"), *at, "conductor"])


def start_compute(processes: Processes, host: str, init: int | None = None) -> None:
    """Start nova-compute of a host, in its namespaces, without the databases' passwords."""
    nova, _ = files.nova_files(processes.places)
    own = files.write_host(processes.places, host)
    words = ["nova-compute", "--config-file", str(nova), "--config-file", str(own)]
    more = {} if init is None else {"NINELIVES_GUESTS": "processes"}
    _fork(processes, host, "nova.cmd.compute:main", words, environment=more, init=init)


def _nova_words(places: Places) -> list[str]:
    return [word for file in files.nova_files(places) for word in ("--config-file", str(file))]


def _fork(
    processes: Processes,
    name: str,
    call: str,
    words: Sequence[str],
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    init: int | None = None,
) -> None:
    if processes.pid(name) is not None:
        return
    order = {
        "name": name,
        "init": init,
        "call": call,
        "words": words,
        "arguments": arguments,
        "log": str(processes.log(name)),
        "environment": environment or {},
    }
    path = _fork_socket(processes.places)
    until(
        lambda: _answers(path), f"the fork server does not answer: {processes.log('fork-server')}"
    )
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        caller.sendall(json.dumps(order).encode() + b"\n")
        with caller.makefile("rb") as lines:
            processes.remember(name, whole(parsed(lines.readline()), "pid"))


def _answers(path: Path) -> bool:
    """Say whether somebody listens; a connection without an order is read as one that ended."""
    with socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(str(path)) == 0


# --------------------------------------------------------------------------------------- hosts


def wait_for_hosts(processes: Processes, api: Api, on: Sequence[str]) -> None:
    """Wait until every host is up, known to Placement and mapped to the cell."""
    places = processes.places
    wanted = set(on)
    until(lambda: wanted <= answering(places, api), "a nova-compute does not come up: see its log")
    until(lambda: wanted <= provided(places, api), "a host is unknown to Placement: see its log")
    if wanted <= shown(places, api):
        return
    words = ["nova-manage", *_nova_words(places)]
    _fork(processes, "mapping", "mapping:main", words)
    until(lambda: processes.pid("mapping") is None, "hosts are not mapped to their cell")
    processes.end(["mapping"])
    until(lambda: wanted <= shown(places, api), "hosts are not mapped to their cell", 10.0)


def answering(places: Places, api: Api) -> set[str]:
    """Name who reports. One that somebody forced down never counts as up, whatever it reports."""
    found = api(
        "GET", f"{places.url('nova')}/v2.1/os-services?binary=nova-compute", version="compute 2.53"
    )
    services = rows(found, "services")
    return {
        text(each, "host")
        for each in services
        if text(each, "state") == "up" or flag(each, "forced_down")
    }


def provided(places: Places, api: Api) -> set[str]:
    found = api("GET", f"{places.url('placement')}/resource_providers")
    return {text(each, "name") for each in rows(found, "resource_providers")}


def shown(places: Places, api: Api) -> set[str]:
    found = api("GET", f"{places.url('nova')}/v2.1/os-hypervisors")
    return {text(each, "hypervisor_hostname") for each in rows(found, "hypervisors")}
