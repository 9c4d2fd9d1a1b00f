"""The old host starts, and Nova calls each evacuation from it completed, also one cut short.

Its nova-compute destroys what was evacuated, and closes the record whatever became of the rebuild
(world 403 of seed ci).
"""

from collections.abc import Iterable

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId, MoveRecord

C1 = HostId("c1")


def called_completed(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """Close the record before the server is on its new host, where nobody goes on with it."""
    assert isinstance(action, do.Evacuate)
    del cloud.answers[do.Evacuate]
    record = MoveRecord(1, "evacuation", C1, action.target, "completed")
    cloud.change(action.server, records=(record,))
    return [on.Replied(action, on.Outcome.DONE)]


def evacuated() -> SmallCloud:
    cloud = CheckedCloud(site=small_site("c1 c2 c3 c4 c5 c6 c7 c8")).started()
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = called_completed
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.Evacuate)), 60)
    return cloud


def targets(cloud: SmallCloud) -> list[HostId]:
    return [
        action.target for action in cloud.all_of(do.Evacuate) if isinstance(action, do.Evacuate)
    ]


def test_when_its_target_died_in_the_middle_it_goes_on_elsewhere() -> None:
    cloud = evacuated()
    (first,) = targets(cloud)

    cloud.kill(first)
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert targets(cloud)[1:] == [cloud.move("web").seen.host]
    assert targets(cloud)[1] != first


def test_while_its_target_lives_it_is_sent_there_again_after_the_settle_time() -> None:
    cloud = evacuated()
    cloud.run(cloud.policy.nova_settle_s - 30)
    assert len(targets(cloud)) == 1  # the rebuild may go on, and calls itself done in the end

    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    first, second = targets(cloud)
    assert first == second == cloud.move("web").seen.host
