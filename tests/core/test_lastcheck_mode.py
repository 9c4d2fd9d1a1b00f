"""The last look keeps the mode: unless it is `act` nothing goes out, nor what leads a host back."""

import pytest
from tests.core.small_cloud import CEPH, K1, small_site

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Heard, Sights, Views
from ninelives.core.draft import restored
from ninelives.core.lastcheck import objection
from ninelives.core.model import BootId, HostId, Mode, Plane, Sign
from ninelives.core.policy import BALANCED
from ninelives.core.states import Stage

C1, NEW = HostId("c1"), BootId("new")
SITE = small_site("c1 c2")


def returning(stage: Stage, mode: Mode) -> Cluster:
    """c1 is led back, and the site is in this mode."""
    state = at.Returning(0.0, stage, 0.0, NEW)
    shut_out = (at.Revocation(CEPH, in_force=True),)
    hosts = (at.Host(C1, epoch=1, state=state, revocations=shut_out),)
    cluster = restored(SITE, BALANCED, Control(mode=mode), hosts, (), ())
    cluster.views = Views(1, K1, 0.0)
    heard = {Plane.MANAGEMENT: {K1: Heard(Sign.STRONG, NEW, 0.0)}}
    cluster.sights[C1] = Sights(C1, heard=heard, strong_boot=NEW)
    return cluster


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        (Stage.LIFTING, do.LiftRevocation(C1, CEPH, 1)),
        (Stage.COMPUTE, do.StartCompute(C1, 1, NEW, 0)),
        (Stage.ENABLING, do.Enable(C1, 1)),
    ],
)
def test_a_way_back_rests_while_the_mode_is_not_to_act(
    stage: Stage, action: do.Enable | do.LiftRevocation | do.StartCompute
) -> None:
    assert objection(returning(stage, Mode.ACT), action, 1.0, None) == ""
    assert objection(returning(stage, Mode.OBSERVE), action, 1.0, None) == "mode"
