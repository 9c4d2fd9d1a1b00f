"""The laws of `ports.PowerDevices`, for every kind of device, against real protocols on loopback.

The BMCs are at fault in every way that was measured on real agents. What must hold for each: the
core is told what was read, never more; and nobody waits longer than the deadline.
"""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.bmcs.machine import Fault
from tests.bmcs.rigs import HOST, KINDS, ROAD, Rig, read, switch_off, switch_on

from ninelives.adapters.power import PowerRoads
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.errors import PortError
from ninelives.engine.ports import ACCEPTED

SOON_S = 2.0


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
