"""The laws of `ports.PowerDevices`, for every kind of device, against real protocols on loopback.

The BMCs are at fault in every way that was measured on real agents. What must hold for each: the
core is told what was read, never more; and nobody waits longer than the deadline.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from tests.bmcs.ipmi import IPMI_PASSWORD, IpmiBmc
from tests.bmcs.machine import PASSWORD, USER, Fault, Machine, machine_in
from tests.bmcs.redfish import SYSTEMS, RedfishBmc, new_certificate

from ninelives.adapters.fence_agent import FenceAgent
from ninelives.adapters.power import PowerRoads, Wired
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, Power, RoadId
from ninelives.engine.device import Device
from ninelives.engine.errors import PortError
from ninelives.engine.ports import ACCEPTED, Answer

HOST, ROAD = HostId("c1"), RoadId("bmc-c1")
PATIENCE_S = 30.0  # an agent starts a Python of its own, here beside everybody else's tests
SOON_S = 2.0

Value = TypeVar("Value")
Call = Callable[[PowerRoads], Awaitable[Value]]
Made = Callable[[str, float], Device]  # from a password and a deadline


@dataclass
class Rig:
    """One machine, its BMC at work, and how to make a device that speaks to it."""

    machine: Machine
    neighbour: Machine | None
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
            pytest.skip(
                f"{program} is not installed: apt-get install fence-agents ipmitool openipmi"
            )


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


KINDS = {"fence_redfish": fence_redfish, "fence_ipmilan": fence_ipmilan}


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Rig]:
    yield from KINDS[request.param](tmp_path)


@pytest.mark.timeout(300)
class TestPowerDevices:
    def test_reads_what_is(self, rig: Rig) -> None:
        assert rig.read() is Power.ON

        rig.machine.switch(is_on=False)

        assert rig.read() is Power.OFF

    def test_off_is_acknowledged_and_then_read(self, rig: Rig) -> None:
        assert rig.ask(switch_off) == ACCEPTED

        assert not rig.machine.is_on
        assert rig.read() is Power.OFF

    def test_off_touches_no_other_machine_behind_the_same_bmc(self, rig: Rig) -> None:
        rig.ask(switch_off)

        assert rig.neighbour is None or rig.neighbour.is_on

    def test_on_is_acknowledged(self, rig: Rig) -> None:
        rig.machine.switch(is_on=False)

        assert rig.ask(switch_on) == ACCEPTED

        assert rig.machine.is_on

    @pytest.mark.parametrize("fault", [Fault.REFUSES_WHEN_OFF, Fault.REFUSES_WITH_400])
    def test_off_of_what_is_off_already_is_refused_as_such(self, rig: Rig, fault: Fault) -> None:
        rig.break_by(fault)
        rig.machine.switch(is_on=False)

        answer = rig.ask(switch_off)

        assert answer[:2] == (Outcome.REFUSED, "already_off")

    def test_a_lie_is_believed_by_nobody_but_the_core(self, rig: Rig) -> None:
        """It is told what was read; that the host lives on, it hears by its witnesses (R4a)."""
        rig.break_by(Fault.SAYS_OFF)

        assert rig.read() is Power.OFF
        assert rig.machine.is_on

    def test_a_stuck_device_reads_on_whatever_it_acknowledged(self, rig: Rig) -> None:
        rig.break_by(Fault.STUCK)

        assert rig.order_off(deadline_s=SOON_S).outcome in {Outcome.DONE, Outcome.UNKNOWN}

        assert rig.read() is Power.ON

    def test_a_silent_device_is_given_up_at_the_deadline(self, rig: Rig) -> None:
        rig.break_by(Fault.SILENT)

        with pytest.raises(PortError):
            rig.ask(read, deadline_s=SOON_S)
        assert rig.order_off(deadline_s=SOON_S).outcome is Outcome.UNKNOWN
        assert rig.machine.is_on

    def test_a_wrong_password_is_no_reading(self, rig: Rig) -> None:
        assert rig.ask(read, password="wrong") is Power.UNREADABLE

    def test_a_wrong_password_is_no_off(self, rig: Rig) -> None:
        answer = rig.ask(switch_off, password="wrong")

        assert answer.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}
        assert answer.reason != "already_off"
        assert rig.machine.is_on

    def test_who_is_cancelled_sends_nothing_any_more(self, rig: Rig) -> None:
        async def cancelled(power: PowerRoads) -> None:
            task = asyncio.Task(power.switch_off(HOST, ROAD))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        rig.ask(cancelled)

        assert rig.machine.is_on
