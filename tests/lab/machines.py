"""A real control plane under the same tests as the stand-in: what happens to its hosts, and resets.

A test leaves servers, dead hosts and open records behind; the next one begins with none of them.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from tests.cloud.cloud_client import Answer, Nova, call, until

from ninelives.engine.errors import PortError
from ninelives.lab.hosts import Hosts
from ninelives.lab.openstack import services
from ninelives.lab.openstack.api import logged_in
from ninelives.lab.openstack.files import PASSWORD

PATIENCE_S = 90.0  # of real processes on a machine with other work
AGAIN_S = 5.0  # after a restart of nova-compute until its records should be completed
SPAWN_S = 1.0
STILL = {"accepted", "pre-migrating"}


def login(hosts: Hosts, user: str = "admin") -> Nova:
    """Log in. Everybody works in the project of the administrator, whose the servers are."""
    token = logged_in(hosts.places.url("keystone"), user).token
    return Nova(f"{hosts.places.url('nova')}/v2.1", token)


def machines_of(hosts: Hosts) -> "LabMachines":
    nova = login(hosts)
    headers = {"X-Auth-Token": nova.token}
    answer = call("GET", f"{hosts.places.url('glance')}/v2/images", headers=headers)
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
        self.hosts.kill_compute(host)
        self.hosts.power_on(host)

    def fail_spawns(self, host: str) -> None:
        self.hosts.set_spawns(host, fails=True)

    def take_time(self) -> None:
        for host in self.hosts.places.hosts:
            self.hosts.set_spawns(host, takes_s=SPAWN_S)

    def runs_on(self, server: str) -> set[str]:
        return set(self.hosts.running().get(server, ()))

    # Between tests

    def reset(self) -> None:
        """Bring every host back into service, and delete every server."""
        heard = {each["host"]: each["updated_at"] for each in self.services()}
        for host in self.hosts.places.hosts:
            self.hosts.set_spawns(host)
            self.hosts.power_on(host)
        until(lambda: not any(each["status"] in STILL for each in self.records()), PATIENCE_S)
        for service in self.services():
            self._back(service)
        until(lambda: self._are_heard(heard), PATIENCE_S)
        self.delete_all()

    def _are_heard(self, before: Mapping[str, str]) -> bool:
        """What is up by an old record alone may be down for the scheduler a moment later."""
        found = self.services()
        is_new = all(each["updated_at"] != before[each["host"]] for each in found)
        return is_new and all(each["state"] == "up" for each in found)

    def delete_all(self) -> None:
        for server in self.nova.servers():
            self.nova.act(server["id"], "unlock")
            self.nova("DELETE", f"/servers/{server['id']}")
        until(lambda: not self.nova.servers(), PATIENCE_S)
        for host in self.hosts.places.hosts:  # a second copy is nobody's once its server is gone
            for guest in self.hosts.defined(host):
                (self.hosts.places.guests / host / guest).unlink(missing_ok=True)

    def services(self) -> list[Any]:
        found: list[Any] = self.nova("GET", "/os-services?binary=nova-compute").body["services"]
        return found

    def records(self) -> list[Any]:
        path = "/os-migrations?migration_type=evacuation"
        found: list[Any] = self.nova("GET", path).body["migrations"]
        return found

    def _back(self, service: Any) -> None:
        if service["status"] == "disabled":
            assert self.nova.set_service(service["host"], status="enabled").status == 200
        if service["forced_down"]:
            until(lambda: self._is_forced_up(service["host"]), PATIENCE_S)

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
        self.machines.reset()
        for host in self.hosts.places.hosts[3:]:
            self.machines.nova.set_service(host, status="disabled", disabled_reason="not of these")
        for host in ("c1", "c2", "c3"):
            self._boot(host, count=2)
        until(self._are_there, PATIENCE_S)

    def _are_there(self) -> bool:
        """Nova shows a server nowhere for a moment, on its way from a request to a host."""
        servers = self.machines.nova.servers()
        return len(servers) == 6 and all(map(is_active, servers))

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

    def ran_twice(self) -> dict[str, list[str]]:
        return {guest: sorted(hosts) for guest, hosts in self.hosts.twice().items()}

    def _boot(self, host: str, name: str = "vm", count: int = 1) -> str:
        asked = {
            "name": name,
            "flavorRef": self.machines.flavor,
            "imageRef": self.machines.image,
            "networks": "none",
            "host": host,
            "min_count": count,
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
