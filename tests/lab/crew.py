"""Two controllers as they run in production, beside the lab; and who watches for a second copy.

    site (c1 c2 c3, two servers each)  ◀── HTTP, TCP, Redfish, fence_redfish ──  n1, n2 (processes)

Every story ends by `Crew.judge`: no server ran twice at any moment, none was forgotten, and nothing
was sent twice.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.contracts.compute_site import Site3
from tests.daemon.controllers import Controller, until

from ninelives.app.demo_site import written
from ninelives.lab import ipmi
from ninelives.lab.hosts import Hosts
from ninelives.lab.openstack.files import clouds_file
from ninelives.lab.places import Network
from ninelives.sim.cloud.serve import Served

from .machines import NAMES

PATIENCE_S = 180.0  # for the longest wait of a recovery on a machine with other work
LOOK_S = 0.1
# What is other than in the demo. A real Nova on a machine with other work may take its time; a
# second level must not wait for a silent BMC for long; and pings alone for more than five seconds
# would make a host with an agent hung.
NUMBERS = {
    "every_s": 1.0,
    "silence_s": 3.0,
    "record_silence_s": 10.0,
    "read_timeout_s": 15.0,
    "request_timeout_s": 20.0,
    "nova_settle_s": 30.0,
    "weak_only_s": 5.0,
    "off_timeout_s": 5.0,
    "retry_s": 2.0,
    "soak_agentless_s": 5.0,
    "compute_start_s": 2.0,
}
SECOND_LEVEL = """\

[[host.bmc]]
kind = "fence_redfish"
address = "{address}"
system = "/redfish/v1/Systems/{host}"
level = 2
ca_file = "{certificate}"
options = {{ ipport = "{port}" }}
"""


CLASS = """\

