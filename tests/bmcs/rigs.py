"""One machine, its BMC at work on loopback, and the device of ours that speaks to it: each kind."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from tests.bmcs.ipmi import IPMI_PASSWORD, IpmiBmc
from tests.bmcs.machine import PASSWORD, USER, Fault, machine_in
from tests.bmcs.redfish import SYSTEMS, RedfishBmc, new_certificate
from tests.cloud.cloud_client import Cloud

from ninelives.adapters.fence_agent import FenceAgent
from ninelives.adapters.power import PowerRoads, Wired
from ninelives.adapters.redfish import Redfish, RedfishAt
from ninelives.adapters.redfish_wire import Trust
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, Power, RoadId
from ninelives.engine.device import Device
from ninelives.engine.errors import PortError
from ninelives.engine.ports import Answer
from ninelives.sim.cloud import redfish as cloud_bmc
from ninelives.sim.cloud.catalogue import PASSWORD as CLOUD_PASSWORD
from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import served

HOST, ROAD = HostId("c1"), RoadId("bmc-c1")
PATIENCE_S = 30.0  # an agent starts a Python of its own, here beside everybody else's tests
PACKAGES = "fence-agents ipmitool openipmi openssl"

Value = TypeVar("Value")
Call = Callable[[PowerRoads], Awaitable[Value]]
Made = Callable[[str, float], Device]  # from a password and a deadline


class Truth(Protocol):
    """How one machine really is."""

    @property
    def is_on(self) -> bool: ...
    def switch(self, *, is_on: bool) -> None: ...


@dataclass
class Rig:
    """What a contract needs."""

    machine: Truth
    neighbour: Truth | None  # behind the same BMC
    make: Made
    password: str
    break_by: Callable[[Fault], None]

    def ask(
        self, call: Call[Value], password: str | None = None, deadline_s: float = PATIENCE_S
    ) -> Value:
        async def asked() -> Value:
            device = self.make(self.password if password is None else password, deadline_s)
            roads = PowerRoads({(HOST, ROAD): Wired(device)})
            try:
                return await call(roads)
            finally:
                await roads.close()

        return asyncio.run(asked())

    def read(self) -> Power:
        return self.ask(read)

    def order_off(self, deadline_s: float) -> Answer:
        """Order `off` as perform does, for whom an error is an outcome that nobody knows."""
        try:
            return self.ask(switch_off, deadline_s=deadline_s)
        except PortError:
            return Answer(Outcome.UNKNOWN)


def read(power: PowerRoads) -> Awaitable[Power]:
    return power.read(HOST, ROAD)


def switch_off(power: PowerRoads) -> Awaitable[Answer]:
    return power.switch_off(HOST, ROAD)


def switch_on(power: PowerRoads) -> Awaitable[Answer]:
    return power.switch_on(HOST)


def needed(*programs: str) -> None:
    for program in programs:
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"no {program}: apt-get install {PACKAGES}")


# --------------------------------------------------------------------------------- fence agents


def fence_redfish(tmp_path: Path) -> Generator[Rig]:
    needed("fence_redfish", "openssl")
    machine, neighbour = machine_in(tmp_path / "c1"), machine_in(tmp_path / "c2")
    certificate = new_certificate(tmp_path)
    bmc = RedfishBmc({"1": machine, "2": neighbour}, certificate)

    def make(password: str, deadline_s: float) -> Device:
        options = {
            "ip": "127.0.0.1",
            "ipport": str(bmc.port),
            "username": USER,
            "systems_uri": f"{SYSTEMS}/1",
        }
        program, secrets = Path("/usr/sbin/fence_redfish"), {"password": password}
        return FenceAgent(program, options, secrets, certificate, deadline_s, deadline_s)

    yield Rig(machine, neighbour, make, PASSWORD, machine.break_by)
    bmc.stop()


def fence_ipmilan(tmp_path: Path) -> Generator[Rig]:
    needed("fence_ipmilan", "ipmitool", "ipmi_sim")
    machine = machine_in(tmp_path / "c1")
    bmc = IpmiBmc(machine)

    def make(password: str, deadline_s: float) -> Device:
        options = {
            "ip": "127.0.0.1",
            "ipport": str(bmc.port),
            "username": USER,
            "lanplus": "1",
            "cipher": "3",  # the simulator cannot be asked which it knows
            "power_wait": "0",
        }
        program, secrets = Path("/usr/sbin/fence_ipmilan"), {"password": password}
        return FenceAgent(program, options, secrets, None, deadline_s, deadline_s)

    yield Rig(machine, None, make, IPMI_PASSWORD, bmc.break_by)
    bmc.stop()


# --------------------------------------------------------------------------------- Redfish


def redfish(tmp_path: Path, *, has_sessions: bool = False) -> Generator[Rig]:
    needed("openssl")
    machine, neighbour = machine_in(tmp_path / "c1"), machine_in(tmp_path / "c2")
    certificate = new_certificate(tmp_path)
    bmc = RedfishBmc({"1": machine, "2": neighbour}, certificate)

    def make(password: str, deadline_s: float) -> Device:
        url, trust = f"https://127.0.0.1:{bmc.port}", Trust(certificate)
        at = RedfishAt(url, f"{SYSTEMS}/1", USER, password, trust, has_sessions)
        return Redfish(replace(at, read_s=deadline_s, order_s=deadline_s))

    yield Rig(machine, neighbour, make, PASSWORD, machine.break_by)
    bmc.stop()


def redfish_sessions(tmp_path: Path) -> Generator[Rig]:
    yield from redfish(tmp_path, has_sessions=True)


@dataclass(frozen=True)
class CloudMachine:
    """A compute host of the OpenStack stand-in."""

    cloud: Cloud
    name: str

    @property
    def is_on(self) -> bool:
        hosts = self.cloud.control("GET", "")["hosts"]
        return any(host["name"] == self.name and host["power"] == "on" for host in hosts)

    def switch(self, *, is_on: bool) -> None:
        self.cloud.drive(self.name, "on" if is_on else "off")


CLOUD_FAULTS: Mapping[Fault, Mapping[str, object]] = {
    Fault.SILENT: {"is_silent": True},
    Fault.STUCK: {"is_stuck": True},
    Fault.SAYS_ON: {"says": "on"},
    Fault.SAYS_OFF: {"says": "off"},
    Fault.REFUSES_WHEN_OFF: {"refuses": 409},
    Fault.REFUSES_WITH_400: {"refuses": 400},
    Fault.ERROR: {"is_failing": True},
}


def redfish_of_the_stand_in(tmp_path: Path) -> Generator[Rig]:
    """Hold the stand-in's BMCs to the same contract: what is tested upon them, then counts."""
    with served(Plan(hosts=2, servers=0)) as where:
        cloud = Cloud(where)
        name, neighbour = where.bmc_urls
        cloud.set_bmc(name, systems=[neighbour])

        def make(password: str, deadline_s: float) -> Device:
            system = f"{SYSTEMS}/{name}"
            at = RedfishAt(where.bmc_urls[name], system, cloud_bmc.USER, password)
            return Redfish(replace(at, read_s=deadline_s, order_s=deadline_s))

        def break_by(fault: Fault) -> None:
            cloud.set_bmc(name, systems=[neighbour], **CLOUD_FAULTS[fault])

        machine, other = CloudMachine(cloud, name), CloudMachine(cloud, neighbour)
        yield Rig(machine, other, make, CLOUD_PASSWORD, break_by)


KINDS: Mapping[str, Callable[[Path], Generator[Rig]]] = {
    "fence_redfish": fence_redfish,
    "fence_ipmilan": fence_ipmilan,
    "redfish": redfish,
    "redfish_sessions": redfish_sessions,
    "redfish_of_the_stand_in": redfish_of_the_stand_in,
}
