"""The stand-in as tests drive it: its control endpoint, and a bare client of its APIs."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ninelives.sim.cloud.catalogue import PASSWORD
from ninelives.sim.cloud.serve import Served

QUICK: Mapping[str, object] = {
    "hosts": 3,
    "servers": 6,
    "pace": 0.02,
    "boot_s": 0.1,
    "live_migration_s": 0.2,
    "report_interval_s": 0.2,
    "service_down_time_s": 1.0,
}
PATIENCE_S = 10.0
ANSWER_S = 60.0  # of a real API on a machine with other work
CALM_S = 0.1  # whoever asks a real cloud more often is what it is busy with


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: Any


def call(
    method: str,
    url: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    patience_s: float = ANSWER_S,
) -> Answer:
    content = None if body is None else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    try:
        reply: Any = urlopen(Request(url, content, all_headers, method=method), timeout=patience_s)
    except HTTPError as error:
        reply = error
    with reply:
        read = reply.read()
    received = {name.lower(): value for name, value in reply.headers.items()}
    return Answer(reply.status, received, json.loads(read) if read else None)


@dataclass(frozen=True)
class Cloud:
    """What the `cloud` fixture gives. Each test begins with three hosts and six servers on them."""

    served: Served

    @property
    def url(self) -> str:
        return self.served.url

    @property
    def auth_url(self) -> str:
        return self.served.auth_url

    @property
    def password(self) -> str:
        return PASSWORD

    def bmc_url(self, host: str) -> str:
        return self.served.bmc_urls[host]

    # What no cloud offers

    def reset(self, **plan: object) -> None:
        """Begin anew: `Plan` in ninelives.sim.cloud.catalogue has the fields."""
        self.control("POST", "/reset", {**QUICK, **plan})

    def drive(self, host: str, verb: str, **arguments: object) -> Any:
        """Do to a host what control.py lists: off, on, freeze, thaw, cut, mend, kill-compute …"""
        return self.control("POST", f"/hosts/{host}/{verb}", arguments)

    def set_bmc(self, host: str, **modes: object) -> None:
        """Let a BMC misbehave: `Bmc` in ninelives.sim.cloud.machines has the modes."""
        self.control("PUT", f"/bmcs/{host}", modes)

    def set_faults(self, **faults: object) -> None:
        """Let Nova be ill: `Faults` in ninelives.sim.nova has the fields."""
        self.control("PUT", "/faults", faults)

    def add_server(self, name: str, host: str | None, **state: object) -> str:
        """Put one more server there, in any state; returns its id."""
        added: str = self.control("POST", "/servers", {"name": name, "host": host, **state})["id"]
        return added

    def truth(self) -> Any:
        return self.control("GET", "")

    def machine(self, host: str) -> Any:
        return next(each for each in self.truth()["hosts"] if each["name"] == host)

    def guests(self, host: str) -> list[str]:
        found: list[str] = self.machine(host)["guests"]
        return found

    def ran_twice(self) -> dict[str, list[str]]:
        """Every server that ever ran on two hosts at once, since the last reset."""
        found: dict[str, list[str]] = self.control("GET", "/twice")["ever"]
        return found

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = call(method, f"{self.url}/control{path}", body)
        assert answer.status < 300, answer.body
        return answer.body

    # What a cloud offers

    def login(self, user: str = "admin", project: str | None = None) -> "Nova":
        domain = {"id": "default"}
        identity = {"name": user, "password": PASSWORD, "domain": domain}
        scope = {"project": {"name": project or user, "domain": domain}}
        methods = {"methods": ["password"], "password": {"user": identity}}
        body = {"auth": {"identity": methods, "scope": scope}}
        answer = call("POST", f"{self.auth_url}/auth/tokens", body)
        assert answer.status == 201, answer.body
        return Nova(f"{self.served.compute_url}/compute/v2.1", answer.headers["x-subject-token"])

    def redfish(self, host: str, method: str, path: str, body: object = None) -> Answer:
        secret = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}"}
        return call(method, f"{self.bmc_url(host)}/redfish/v1{path}", body, headers)


@dataclass(frozen=True)
class Nova:
    """A bare client of Nova: what is asked is what is sent."""

    url: str
    token: str
    version: str = "2.95"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(
        self, method: str, path: str, body: object = None, version: str | None = None
    ) -> Answer:
        headers = {
            "X-Auth-Token": self.token,
            "OpenStack-API-Version": f"compute {version or self.version}",
            **self.headers,
        }
        return call(method, self.url + path, body, headers)

    def act(
        self, server: str, name: str, arguments: object = None, version: str | None = None
    ) -> Answer:
        return self("POST", f"/servers/{server}/action", {name: arguments}, version)

    def server(self, server: str) -> Any:
        return self("GET", f"/servers/{server}").body["server"]

    def servers(self, host: str | None = None) -> list[Any]:
        query = "?all_tenants=1" + (f"&host={host}" if host else "")
        found: list[Any] = self("GET", f"/servers/detail{query}").body["servers"]
        return found

    def service(self, host: str) -> Any:
        found = self("GET", f"/os-services?host={host}&binary=nova-compute").body["services"]
        return found[0]

    def set_service(self, host: str, **changes: object) -> Answer:
        return self("PUT", f"/os-services/{self.service(host)['id']}", changes)


def until(claim: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Look again until the claim holds, ever more calmly; fail when patience is over."""
    deadline, pause_s = time.monotonic() + patience_s, 0.01
    while not claim():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, CALM_S)
