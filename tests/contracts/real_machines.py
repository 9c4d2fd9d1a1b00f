"""A real control plane under the rows of the table: its API by the usual variables, its machines by
one command.

    OS_AUTH_URL OS_USERNAME OS_PASSWORD OS_PROJECT_NAME     an admin of five hosts, c1 to c5
    NINELIVES_LAB="CMD"        CMD off|kill-compute|start-compute|fail-spawns HOST
                               CMD slow-spawns|mend        all hosts
                               CMD runs-on SERVER          prints the hosts where its guest runs
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.cloud.cloud_client import Nova, call, until

HOSTS = tuple(f"c{number}" for number in range(1, 6))
COMMAND_TIMEOUT_S = 60
BACK_S = 60.0
LAB = os.environ.get("NINELIVES_LAB", "")


@dataclass(frozen=True)
class RealMachines:
    nova: Nova
    endpoints: Mapping[str, str]

    @property
    def placement_url(self) -> str:
        return self.endpoints["placement"]

    @property
    def flavor(self) -> str:
        found: list[Any] = self.nova("GET", "/flavors").body["flavors"]
        return str(found[0]["id"])

    @property
    def image(self) -> str:
        headers = {"X-Auth-Token": self.nova.token}
        # The oldest one: shelving makes images too.
        url = f"{self.endpoints['image']}/v2/images?sort=created_at:asc"
        return str(call("GET", url, headers=headers).body["images"][0]["id"])

    def power_off(self, host: str) -> None:
        ordered("off", host)

    def kill_compute(self, host: str) -> None:
        ordered("kill-compute", host)

    def start_compute(self, host: str) -> None:
        ordered("start-compute", host)

    def fail_spawns(self, host: str) -> None:
        ordered("fail-spawns", host)
        until(lambda: bool(self.nova.service(host)["state"] == "up"), BACK_S)

    def take_time(self) -> None:
        ordered("slow-spawns")

    def runs_on(self, server: str) -> set[str]:
        return set(ordered("runs-on", server).split())

    def clean(self) -> None:
        """Begin anew: no servers, every host up and enabled."""
        for server in self.nova.servers():
            self.nova.act(server["id"], "os-resetState", {"state": "error"})
            self.nova("DELETE", f"/servers/{server['id']}")
        ordered("mend")
        for host in HOSTS:
            self.start_compute(host)
        until(lambda: self.nova.servers() == [], BACK_S)
        for host in HOSTS:
            self._let_in(host)

    def _let_in(self, host: str) -> None:
        until(lambda: self._is_let_in(host), BACK_S)

    def _is_let_in(self, host: str) -> bool:
        up = self.nova.set_service(host, forced_down=False, status="enabled")
        return up.status == 200 and up.body["service"]["state"] == "up"


def ordered(*words: str) -> str:
    done = subprocess.run(
        [*shlex.split(LAB), *words], capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def real_machines() -> RealMachines:
    """Log in to the cloud that the environment names."""
    domain = {"id": "default"}
    known = os.environ
    user = {"name": known["OS_USERNAME"], "password": known["OS_PASSWORD"], "domain": domain}
    project = {"name": known["OS_PROJECT_NAME"], "domain": domain}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": project}}}
    answer = call("POST", f"{known['OS_AUTH_URL']}/auth/tokens", body)
    assert answer.status == 201, answer.body
    endpoints = {
        each["type"]: next(
            str(at["url"]) for at in each["endpoints"] if at["interface"] == "public"
        )
        for each in answer.body["token"]["catalog"]
    }
    nova = Nova(endpoints["compute"], answer.headers["x-subject-token"])
    return RealMachines(nova, endpoints)