[[rule]]
name = "{name}"
tier = {tier}
match = {{ tag = "class={name}" }}
"""
NOTHING: Mapping[str, int] = {}


class Setup(NamedTuple):
    """Who is on duty, and what they have beside the BMCs."""

    controllers: tuple[str, ...]
    has_second_level: bool = False  # the chassis, as a second way to the power of each host
    has_references: bool = False  # so that they are believed while two of three hosts are silent
    tiers: Mapping[str, int] = NOTHING  # of servers whose metadata says `class`
    speaks_ipmi: bool = False  # by the stock fence_ipmilan, and no Redfish


TWO = Setup(("n1", "n2"))
# Without agents only controllers are witnesses, and three of them make a silent host a dead one.
THREE = Setup(("n1", "n2", "n3"))
THREE_AND_CHASSIS = THREE._replace(has_second_level=True)
THREE_AND_IPMI = THREE._replace(speaks_ipmi=True)
THREE_AND_REFERENCES = THREE._replace(has_references=True)


@dataclass
class Watch:
    """Looks at the hypervisors all the time; remembers every guest that ever ran on two."""

    hosts: Hosts
    ever: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.wait(LOOK_S):
            self.ever.update(self.hosts.twice())


@dataclass
class Crew:
    """The controllers of one story."""

    site: Site3
    hosts: Hosts
    controllers: list[Controller]
    watch: Watch

    @property
    def leader(self) -> Controller:
        """Whoever leads now; waits for one."""
        until(lambda: any(each.leads() for each in self.alive), PATIENCE_S)
        return next(each for each in self.alive if each.leads())

    @property
    def alive(self) -> list[Controller]:
        return [each for each in self.controllers if each.process.poll() is None]

    def said(self, event: str, about: str = "", words: str = "") -> bool:
        """Say whether one of them wrote it to its log, about this or about anything."""
        lines = (line for each in self.controllers for line in each.said(event))
        ours = (line for line in lines if about in ("", line.get("about")))
        return any(words in str(line) for line in ours)

    def becomes(self, host: str, state: str) -> None:
        """Wait until this is the state that was last told of it."""
        until(lambda: f"→ {state}" in self._last_move(host), PATIENCE_S)

    def _last_move(self, host: str) -> str:
        moves = [line for each in self.controllers for line in each.said("host.moved")]
        last = max((it for it in moves if it["about"] == host), key=lambda it: float(it["at"]))
        return str(last["detail"])

    def is_running(self, servers: Iterable[str], *hosts: str) -> bool:
        """Say whether each of them runs on one of these hosts, and nowhere else."""
        running = self.hosts.running()
        return all(
            len(running.get(server, ())) == 1 and running[server] <= set(hosts)
            for server in servers
        )

    def evacuations(self) -> Counter[str]:
        """Count the sends that Nova accepted, by server: it makes a record for each."""
        path = "/os-migrations?migration_type=evacuation"
        records = self.site.nova("GET", path).body["migrations"]
        return Counter(record["instance_uuid"] for record in records)

    def judge(self, moved: Iterable[str], runs: Iterable[str]) -> None:
        """Hold the story against what must always be: `moved` once each, and `runs` running."""
        shown = {each["id"]: each for each in self.site.nova.servers()}
        running, sent = self.hosts.running(), self.evacuations()
        assert self.watch.ever == {}, "it ran twice"
        assert {server: sent[server] for server in shown if sent[server]} == dict.fromkeys(moved, 1)
        for server in runs:
            host = shown[server]["OS-EXT-SRV-ATTR:host"]
            assert running.get(server, frozenset()) == {host}, "Nova and the hypervisors differ"
            assert shown[server]["status"] == "ACTIVE"
        assert not any(each.said("bug.disarmed") for each in self.controllers)


def stays(claim: Callable[[], bool], for_s: float) -> None:
    """Look all the time that the claim holds."""
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        assert claim(), "it did not stay so"
        time.sleep(LOOK_S)


@contextmanager
def crew_of(site: Site3, hosts: Hosts, folder: Path, setup: Setup) -> Generator[Crew]:
    """Start controllers, wait until they see every host well; end them, whatever happened."""
    watch = Watch(hosts)
    looking = threading.Thread(target=watch.run)
    looking.start()
    try:
        with ExitStack() as stack:
            started = [
                stack.enter_context(Controller(name, configured(folder, name, hosts, setup)))
                for name in setup.controllers
            ]
            crew = Crew(site, hosts, started, watch)
            until(crew.leader.sees_all_well, PATIENCE_S)
            yield crew
            with ThreadPoolExecutor() as pool:
                assert set(pool.map(Controller.end, crew.alive)) <= {0}
    finally:
        watch.over.set()
        looking.join()


def configured(folder: Path, name: str, hosts: Hosts, setup: Setup) -> Path:
    """Write the configuration of one controller."""
    path = written(folder, name, site_of(hosts), controllers=setup.controllers)
    clouds = clouds_file(hosts.places).read_text().replace("  lab:", "  stand-in:")
    (folder / "clouds.yaml").write_text(clouds)
    text = numbered(path.read_text())
    if setup.has_references:
        text = text.replace("[policy]\n", f"{references(hosts)}\n[policy]\n")
    text += "".join(CLASS.format(name=name, tier=tier) for name, tier in setup.tiers.items())
    for host in NAMES if setup.has_second_level else ():
        bmc = f'system = "/redfish/v1/Systems/{host}"\n'
        chassis = SECOND_LEVEL.format(
            host=host,
            address=hosts.places.chassis_address,
            certificate=hosts.places.certificate,
            port=hosts.places.port("chassis"),
        )
        text = text.replace(bmc, bmc + chassis)
    path.write_text(by_ipmi(text, hosts) if setup.speaks_ipmi else text)
    return path


def by_ipmi(text: str, hosts: Hosts) -> str:
    """Let every BMC of a configuration be asked by `fence_ipmilan`."""
    text = text.replace('kind = "redfish"', 'kind = "fence_ipmilan"')
    for host in NAMES:
        at, port = hosts.places.host_at(Network.OOB, host), ipmi.port_of(hosts.places, host)
        options = f'{{ ipport = "{port}", lanplus = "1", cipher = "3", power_wait = "0" }}'
        text = text.replace(
            f'address = "{hosts.places.bmc_url(host)}"\nsystem = "/redfish/v1/Systems/{host}"',
            f'address = "{at}"\noptions = {options}',
        )
    return text


def numbered(text: str) -> str:
    """Write our numbers into a configuration: over its own, or beside them."""
    fresh = list[str]()
    for name, value in NUMBERS.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        fresh += [] if count else [f"{name} = {value}"]
    return text.replace("[policy]\n", "\n".join(["[policy]", *fresh, ""]))


def references(hosts: Hosts) -> str:
    """Name what else answers on each plane: the hosts of nobody's, and the network's stub."""
    places = hosts.places
    others = [places.probed(host) for host in places.hosts if host not in NAMES]
    stub = f"{places.address}:{places.port('network')}"
    lines = [
        f"{plane.value} = {[stub, *(':'.join(map(str, other[plane])) for other in others)]}"
        for plane in places.probed(NAMES[0])
    ]
    return "\n".join(["[probes.references]", *lines, ""])


def site_of(hosts: Hosts) -> Served:
    """Say where the lab listens, in the words of the stand-in."""
    places = hosts.places
    addresses = {
        host: {plane.value: f"{at}:{port}" for plane, (at, port) in places.probed(host).items()}
        for host in NAMES
    }
    bmcs = {host: places.bmc_url(host) for host in NAMES}
    return Served(places.url("keystone"), places.url("nova"), bmcs, addresses)
