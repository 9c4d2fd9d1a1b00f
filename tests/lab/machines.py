"""A real control plane under the same tests as the stand-in: what happens to its hosts, and resets.

A test leaves servers, dead hosts and open records behind; the next one begins with none of them,
and with whatever can be kept.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from tests.cloud.cloud_client import Answer, Nova, call, until

from ninelives.engine.errors import PortError
from ninelives.lab.hosts import BmcMode, GuestState, Hosts
from ninelives.lab.openstack import services
from ninelives.lab.openstack.api import logged_in
from ninelives.lab.openstack.catalogue import IMAGE
from ninelives.lab.openstack.files import PASSWORD

PATIENCE_S = 120.0
EACH_S = 10.0  # of real processes on a machine with other work
AGAIN_S = 30.0  # after a restart of nova-compute until its records should be completed
SPAWN_S = 2.0
HELD_S = 600.0  # a spawn that waits until it is told to go on
# Of the minute after which a service that does not report counts as down: whoever reported this
# long ago still has time to report anew before the scheduler leaves it out.
HEARD_S = 40.0
NOT_OFFERED = "COMPUTE_STATUS_DISABLED"  # a trait
STILL = {"accepted", "pre-migrating"}
NAMES = ("c1", "c2", "c3")  # the hosts of a `Site3`
EACH = 2  # servers on each of them
NOTHING: Mapping[str, str] = {}


def login(hosts: Hosts, user: str = "admin") -> Nova:
    """Log in. Everybody works in the project of the administrator, whose the servers are."""
    token = logged_in(hosts.places.url("keystone"), user).token
    return Nova(f"{hosts.places.url('nova')}/v2.1", token)


def machines_of(hosts: Hosts) -> "LabMachines":
    nova = login(hosts)
    headers = {"X-Auth-Token": nova.token}
    url = f"{hosts.places.url('glance')}/v2/images?name={IMAGE}"  # shelving makes images, too
    answer = call("GET", url, headers=headers)
    return LabMachines(hosts, nova, str(answer.body["images"][0]["id"]))


@dataclass(frozen=True)
class LabMachines:
    """`nova_under_test.Machines` on real parts."""

    hosts: Hosts
    nova: Nova
    image: str

    @property
    def placement_url(self) -> str:
        return self.hosts.places.url("placement")

    @property
    def flavor(self) -> str:
        return "1"

    def power_off(self, host: str) -> None:
        self.hosts.power_off(host)

    def kill_compute(self, host: str) -> None:
        self.hosts.kill_compute(host)

    def start_compute(self, host: str) -> None:
        """Start it anew. Spawns elsewhere that take time do not end before it is through."""
        is_slow = bool(self.hosts.spawn_s(host))
        self.hosts.kill_compute(host)
        if is_slow:
            self._set_spawns(HELD_S)
        self.hosts.power_on(host)
        if is_slow:
            until(lambda: not any(self._is_open(host, it) for it in self.records()), PATIENCE_S)
            self._set_spawns(SPAWN_S)

    def _is_open(self, source: str, record: Any) -> bool:
        """nova-compute completes what is open from its host as soon as it starts."""
        return record["source_compute"] == source and record["status"] in STILL

    def fail_spawns(self, host: str) -> None:
        self.hosts.set_spawns(host, fails=True)

    def take_time(self) -> None:
        self._set_spawns(SPAWN_S)

    def _set_spawns(self, takes_s: float) -> None:
        for host in self.hosts.places.hosts:
            self.hosts.set_spawns(host, takes_s=takes_s)

    @contextmanager
    def nobody_scheduled(self) -> Generator[None]:
        """Stop the scheduler: a conductor waits for it for a minute."""
        self.hosts.processes.send("nova-scheduler", signal.SIGSTOP)
        try:
            yield
        finally:
            self.hosts.processes.send("nova-scheduler", signal.SIGCONT)

    def runs_on(self, server: str) -> set[str]:
        return set(self.hosts.running().get(server, ()))

    # Between tests

    def reset(self, keeps: Callable[[Any], bool] = lambda _: False) -> list[Any]:
        """Bring every host back into service; delete every server but those that it keeps.

        Returns the servers that are left.
        """
        services.start_nova_api(self.hosts.processes)  # where a story ended without it
        self.hosts.processes.listens("nova-api", "nova")
        for host in self.hosts.places.hosts:
            self.hosts.set_spawns(host)
            self.hosts.set_bmc(host, BmcMode.MENDED)
            for network in self.hosts.cuts(host):
                self.hosts.mend(host, network)
            self.hosts.thaw(host)
            self.hosts.power_on(host)
        until(lambda: not any(map(self._is_under_way, self.records())), PATIENCE_S)
        until(lambda: all(map(self._has_begun, self.services())), PATIENCE_S)
        for host in self.hosts.places.hosts:
            self._back(host)
        self._hear_all()
        return self._delete(keeps)

    def _is_under_way(self, record: Any) -> bool:
        """Say whether anybody is at it: one whose target died in the middle is open for ever."""
        target = record["dest_compute"]
        began = self.hosts.processes.started_at(target) if target is not None else 0.0
        return (
            record["status"] in STILL
            and instant(record["updated_at"] or record["created_at"]) >= began
        )

    def _has_begun(self, service: Any) -> bool:
        """Say whether its nova-compute reported since it was started, and so has read its queue.

        An order to disable that found the host frozen waits there for half an hour, and is obeyed
        by the next nova-compute (nova/compute/rpcapi.py, `set_host_enabled`, `long_rpc_timeout`).
        """
        said, began = service["updated_at"], self.hosts.processes.started_at(service["host"])
        return said is not None and instant(said) > began

    def _hear_all(self) -> None:
        """Wait for a report of every host, unless each one reported a moment ago.

        Who is up by an old record alone may be down for the scheduler a moment later.
        """
        last = self.hosts.places.run / "all-reported"
        if last.exists() and time.time() < last.stat().st_mtime + HEARD_S:
            return
        before = {each["host"]: each["updated_at"] for each in self.services()}
        until(lambda: self._have_reported(before), PATIENCE_S)
        last.touch()

    def _have_reported(self, before: Mapping[str, str]) -> bool:
        found = self.services()
        is_new = all(each["updated_at"] != before[each["host"]] for each in found)
        return is_new and all(each["state"] == "up" for each in found)

    def _delete(self, keeps: Callable[[Any], bool]) -> list[Any]:
        servers = self.nova.servers()
        left = [each for each in servers if keeps(each) and self._runs_where_it_is_shown(each)]
        names = {each["id"] for each in left}
        for server in (each for each in servers if each["id"] not in names):
            self.nova.act(server["id"], "unlock")
            self.nova("DELETE", f"/servers/{server['id']}")
        until(lambda: {each["id"] for each in self.nova.servers()} <= names, PATIENCE_S)
        for host in self.hosts.places.hosts:  # a second copy is nobody's once its server is gone
            for guest in set(self.hosts.defined(host)) - names:
                self.hosts.forget(host, guest)
        return left

    def _runs_where_it_is_shown(self, server: Any) -> bool:
        return self.runs_on(server["id"]) == {server["OS-EXT-SRV-ATTR:host"]}

    def services(self) -> list[Any]:
        found: list[Any] = self.nova("GET", "/os-services?binary=nova-compute").body["services"]
        return found

    def records(self, kind: str = "evacuation") -> list[Any]:
        path = f"/os-migrations?migration_type={kind}" if kind else "/os-migrations"
        found: list[Any] = self.nova("GET", path).body["migrations"]
        return found

    def _back(self, host: str) -> None:
        """Force it up, then enable it: Nova lets Placement know only where the service is up."""
        if self.nova.service(host)["forced_down"]:
            until(lambda: self._is_forced_up(host), PATIENCE_S)
        until(lambda: self._is_offered(host), PATIENCE_S)

    def _is_offered(self, host: str) -> bool:
        """Enable it until Placement knows, whatever the service says of itself.

        nova/compute/api.py, `_update_compute_provider_status`: only where the service is up, and
        an error on the way is logged and forgotten.
        """
        shown = self.nova.service(host)
        if shown["state"] != "up":
            return False
        if shown["status"] == "disabled":
            self.nova.set_service(host, status="enabled")
        if self._has_placement(host):
            return True
        self.nova.set_service(host, status="disabled")
        return False

    def _has_placement(self, host: str) -> bool:
        """Say whether Placement would offer it."""
        headers = {"X-Auth-Token": self.nova.token, "OpenStack-API-Version": "placement 1.22"}
        url = f"{self.placement_url}/resource_providers?required=!{NOT_OFFERED}"
        offered = call("GET", url, headers=headers).body["resource_providers"]
        return any(each["name"] == host for each in offered)

    def _is_forced_up(self, host: str) -> bool:
        """Force it up. A record that came too late to be completed asks for one more restart."""
        answer: Answer = self.nova.set_service(host, forced_down=False)
        if answer.status == 200:
            return True
        with suppress(AssertionError):
            until(lambda: not self._has_done(host), AGAIN_S)
            return False
        self.start_compute(host)
        return False

    def _has_done(self, host: str) -> bool:
        return any((it["status"], it["source_compute"]) == ("done", host) for it in self.records())


@dataclass(frozen=True)
class LabCloud:
    """What the contract of the port `Compute` does to a cloud, as far as a real one lets it."""

    machines: LabMachines

    @property
    def hosts(self) -> Hosts:
        return self.machines.hosts

    @property
    def auth_url(self) -> str:
        return f"{self.hosts.places.url('keystone')}/v3"

    @property
    def password(self) -> str:
        return PASSWORD

    def login(self, user: str = "admin", project: str | None = None) -> Nova:
        return login(self.hosts, user)

    def reset(self, **plan: object) -> None:
        if plan:
            pytest.skip(f"a real cloud has no {', '.join(plan)}")
        chosen = Counter[str]()
        moved = {each["instance_uuid"] for each in self.machines.records("")}

        def keeps(server: Any) -> bool:
            """Keep two that are as if they had just been booted, on each host."""
            host = str(server["OS-EXT-SRV-ATTR:host"])
            is_good = host in NAMES and is_untouched(server) and chosen[host] < EACH
            is_good = is_good and server["id"] not in moved
            chosen[host] += is_good
            return is_good

        left = Counter(it["OS-EXT-SRV-ATTR:host"] for it in self.machines.reset(keeps))
        for host in self.hosts.places.hosts[len(NAMES) :]:
            self.machines.nova.set_service(host, status="disabled", disabled_reason="not of these")
        for host in NAMES:
            if missing := EACH - left[host]:
                self._boot(host, count=missing)
        until(self._are_there, PATIENCE_S)

    def _are_there(self) -> bool:
        """Nova shows a server nowhere for a moment, on its way from a request to a host."""
        servers = self.machines.nova.servers()
        return len(servers) == EACH * len(NAMES) and all(map(is_active, servers))

    def drive(self, host: str, verb: str, **arguments: object) -> None:
        match verb:
            case "off":
                self.hosts.power_off(host)
            case "on":
                self.hosts.power_on(host)
            case _:
                pytest.skip(f"a host of the lab cannot do this: {verb}")

    def set_faults(self, **faults: object) -> None:
        if faults:
            pytest.skip("a real API cannot be told to be ill")

    def control(self, method: str, path: str, body: object = None) -> Any:
        pytest.skip(f"a real cloud has no {path}")

    def add_server(self, name: str, host: str, **state: object) -> str:
        """Boot one, and bring it into a state by the orders of a user."""
        server = self._boot(host, name=name)
        self._settles(server, "ACTIVE")
        match state.get("vm_state", "active"):
            case "active":
                pass
            case "paused":
                self._act(server, "pause", None, "PAUSED")
            case "suspended":
                self._act(server, "suspend", None, "SUSPENDED")
            case "rescued":
                self._act(server, "rescue", {}, "RESCUE")
            case _:
                pytest.skip(f"read, not run: the lab has no way to {state}")
        return server

    def add_many(self, host: str, count: int, kind: str) -> list[str]:
        """Boot several of one class at once, and wait until Nova has seen each of them run."""
        self._boot(host, name=kind, count=count, metadata={"class": kind})

        def found() -> list[Any]:
            return [
                it for it in self.machines.nova.servers(host) if it["metadata"].get("class") == kind
            ]

        def is_seen_running(server: Any) -> bool:
            return is_active(server) and server["OS-EXT-STS:power_state"] == GuestState.RUNNING

        patience_s = PATIENCE_S + EACH_S * count  # one nova-compute spawns them all
        try:
            until(lambda: sum(map(is_seen_running, found())) == count, patience_s)
        except AssertionError as error:
            keys = ("id", "status", "OS-EXT-STS:power_state", "OS-EXT-STS:task_state")
            late = [[it[key] for key in keys] for it in found() if not is_seen_running(it)]
            raise AssertionError(f"of {count}, {len(found())} are there; late: {late}") from error
        return [str(each["id"]) for each in found()]

    def ran_twice(self) -> dict[str, list[str]]:
        return {guest: sorted(hosts) for guest, hosts in self.hosts.twice().items()}

    def _boot(
        self, host: str, name: str = "vm", count: int = 1, metadata: Mapping[str, str] = NOTHING
    ) -> str:
        asked = {
            "name": name,
            "flavorRef": self.machines.flavor,
            "imageRef": self.machines.image,
            "networks": "none",
            "host": host,
            "min_count": count,
            "metadata": metadata,
        }
        answer = self.machines.nova("POST", "/servers", {"server": asked}, "2.74")
        assert answer.status == 202, answer.body
        return str(answer.body["server"]["id"])

    def _act(self, server: str, name: str, arguments: object, status: str) -> None:
        assert self.machines.nova.act(server, name, arguments).status < 300
        self._settles(server, status)

    def _settles(self, server: str, status: str) -> None:
        def is_so() -> bool:
            shown = self.machines.nova.server(server)
            return shown["status"] == status and shown["OS-EXT-STS:task_state"] is None

        until(is_so, PATIENCE_S)


def instant(written: str) -> float:
    """Read a time of Nova's, as time.time() counts."""
    return datetime.fromisoformat(f"{written}Z").timestamp()


def is_untouched(server: Any) -> bool:
    """Say whether it looks as it was booted."""
    is_at_rest = server["OS-EXT-STS:task_state"] is None and not server["locked"]
    return bool(server["status"] == "ACTIVE" and is_at_rest and server["name"].startswith("vm"))


def is_active(server: Any) -> bool:
    assert server["status"] != "ERROR", server.get("fault")
    return bool(server["status"] == "ACTIVE")


def runs(hosts: Hosts) -> bool:
    """Say whether this lab answers."""
    try:
        api = logged_in(hosts.places.url("keystone"))
        return set(hosts.places.hosts) <= services.shown(hosts.places, api)
    except PortError:
        return False
