"""A Nova whose behaviour is held to the table of what a real one was seen to do.

The same test classes run against the stand-in and against a real control plane: both are driven
through Nova's API, and by what happens to machines, which is all that this protocol adds.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from tests.cloud.cloud_client import Answer, Cloud, Nova, call, until

MOVED_S = 60.0  # the slowest machine under the slowest of the two


class Machines(Protocol):
    """What happens to hosts, and what really runs on them."""

    @property
    def nova(self) -> Nova: ...

    @property
    def placement_url(self) -> str: ...

    @property
    def flavor(self) -> str: ...

    @property
    def image(self) -> str: ...

    def power_off(self, host: str) -> None:
        """Cut the power: nova-compute and every guest of the host are gone at once."""
        ...

    def kill_compute(self, host: str) -> None: ...

    def start_compute(self, host: str) -> None:
        """Power the host on if it is off, and start nova-compute anew."""
        ...

    def fail_spawns(self, host: str) -> None:
        """From now on the driver of this host fails every spawn."""
        ...

    def take_time(self) -> None:
        """Let evacuations take a second or more from now on, so that others can come between."""
        ...

    def nobody_scheduled(self) -> AbstractContextManager[None]:
        """Let a move stay as its order made it, so that it is seen so."""
        ...

    def runs_on(self, server: str) -> set[str]: ...


@dataclass(frozen=True)
class StandInMachines:
    cloud: Cloud
    nova: Nova

    @property
    def placement_url(self) -> str:
        return f"{self.cloud.url}/placement"

    @property
    def flavor(self) -> str:
        found: list[Any] = self.nova("GET", "/flavors").body["flavors"]
        return next(str(each["id"]) for each in found if each["name"] == "small")

    @property
    def image(self) -> str:
        headers = {"X-Auth-Token": self.nova.token}
        answer = call("GET", f"{self.cloud.url}/image/v2/images", headers=headers)
        return str(answer.body["images"][0]["id"])

    def power_off(self, host: str) -> None:
        self.cloud.drive(host, "hold-compute")
        self.cloud.drive(host, "off")

    def kill_compute(self, host: str) -> None:
        self.cloud.drive(host, "kill-compute")

    def start_compute(self, host: str) -> None:
        self.cloud.drive(host, "on")
        until(lambda: is_up(self.cloud, host))
        self.cloud.drive(host, "start-compute")

    def fail_spawns(self, host: str) -> None:
        self.cloud.set_faults(spawn_errors=[[host, "Simulated failure to spawn"]])

    def take_time(self) -> None:
        self.cloud.control("PUT", "/pace", {"pace": 0.5})

    @contextmanager
    def nobody_scheduled(self) -> Generator[None]:
        self.take_time()
        yield

    def runs_on(self, server: str) -> set[str]:
        return {each["name"] for each in self.cloud.truth()["hosts"] if server in each["guests"]}


def is_up(cloud: Cloud, host: str) -> bool:
    return any(each["name"] == host and each["is_up"] for each in cloud.truth()["hosts"])


@dataclass(frozen=True)
class UnderTest:
    """The words in which the rows of the table are written. c1 is the host that dies."""

    machines: Machines

    @property
    def nova(self) -> Nova:
        return self.machines.nova

    # What is done

    def booted(self, host: str = "c1", name: str = "s") -> str:
        """Boot a server on this very host; returns its id once it is ACTIVE."""
        asked = {
            "name": name,
            "flavorRef": self.machines.flavor,
            "imageRef": self.machines.image,
            "networks": "none",
            "host": host,
        }
        answer = self.nova("POST", "/servers", {"server": asked}, "2.74")
        assert answer.status == 202, answer.body
        server: str = answer.body["server"]["id"]
        self.wait_for(server, lambda it: it["status"] == "ACTIVE")
        return server

    def acted(self, server: str, name: str, arguments: object, status: str) -> None:
        """Do something to a server, and wait until it shows."""
        answer = self.nova.act(server, name, arguments)
        assert answer.status < 300, answer.body
        self.wait_for(server, lambda it: it["status"] == status and not task(it))

    def die(self, host: str = "c1") -> None:
        """Power off, and tell Nova so."""
        self.machines.power_off(host)
        self.force_down(host)

    def force_down(self, host: str) -> None:
        assert self.nova.set_service(host, forced_down=True).status == 200

    def evacuate(self, server: str, version: str = "2.95", **arguments: object) -> Answer:
        return self.nova.act(server, "evacuate", arguments, version)

    def disable(self, *hosts: str, disabled: bool = True) -> None:
        for host in hosts:
            status = "disabled" if disabled else "enabled"
            assert self.nova.set_service(host, status=status).status == 200

    # What is seen

    def wait_for(self, server: str, claim: Callable[[Any], bool]) -> Any:
        until(lambda: claim(self.nova.server(server)), MOVED_S)
        return self.nova.server(server)

    def ended(self, server: str) -> Any:
        """Wait until nothing is under way for the server any more; returns it."""
        until(lambda: all(not is_open(each) for each in self.records(server)), MOVED_S)
        return self.wait_for(server, lambda it: not task(it))

    def records(self, server: str) -> list[Any]:
        """List the migration records of a server, oldest first."""
        answer = self.nova("GET", f"/os-migrations?instance_uuid={server}")
        found: list[Any] = answer.body["migrations"]
        return sorted(found, key=lambda it: int(it["id"]))

    def statuses(self, server: str) -> list[str]:
        return [each["status"] for each in self.records(server)]

    def allocated_on(self, server: str) -> int:
        """Count the resource providers on which Placement holds something for the server."""
        headers = {"X-Auth-Token": self.nova.token, "OpenStack-API-Version": "placement 1.28"}
        url = f"{self.machines.placement_url}/allocations/{server}"
        return len(call("GET", url, headers=headers).body["allocations"])


def task(server: Any) -> str | None:
    found: str | None = server["OS-EXT-STS:task_state"]
    return found


def place(server: Any) -> tuple[str, str]:
    return server["status"], server["OS-EXT-SRV-ATTR:host"]


def is_open(record: Any) -> bool:
    return record["status"] in {"accepted", "pre-migrating", "preparing", "running", "migrating"}


def message(answer: Answer) -> str:
    [fault] = answer.body.values()
    said: str = fault["message"]
    return said
