"""When the gate of a host under Pacemaker is closed and opened, by what the leader knows."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from tests.core.small_cloud import SmallCloud

from ninelives.app.cluster_gate import Door, Gates, wanted
from ninelives.core import states
from ninelives.core.cluster import Control
from ninelives.core.draft import Draft
from ninelives.core.model import HostId

C1 = HostId("c1")


def cloud_in(state: states.HostState, control: Control | None = None) -> SmallCloud:
    cloud = SmallCloud(control=control or Control()).started()
    cloud.now += 1000.0
    hosts = cloud.cluster.hosts
    hosts[C1] = replace(hosts[C1], state=state, epoch=3)
    return cloud


def said(cloud: SmallCloud) -> Door | None:
    return wanted(Draft(cloud.cluster, cloud.now), C1)


def returning(stage: states.Stage) -> states.HostState:
    return states.Returning(0.0, stage, 0.0)


@pytest.mark.parametrize(
    "state",
    [states.Vacated(0.0), states.Quarantined(0.0, 1.0, "x"), returning(states.Stage.LIFTING)],
)
def test_who_is_out_stays_out(state: states.HostState) -> None:
    assert said(cloud_in(state)) is Door.CLOSED


@pytest.mark.parametrize("stage", list(states.Stage)[2:])
def test_it_opens_once_nova_compute_has_to_run(stage: states.Stage) -> None:
    assert said(cloud_in(returning(stage))) is Door.OPEN


@pytest.mark.parametrize(
    "state", [states.Healthy(0.0), states.Held(0.0, "storm", states.Class.HUNG)]
)
def test_a_gate_that_somebody_closed_is_left_alone(state: states.HostState) -> None:
    assert said(cloud_in(state)) is None


@pytest.mark.parametrize("state", [states.Vacated(0.0), returning(states.Stage.COMPUTE)])
def test_who_is_disarmed_touches_no_gate(state: states.HostState) -> None:
    assert said(cloud_in(state, Control(is_armed=False))) is None


@dataclass
class Written:
    """Doors that take what they are told, or do not."""

    takes: bool = True
    told: list[tuple[str, str]] = field(default_factory=list)

    async def close(self, node: str) -> bool:
        self.told.append((node, "closed"))
        return self.takes

    async def open(self, node: str) -> bool:
        self.told.append((node, "open"))
        return self.takes


def looked(gates: Gates, *instants: float) -> None:
    async def look() -> None:
        for now in instants:
            await gates.look(now)

    asyncio.run(look())


def test_what_was_taken_is_not_said_again_and_what_was_not_is() -> None:
    cloud, doors = cloud_in(states.Vacated(0.0)), Written()
    gates = Gates({"remote-c1": C1, "other": HostId("c99")}, lambda: cloud.cluster, doors)

    looked(gates, 0.0, 1.0)
    assert doors.told == [("remote-c1", "closed")]

    cloud.cluster.hosts[C1] = replace(
        cloud.cluster.hosts[C1], state=returning(states.Stage.COMPUTE)
    )
    doors.takes = False
    looked(gates, 2.0, 3.0, 7.5)
    assert doors.told[1:] == [("remote-c1", "open")] * 2


def test_a_standby_keeps_no_gate() -> None:
    doors = Written()

    looked(Gates({"c1": C1}, lambda: None, doors), 0.0)

    assert not doors.told
